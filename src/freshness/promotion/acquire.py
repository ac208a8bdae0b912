"""How a run gets its target: it connects, waits for the run that has the lock, and takes over from one that died."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from freshness.core.check import CheckName
from freshness.engine.client import Engine, connect
from freshness.engine.compose import RECREATE_SECONDS
from freshness.engine.lock import Lease, Lock
from freshness.engine.lock_owner import new_lock, new_token
from freshness.engine.plan_record import adopt_record
from freshness.errors import Unreadable
from freshness.promotion.leases import Leases
from freshness.promotion.recorded import recorded_subject
from freshness.promotion.request import Request
from freshness.promotion.subject import Application, TagAlone, read_subject
from freshness.report.run_log import RunLog

PREFLIGHT_SECONDS = 600  # for the forge and for Git, which answer while the target is locked already
RETAG_SECONDS = 300
CARRY_SECONDS = 3600  # for the images from another Docker host, under the lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The Docker host, what the run is about on it, and the locks of that, in the order in which they are taken."""

    request: Request
    engine: Engine
    subject: Application | TagAlone
    locks: tuple[Lock, ...]


def reach_host(request: Request, run: RunLog) -> Host:
    """Reads today's files, and connects to the Engine. Raises SettingsError, EngineError.

    A rollback needs none of today's files: where they cannot be read, the record has what there is to know.
    """
    try:
        subject = read_subject(request, run)
        engine = _reach(request, run)
    except Unreadable as error:
        if not request.is_rollback:
            raise
        engine = _reach(request, run)
        subject = recorded_subject(engine, request, error)
        run.steps.forget()
        run.warn("Today's files", f"Not read, since it goes back by the record alone: {error.args[0]}")
    names = subject.locks  # those of the jobs too, also where none will run: what a cut run left may be at work
    if isinstance(subject, Application) and request.is_rollback and subject.all_jobs:
        subject = replace(subject, jobs=(), later_jobs=())
        run.note("A rollback runs no jobs: what they did is not taken back.")
    token = new_token()
    locks = (_lock(engine, request, subject, name, token, run) for name in names)
    return Host(request=request, engine=engine, subject=subject, locks=tuple(locks))


def _lock(
    engine: Engine, request: Request, subject: Application | TagAlone, name: str, token: str, run: RunLog
) -> Lock:
    seconds = RETAG_SECONDS if isinstance(subject, TagAlone) else _longest(request, subject)
    seconds += len(request.settings.references) * request.settings.registry.transfer.timeout
    seconds += CARRY_SECONDS if request.settings.source_host else 0
    return new_lock(
        engine,
        name,
        command="freshness rollback" if request.is_rollback else "freshness promote",
        revision=request.rollback_to if request.is_rollback else request.settings.expected_revision,
        seconds=PREFLIGHT_SECONDS + seconds,
        env=request.run_env,
        say=run.log.say,
        token=token,
    )


def _reach(request: Request, run: RunLog) -> Engine:
    engine = connect(request.env, request.settings.engine.timeout)
    run.found["daemon_id"] = engine.id
    return engine


def _longest(request: Request, application: Application) -> float:
    """Seconds that the jobs, the writes, the proof and the undo may take."""
    services = application.services
    switch = sum(
        one.target.replicas * (2 * (RECREATE_SECONDS + one.health.hold) + 3 * one.health.deadline) for one in services
    )
    return switch + sum(job.timeout for job in application.all_jobs) + request.settings.update_overlap + 60


@contextmanager
def acquire(host: Host, run: RunLog) -> Iterator[Leases]:
    """The targets for this run alone. Raises Busy where another run keeps one for too long, EngineError."""
    with ExitStack() as stack:
        leases = {lock.name: _take(lock, host, stack, run) for lock in host.locks}
        for lease in leases.values():
            adopt_record(lease)
        yield Leases(by_lock=leases)


def _take(lock: Lock, host: Host, until: ExitStack, run: RunLog) -> Lease:
    with run.step(CheckName.LOCK, f"{lock.name} for this run alone") as step:
        lease = lock.take(host.request.settings.engine.lock_timeout)
        step.got = "nobody else has it" if lease.name == lock.name else "taken over from a run that has ended"
    return until.enter_context(lease)
