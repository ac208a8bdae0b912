"""The Docker hosts of a run: each is connected to, and what the run is about on it is known before its locks are taken.

One that cannot be reached keeps the others from nothing but a new promotion: what was interrupted there is seen to.
"""

from collections.abc import Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from freshness.engine import carry
from freshness.engine.client import Engine, connect
from freshness.engine.compose import RECREATE_SECONDS
from freshness.engine.lock import Lock
from freshness.engine.lock_owner import new_lock, new_token
from freshness.engine.probe_address import Prober, find_prober
from freshness.errors import EngineError, FreshnessError, SettingsError, Unreadable
from freshness.promotion.recorded import recorded_subject
from freshness.promotion.request import Request
from freshness.promotion.subject import Application, TagAlone, read_subject
from freshness.report.run_log import RunLog
from freshness.settings.child_environment import child_environment
from freshness.settings.docker_host import at_host

PREFLIGHT_SECONDS = 600  # for the forge and for Git, which answer while the target is locked already
RETAG_SECONDS = 300


class Host(Struct, frozen=True, kw_only=True):
    """A Docker host, what the run is about on it, and the locks of that, in the order in which they are taken.

    `request` is the run's, whose `env` leads there. `peers` are the Engine's ID and the name of each host of the run,
    this one among them; there are none where it is the only one.
    """

    request: Request
    engine: Engine
    prober: Prober
    subject: Application | TagAlone
    locks: tuple[Lock, ...]
    peers: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """For people, and empty where there is only one."""
        return dict(self.peers).get(self.engine.id, "")

    @property
    def first(self) -> str:
        """The name of the host that is named first, and empty where there is only one."""
        return self.peers[0][1] if self.peers else ""

    def run(self, run: RunLog) -> RunLog:
        """The same, in which checks say that they are of this host."""
        return replace(run, place=self.name)


class Hosts(Struct, frozen=True, kw_only=True):
    """Those that answer, as the settings name them, and why the `lost` ones do not."""

    reached: tuple[Host, ...]
    lost: Mapping[str, FreshnessError]


def reach_hosts(request: Request, run: RunLog) -> Hosts:
    """Reads today's files, and connects to each Engine. Raises SettingsError, and EngineError where none answers."""
    subject = _read(request, run)
    engines, lost = connect_hosts(request)
    names = (*engines, *lost)
    peers = tuple((engine.id, name) for name, engine in engines.items()) if len(names) > 1 else ()
    run.found["daemon_id"] = next(iter(engines.values())).id
    token, hosts = new_token(), list[Host]()
    for name, engine in engines.items():
        there = _at(request, name)
        host = Host(
            request=there,
            engine=engine,
            prober=find_prober(engine, there.env),
            subject=recorded_subject(engine, there, subject) if isinstance(subject, Unreadable) else subject,
            locks=(),
            peers=peers,
        )
        hosts.append(_with_locks(host, name, token, run, has_jobs=name == next(iter(engines))))
    if isinstance(subject, Unreadable):
        run.steps.forget()
        run.warn("Today's files", f"Not read, since it goes back by the record alone: {subject.args[0]}")
    return Hosts(reached=tuple(hosts), lost=lost)


def connect_hosts(request: Request) -> tuple[dict[str, Engine], dict[str, FreshnessError]]:
    """The Engines that answer, by their names in the order of the settings, and why the lost ones do not.

    Raises SettingsError where two names lead to one, EngineError where none answers.
    """
    engines, lost = dict[str, Engine](), dict[str, FreshnessError]()
    for name in request.settings.docker_hosts or ("",):
        try:
            engines[name] = connect(_at(request, name).env, request.settings.engine.timeout)
        except FreshnessError as error:
            lost[name] = error
    if not engines:
        raise next(iter(lost.values()))
    _refuse_twice(engines)
    return engines, lost


def require_all(lost: Mapping[str, FreshnessError]) -> None:
    """Raises EngineError where a host is lost: on some alone nothing is begun."""
    if not lost:
        return
    each = "; ".join(f"{name}: {str(error).rstrip('.')}" for name, error in lost.items())
    raise EngineError(
        f"Nothing new is begun, as not all Docker hosts of production can be reached. {each}.",
        "Run it again once they can. To promote without one that is gone for good, take it out of `docker-host`.",
    )


def _at(request: Request, name: str) -> Request:
    if not name:
        return request
    return replace(request, env=child_environment(request.run_env, name))


def _read(request: Request, run: RunLog) -> Application | TagAlone | Unreadable:
    """A rollback needs none of today's files: where they cannot be read, the record has what there is to know."""
    try:
        return read_subject(request, run)
    except Unreadable as error:
        if not request.is_rollback:
            raise
        return error


def _refuse_twice(engines: Mapping[str, Engine]) -> None:
    seen = dict[str, str]()
    for name, engine in engines.items():
        other = seen.setdefault(engine.id, name)
        if other != name:
            raise SettingsError(
                f"`docker-host` names {other} and {name}, where the same Engine answers: {engine.id}.",
                "Name each host once. A clone of another machine gets an ID of its own when Docker starts without"
                " /var/lib/docker/engine-id; up to Engine 20.10 that file is /etc/docker/key.json.",
            )


def _with_locks(host: Host, name: str, token: str, run: RunLog, *, has_jobs: bool) -> Host:
    """Those of the jobs too, also where none will run: what a cut run left may be at work."""
    subject, request = host.subject, host.request
    env = at_host(request.run_env, name or None)
    locks = tuple(_lock(host, each, token, env, run.log.say) for each in subject.locks)
    if isinstance(subject, Application) and subject.all_jobs and (request.is_rollback or not has_jobs):
        subject = replace(subject, jobs=(), later_jobs=())
        if request.is_rollback:
            run.note("A rollback runs no jobs: what they did is not taken back.")
    return replace(host, subject=subject, locks=locks)


def _lock(host: Host, name: str, token: str, env: Mapping[str, str], say: Callable[[str], None]) -> Lock:
    request = host.request
    settings = request.settings
    seconds = RETAG_SECONDS if isinstance(host.subject, TagAlone) else _longest(request, host.subject)
    seconds += len(settings.references) * settings.registry.transfer.timeout
    seconds += carry.SECONDS if settings.source_host or settings.docker_hosts else 0
    return new_lock(
        host.engine,
        name,
        command="freshness rollback" if request.is_rollback else "freshness promote",
        revision=request.rollback_to if request.is_rollback else settings.expected_revision,
        seconds=PREFLIGHT_SECONDS + seconds * max(1, len(settings.docker_hosts)),
        env=env,
        say=say,
        token=token,
    )


def _longest(request: Request, application: Application) -> float:
    """Seconds that the jobs, the writes, the proof and the undo may take."""
    services = application.services
    switch = sum(
        one.target.replicas * (2 * (RECREATE_SECONDS + one.health.hold) + 3 * one.health.deadline) for one in services
    )
    return switch + sum(job.timeout for job in application.all_jobs) + request.settings.update_overlap + 60
