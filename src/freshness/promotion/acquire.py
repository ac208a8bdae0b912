"""How a run gets its target: it connects, waits for the run that has the lock, and takes over from one that died."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from freshness.core.check import CheckName
from freshness.engine.client import Engine, connect
from freshness.engine.compose import RECREATE_SECONDS
from freshness.engine.health import settle_health
from freshness.engine.lock import Lease, Lock
from freshness.engine.lock_owner import new_lock
from freshness.engine.plan_record import adopt_record
from freshness.errors import Unreadable
from freshness.promotion.configuration import Today
from freshness.promotion.recorded import recorded_subject
from freshness.promotion.request import PromotionLog, Request
from freshness.promotion.subject import TagAlone, read_subject

PREFLIGHT_SECONDS = 600  # for the forge and for Git, which answer while the target is locked already
RETAG_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The Docker host, what the run is about on it, and the lock of that."""

    request: Request
    engine: Engine
    subject: Today | TagAlone
    lock: Lock


def reach_host(request: Request, log: PromotionLog) -> Host:
    """Reads today's files, and connects to the Engine. Raises SettingsError, EngineError.

    A rollback needs none of today's files: where they cannot be read, the record has what there is to know.
    """
    try:
        subject = read_subject(request, log)
        engine = _reach(request, log)
    except Unreadable as error:
        if not request.is_rollback:
            raise
        engine = _reach(request, log)
        subject = recorded_subject(engine, request, error)
        log.steps.forget()
        log.warning("Today's files", f"Not read, since it goes back by the record alone: {error.args[0]}")
    if isinstance(subject, Today):
        request = _settled(request, subject)
        log.note(request.settings.health.note)
    lock = new_lock(
        engine,
        subject.lock,
        command="freshness rollback" if request.is_rollback else "freshness promote",
        revision=request.rollback_to if request.is_rollback else request.settings.expected_revision,
        seconds=PREFLIGHT_SECONDS + (RETAG_SECONDS if isinstance(subject, TagAlone) else _longest(request)),
        env=request.run_env,
        say=log.log.say,
    )
    return Host(request=request, engine=engine, subject=subject, lock=lock)


def _reach(request: Request, log: PromotionLog) -> Engine:
    engine = connect(request.env, request.settings.engine_timeout)
    log.found["daemon_id"] = engine.id
    return engine


def _settled(request: Request, today: Today) -> Request:
    """With how health is asked, as the service decides it where the settings do not."""
    settings = request.settings
    has_port = settings.given_port is not None or today.wanted.in_pairs
    health = settle_health(settings.health, today.target, is_port_given=has_port)
    return replace(request, settings=replace(settings, health=health))


def _longest(request: Request) -> float:
    """Seconds that the writes, the proof and the undo may take."""
    settings, health = request.settings, request.settings.health
    return 2 * (RECREATE_SECONDS + health.hold) + 3 * health.deadline + settings.update_overlap + 60


@contextmanager
def acquire(host: Host, log: PromotionLog) -> Iterator[Lease]:
    """The target for this run alone. Raises Busy where another run keeps it for too long, EngineError."""
    with log.step(CheckName.LOCK, f"{host.lock.name} for this run alone") as step:
        lease = host.lock.take(host.request.settings.lock_timeout)
        step.got = "nobody else has it" if lease.name == host.lock.name else "taken over from a run that has ended"
    with lease:
        adopt_record(lease)
        yield lease
