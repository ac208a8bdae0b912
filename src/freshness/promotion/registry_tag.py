"""Moves production's tag in a registry by digest, and nothing else, where something else restarts what runs."""

from collections.abc import Sequence
from contextlib import nullcontext

from freshness.core.check import CheckName
from freshness.core.promotion import PromotionOutcome
from freshness.core.registry_name import MovingTag, Reference
from freshness.core.retained import RetainedTags
from freshness.engine.client import Engine
from freshness.engine.lock import Lease
from freshness.errors import FreshnessError, Interrupted, Refused
from freshness.promotion.ancestry import require_forward
from freshness.promotion.candidate import Choice
from freshness.promotion.host import connect_hosts, require_all
from freshness.promotion.registry_lock import lock_tags
from freshness.promotion.registry_move import Move, name_of
from freshness.promotion.request import Request, Result, why
from freshness.report.run_log import RunLog


def promote_in_registry(tag: MovingTag, request: Request, run: RunLog) -> Result:
    """The tags alone are moved, under a lock on each Docker host; the guard holds by what the registry itself has."""
    engines, lost = connect_hosts(request)
    require_all(lost)
    engine, references = next(iter(engines.values())), request.settings.references
    run.found["daemon_id"] = engine.id
    names = {name_of(tag, one.repository) for one in references}
    with nullcontext(()) if request.dry_run else lock_tags(names, engines, request, run) as leases:
        try:
            moves = [_look(one, tag, engine, request, run) for one in references]
        except Refused as refusal:
            return Result.ended(run, refusal)
        if request.dry_run:
            return Result.of(run, PromotionOutcome.UNCHANGED, "", ahead="\n".join(map(str, moves)))
        return _move_all(moves, leases, run)


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


def _move_all(moves: list[Move], leases: Sequence[Lease], run: RunLog) -> Result:
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


def _move(move: Move, leases: Sequence[Lease], run: RunLog) -> None:
    with run.step(CheckName.TAG, f"{move.name} naming {move.wanted.digest}") as step:
        for lease in leases:
            lease.require()
        move.make()
        step.got = move.got
