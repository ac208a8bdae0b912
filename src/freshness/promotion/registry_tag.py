"""Moves production's tag in a registry by digest, and nothing else, where something else restarts what runs."""

from contextlib import ExitStack

from freshness.core.check import CheckName
from freshness.core.lock import tag_lock
from freshness.core.promotion import PromotionOutcome
from freshness.core.registry_name import MovingTag, Reference
from freshness.core.retained import RetainedTags
from freshness.engine.client import Engine, connect
from freshness.engine.lock import Lease
from freshness.engine.lock_owner import new_lock, new_token
from freshness.errors import FreshnessError, Interrupted, Refused
from freshness.promotion.ancestry import require_forward
from freshness.promotion.candidate import Choice
from freshness.promotion.registry_move import Move, name_of
from freshness.promotion.request import Request, Result, why
from freshness.report.run_log import RunLog
from freshness.settings.docker_host import at_host

SECONDS = 900  # of the lock: the forge and Git answer while it is held


def promote_in_registry(tag: MovingTag, request: Request, run: RunLog) -> Result:
    """The tags alone are moved, under a lock on this Engine; the guard holds by what the registry itself has."""
    engine, settings = connect(request.env, request.settings.engine.timeout), request.settings
    run.found["daemon_id"] = engine.id
    references = settings.references
    with ExitStack() as stack:
        leases = [] if request.dry_run else _take_locks(references, tag, engine, request, run, stack)
        try:
            moves = [_look(one, tag, engine, request, run) for one in references]
        except Refused as refusal:
            return Result.ended(run, refusal)
        if request.dry_run:
            return Result.of(run, PromotionOutcome.UNCHANGED, "", ahead="\n".join(map(str, moves)))
        return _move_all(moves, leases, run)


def _take_locks(
    references: tuple[Reference, ...],
    tag: MovingTag,
    engine: Engine,
    request: Request,
    run: RunLog,
    until: ExitStack,
) -> list[Lease]:
    """One for each tag, in the order in which all runs take them."""
    settings, token = request.settings, new_token()
    leases = []
    for name in sorted({name_of(tag, one.repository) for one in references}):
        lock = new_lock(
            engine,
            tag_lock(name),
            command="freshness promote",
            revision=settings.expected_revision,
            seconds=SECONDS,
            env=at_host(request.run_env, next(iter(settings.docker_hosts), None)),
            say=run.log.say,
            token=token,
        )
        with run.step(CheckName.LOCK, f"{lock.name} for this run alone") as step:
            leases.append(until.enter_context(lock.take(settings.engine.lock_timeout)))
            step.got = "it is ours"
    return leases


def _look(reference: Reference, tag: MovingTag, engine: Engine, request: Request, run: RunLog) -> Move:
    """Raises Refused where the image does not prove the commit, or leads back."""
    tags = RetainedTags(repository=str(reference.repository))
    choice = Choice(engine=engine, request=request, run=run, tags=tags, service=request.settings.service)
    with run.step(CheckName.IMAGE, "an image in the registry") as step:
        move = Move.find(reference, tag, request)
        candidates, before = move.all_images()
        step.got = str(reference)
    for candidate in candidates:
        choice.prove(candidate)
    require_forward(request, run, before[0] if before else None, candidates[0], None)
    return move


def _move_all(moves: list[Move], leases: list[Lease], run: RunLog) -> Result:
    first = moves[0]
    found = {"image": first.name, "previous_image_id": first.before_digest}
    try:
        for one in moves:
            _move(one, leases, run)
    except (FreshnessError, Interrupted) as error:
        reason = f"{why(run, error)} The tag may have moved, or not: run this again."
        return Result.of(run, PromotionOutcome.ERROR, reason, error.exit_status, **found)
    is_same = all(one.is_done for one in moves)
    named = "; ".join(f"{one.name} names {one.wanted.digest}" for one in moves)
    reason = f"{named}{' already' if is_same else ''}; nothing was pulled or recreated, as `recreate` is false."
    outcome = PromotionOutcome.UNCHANGED if is_same else PromotionOutcome.PROMOTED
    return Result.of(run, outcome, reason, None, image_id=first.wanted.digest, **found)


def _move(move: Move, leases: list[Lease], run: RunLog) -> None:
    with run.step(CheckName.TAG, f"{move.name} naming {move.wanted.digest}") as step:
        for lease in leases:
            lease.require()
        move.make()
        step.got = move.got
