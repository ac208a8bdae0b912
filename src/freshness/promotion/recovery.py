"""What an interrupted promotion left half done is finished or undone, before anything else happens to production."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from freshness.core.image import Image
from freshness.core.lock import Begun, Record
from freshness.core.recovery import Recovery, decide_recovery
from freshness.engine.containers import service_containers
from freshness.engine.images import find_image, find_tagged
from freshness.engine.lock import Lease
from freshness.engine.plan_record import find_begun, remove_records
from freshness.errors import FreshnessError, LockLost
from freshness.process.signals import interrupts_deferred
from freshness.promotion.acquire import Host
from freshness.promotion.configuration import Today
from freshness.promotion.execute import new_rollout, roll_back
from freshness.promotion.observe import change_of, move_of
from freshness.promotion.operations import Operation, Tag
from freshness.promotion.plan import Plan, finish_plan, in_words, retag_plan, rollout_plan
from freshness.promotion.preflight import ownership
from freshness.promotion.request import PromotionLog, Recovered
from freshness.promotion.subject import TagAlone
from freshness.promotion.wording import call_for_help
from freshness.report.steps import Steps
from freshness.settings.model import PromoteSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What an interrupted run left: its `plan`, found anew, and `operations` that finish or undo it.

    `done` says in words what becomes of it by them.
    """

    plan: Plan
    what: Recovery
    operations: tuple[Operation, ...]
    done: str

    def __str__(self) -> str:
        return in_words(self.operations)


def recover(host: Host, lease: Lease, log: PromotionLog) -> Record | None:
    """Finishes or undoes what was begun. Returns the record where neither could be done, and says so.

    What last served is then the way back of this run's own plan. Raises LockLost, and what kept it from being decided.
    """
    begun = find_begun(host.engine, lease.lock)
    if begun is None:
        return None
    with interrupts_deferred():
        log.log.say("A promotion was interrupted; first it is finished or undone.")
        recovered = _recover(host, lease, begun, replace(log, steps=Steps()))
        log.recovered.append(recovered)
        if recovered.undo_to is None:
            remove_records(lease)
    return recovered.undo_to


def find_left(host: Host, record: Record) -> Left:
    """Looks at what was left, and decides what becomes of it. Raises EngineError, Stale."""
    if isinstance(host.subject, TagAlone):
        return _left_of_tag(host, host.subject, record)
    return _left_of_service(host, host.subject, record)


def _left_of_tag(host: Host, subject: TagAlone, record: Record) -> Left:
    move, tag = move_of(host.engine, record, subject.tag, subject.retained_tags), subject.tag
    plan, named = retag_plan(move, host.request.settings.keep_images), find_tagged(host.engine, tag)
    if named and named.id == record.candidate:
        done = f"finished: {tag} names {record.candidate}"
        return Left(plan=plan, what=Recovery.FINISH, operations=plan.operations, done=done)
    if (named.id if named else "") != record.tagged:
        done = f"left alone: {tag} names neither image, so somebody moved it meanwhile"
        return Left(plan=plan, what=Recovery.LEAVE, operations=(), done=done)
    done = f"undone: {tag} names {record.previous or 'nothing'}"
    return Left(plan=plan, what=Recovery.UNDO, operations=plan.undo, done=done)


def _left_of_service(host: Host, today: Today, record: Record) -> Left:
    engine, target = host.engine, today.target
    ownership(host.request, today).require_role(engine)
    change, settings = change_of(engine, record, today), host.request.settings
    found = service_containers(engine, target.project, target.service)
    what = decide_recovery(record, {container.image_id for container in found if container.is_up})
    images = {*change.move.retained_then, record.previous, record.candidate} - {""}
    there = {image for image in images if find_image(engine, image)}
    named = find_tagged(engine, record.tag) if record.tag != change.move.tag else None
    is_moved = named is not None and named.id == record.candidate
    return left_of(rollout_plan((change,), settings), record, what, settings, there, is_moved=is_moved)


def left_of(
    plan: Plan,
    record: Record,
    what: Recovery,
    settings: PromoteSettings,
    there: Collection[str],
    *,
    is_moved: bool = False,
) -> Left:
    """What becomes of a service's interrupted plan. `there` are the images that still exist.

    `is_moved`: the tag that the record is about is another than production's now, and still names the candidate.
    """
    ((change,), move), is_gone = (plan.changes, plan.move), record.previous != "" and record.previous not in there
    if what is Recovery.LEAVE:
        done = "left alone: production runs neither its image nor the one before, so somebody changed it meanwhile"
        return Left(plan=plan, what=what, operations=(), done=done)
    if what is Recovery.UNDO and is_gone and record.candidate not in there:
        done = f"left alone: {record.previous} and {record.candidate} are both gone from this Engine"
        return Left(plan=plan, what=Recovery.LEAVE, operations=(), done=done)
    if what is Recovery.FINISH or is_gone:
        operations = finish_plan(change, settings, there, despite=what is Recovery.UNDO).operations
        return Left(plan=plan, what=what, operations=operations, done=_say(move.candidate, record))
    other = (Tag(image=record.tagged, tag=record.tag, why="production's tag is another by now"),) if is_moved else ()
    return Left(plan=plan, what=what, operations=(*other, *plan.undo), done=_say(move.previous, record))


def _recover(host: Host, lease: Lease, begun: Begun, log: PromotionLog) -> Recovered:
    left = find_left(host, begun.record)
    kind = "promotion" if left.plan.changes else "retag"
    try:
        done = _do(host, lease, left, begun.record, log)
    except LockLost:
        raise
    except FreshnessError as error:
        if not left.plan.changes:
            raise
        what = "A promotion was interrupted and could not be undone"
        why = f"{what}: {error.args[0].rstrip('.')}. What last served is this run's way back."
        log.warning("An interrupted promotion", why)
        (change,), words = left.plan.changes, host.subject.words
        command = call_for_help(what, host.engine, words, change, begun.name, error)
        return Recovered(done=command, undo_to=begun.record)
    log.warning(f"An interrupted {kind}", f"An interrupted {kind} was {done}.")
    return Recovered(done=f"An interrupted {kind} was {done}. Nothing else was changed.")


def _do(host: Host, lease: Lease, left: Left, record: Record, log: PromotionLog) -> str:
    rollout = new_rollout(host, lease, log)
    try:
        for operation in left.operations:
            rollout.do(operation)
    except LockLost:
        raise
    except FreshnessError as error:
        if left.what is not Recovery.FINISH or not left.plan.changes:
            raise
        serving = roll_back(left.plan, rollout)
        return f"{_say(serving, record)}, since {record.candidate} failed ({error.args[0]})"
    return left.done


def _say(serving: Image | None, record: Record) -> str:
    if serving is None:
        return "undone: nothing is left of it"
    if serving.id == record.candidate:
        return f"finished: production runs {record.candidate}"
    return f"undone: production runs {record.previous} again"
