"""The command that shows who holds a target, and breaks that where nobody else can."""

from collections.abc import Mapping, Sequence
from typing import Any

from freshness.core.lock import HeldLock, Record, is_lock_name, is_swarm_lock, service_lock, swarm_lock, tag_lock
from freshness.core.quoting import quoted
from freshness.core.swarm_recovery import find_left
from freshness.engine.client import Engine, connect
from freshness.engine.compose_config import project_with, read_config
from freshness.engine.compose_file import ComposeFile
from freshness.engine.lock import Lock
from freshness.engine.lock_liveness import why_dead
from freshness.engine.lock_owner import new_lock
from freshness.engine.plan_record import adopt_record, find_begun, find_waiting
from freshness.engine.swarm import find_service
from freshness.errors import EngineError, SettingsError
from freshness.settings.docker_host import each_host
from freshness.settings.model import PromoteSettings
from freshness.settings.read import read_promote
from freshness.swarm.host import name_template

Texts = Mapping[str, str]
_NEXT = "The next promotion or rollback finishes or undoes what was begun."


def unlock_target(
    given: Mapping[str, str | None], env: Texts, env_file: Texts, *, name: str | None, tag: str | None, force: bool
) -> list[dict[str, Any]]:
    """Breaks the lock of this `name`, those of the services, or of the `tag` that is moved: whether each is `free` now.

    `reason` says so in words; `owner`, `since`, and why that run is `dead` are None where nobody had it.

    An owner that is, or may be, at work is only shown, unless `force`: it stops before its next write. What a
    promotion began stays written down, for the next one to finish or undo. Raises SettingsError, EngineError.
    """
    settings = read_promote(given, env, env_file, revision_required=False)
    names = _find_names(settings, env, name, tag)
    if not settings.docker_hosts:
        return _unlock_on(env, settings, names, force=force)
    return [
        {"host": host, **one}
        for host, there in each_host(env, settings.docker_hosts).items()
        for one in _try_on(there, settings, names, force=force)
    ]


def _try_on(env: Texts, settings: PromoteSettings, names: Sequence[str], *, force: bool) -> list[dict[str, Any]]:
    """As `_unlock_on`; of a host that cannot be reached nothing is known, and the others are looked at all the same."""
    try:
        return _unlock_on(env, settings, names, force=force)
    except EngineError as error:
        return [_about(name) | {"free": False, "reason": str(error)} for name in names]


def _unlock_on(env: Texts, settings: PromoteSettings, names: Sequence[str], *, force: bool) -> list[dict[str, Any]]:
    engine = connect(env, settings.engine.timeout)
    names = _in_full(engine, settings, names)
    locks = [
        new_lock(
            engine,
            name,
            command="freshness unlock",
            revision=None,
            seconds=settings.engine.timeout,
            env=env,
            say=lambda _text: None,
        )
        for name in names
    ]
    return [_unlock(lock, force=force) for lock in locks]


def _in_full(engine: Engine, settings: PromoteSettings, names: Sequence[str]) -> list[str]:
    """In a Swarm a job's lock has its service's own name, which the settings may give as the stack's file does."""
    jobs = {swarm_lock(job.service): job.service for job in settings.application.jobs}
    first = find_service(engine, settings.swarm.services[0]) if settings.swarm.services and jobs else None
    if first is None:
        return list(names)
    return [swarm_lock(name_template(engine, first.stack, jobs[name])) if name in jobs else name for name in names]


def _about(name: str) -> dict[str, Any]:
    return {"lock": name, "owner": None, "since": None, "dead": None}


def _unlock(lock: Lock, *, force: bool) -> dict[str, Any]:
    held = lock.look()
    began = _began(find_waiting(lock.engine, lock.name, held))
    found = _about(lock.name)
    if held is None:
        reason = f"{lock.name} is not locked.{f' {began}{_NEXT}' if began else ''}"
        return found | {"free": True, "reason": reason}
    dead = why_dead(lock.engine, held, lock.owner.place)
    found |= {"owner": str(held.owner), "since": held.since, "dead": dead}
    shown = f"{lock.name} is locked by {held.owner} since {held.since}. {began}"
    if dead is None and not force:
        reason = f"{shown}That run is, or may be, at work. Wait for it, or make it stop before its next write: --force."
        return found | {"free": False, "reason": reason}
    is_free, reason = _break(lock, held, f"{shown}{f'That run is dead: {dead}. ' if dead else ''}")
    return found | {"free": is_free, "reason": reason}


def _break(lock: Lock, held: HeldLock, shown: str) -> tuple[bool, str]:
    lease = lock.follow(held)
    if lease is None:
        return False, f"{shown}Another run took the lock over just now."
    if is_swarm_lock(lock.name) and _is_unsettled(lock):
        return True, f"{shown}It left an update that is not proven. {_NEXT}"
    with lease:
        adopt_record(lease)
        lease.settle()
        began = find_begun(lock.engine, lock.name)
    return True, f"{shown}The lock is released{f'. {_NEXT}' if began else '.'}"


def _is_unsettled(lock: Lock) -> bool:
    """Whether a service of a Swarm has what a run wrote that held this lock: the lock alone tells the next one."""
    service = find_service(lock.engine, lock.name.removeprefix(swarm_lock("")))
    left = find_left([service] if service else [], lock.tokens())
    return bool(left.written or left.unsettled)


def _began(record: Record | None) -> str:
    if record is None:
        return ""
    return f"It began to move {quoted(record.tag)} from {record.previous or 'nothing'} to {record.candidate}. "


def _find_names(settings: PromoteSettings, env: Texts, name: str | None, tag: str | None) -> list[str]:
    if name and not is_lock_name(name):
        raise SettingsError(
            f"--lock is {quoted(name)}; expected the name of a lock.",
            ("Give the name that the refusal shows: freshness.…"),
        )
    if name is None and tag:
        name = tag_lock(tag)
    return [name] if name else _locks_of_services(settings, env)


def _locks_of_services(settings: PromoteSettings, env: Texts) -> list[str]:
    jobs = {job.service for job in settings.application.jobs}
    if settings.swarm.services:
        return [swarm_lock(service) for service in sorted({*settings.swarm.services, *jobs})]
    project = project_with(read_config(ComposeFile.of(settings, env), env), settings.service)
    names = {*settings.services, *jobs}
    return [service_lock(project, service) for service in sorted(names)]
