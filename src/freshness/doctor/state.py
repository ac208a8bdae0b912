"""Looks at what runs left on the Docker host: locks, what was begun, and deployment records."""

from collections.abc import Collection, Iterator, Mapping
from functools import partial

from msgspec.structs import replace

from freshness.core.deployment import DEPLOYMENT_LABEL
from freshness.core.finding import Area, Finding, Level
from freshness.core.lock import is_lock_name
from freshness.doctor.trial import fine, note, tried
from freshness.engine.client import Engine
from freshness.engine.lock import Lock
from freshness.engine.lock_liveness import why_dead
from freshness.engine.lock_owner import new_lock
from freshness.engine.plan_record import find_waiting
from freshness.engine.state import deserted, lock_names, unreadable_records


def look_at_state(engine: Engine, run_env: Mapping[str, str], own: Collection[str]) -> Iterator[Finding]:
    """Of every application on the Engine; `own` are our locks' names. What is odd of others' is only a note.

    Raises EngineError.
    """
    found = list(_look(engine, run_env, own))
    yield from found or [fine(Area.STATE, "no lock, and no promotion that was interrupted.")]


def _look(engine: Engine, run_env: Mapping[str, str], own: Collection[str]) -> Iterator[Finding]:
    for name in filter(is_lock_name, lock_names(engine)):
        lock = _lock(engine, name, run_env)
        for found in tried(Area.STATE, partial(_look_at_lock, lock)):
            yield found if name in own else replace(found, level=Level.NOTE)
    for target in unreadable_records(engine):
        remedy = f"docker volume ls --filter label={DEPLOYMENT_LABEL}={target} shows who made it; then remove it."
        yield note(Area.STATE, f"the deployment record of {target} cannot be read.", remedy)
    for recorded in deserted(engine):
        one = recorded.deployment
        yield note(
            Area.STATE,
            f"{one.role.value}'s record of {one.target} stands since {recorded.since}, and nothing runs there.",
            f"If that application is gone for good: docker volume rm {recorded.name}",
        )


def _look_at_lock(lock: Lock) -> Iterator[Finding]:
    held = lock.look()
    dead = why_dead(lock.engine, held, lock.owner.place) if held else None
    if held:
        state = f"and {dead}" if dead else "which is, or may be, at work"
        remedy = (
            f"The next run takes over; `{lock.unlock}` does so now." if dead else "Wait for it, or look at its run."
        )
        yield note(Area.STATE, f"{lock.name} is locked by {held.owner} since {held.since}, {state}.", remedy)
    record = find_waiting(lock.engine, lock.name, held)
    if record and (dead or not held):
        yield note(
            Area.STATE,
            f"a promotion under {lock.name} was interrupted as it moved {record.tag} to {record.candidate}.",
            "The next promotion or rollback finishes or undoes that first.",
        )


def _lock(engine: Engine, name: str, run_env: Mapping[str, str]) -> Lock:
    return new_lock(
        engine, name, command="freshness doctor", revision=None, seconds=0, env=run_env, say=lambda _text: None
    )
