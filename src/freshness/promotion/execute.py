"""Executes a plan: the record first, then each operation. It decides nothing; where one fails, it walks the undo."""

from contextlib import suppress

from freshness.core.configuration import not_restored
from freshness.core.image import Image
from freshness.core.lock import Begun
from freshness.core.promotion import PromotionOutcome, name_revision
from freshness.engine.client import wait_until_reachable
from freshness.engine.images import find_image
from freshness.engine.lock import Lease
from freshness.engine.plan_record import remove_records, write_record
from freshness.engine.probe_address import find_prober
from freshness.errors import FreshnessError, Interrupted, LockLost
from freshness.process.signals import ignore_interrupts, interrupts_deferred
from freshness.promotion.acquire import Host
from freshness.promotion.configuration import Today
from freshness.promotion.plan import Plan, finish_plan
from freshness.promotion.preflight import ownership
from freshness.promotion.request import PromotionLog, Result
from freshness.promotion.rollout import Rollout
from freshness.promotion.wording import call_for_help, is_unchanged, what_serves, with_what
from freshness.report.steps import wrap_unexpected_errors

TAKEN_OVER = "What was begun is finished or undone by the run that took over; this one may write nothing any more."
Ended = tuple[PromotionOutcome, str]


def execute(plan: Plan, host: Host, lease: Lease, log: PromotionLog) -> Result:
    """How production is left. Raises what kept the record from being written: then nothing was changed."""
    rollout = new_rollout(host, lease, log)
    if not plan.operations:
        return _result(plan, log, _succeeded(plan, host, rollout))
    begun = _begin(plan, host, lease)
    try:
        with wrap_unexpected_errors():
            for operation in plan.operations:
                if operation.is_final:
                    ignore_interrupts()  # the old one goes: from here none leads back
                rollout.do(operation)
    except LockLost as error:
        return _result(plan, log, (PromotionOutcome.ERROR, TAKEN_OVER), error)
    except (FreshnessError, Interrupted) as error:
        return _take_back(plan, host, rollout, begun, error)
    settle(lease)
    return _result(plan, log, _succeeded(plan, host, rollout))


def new_rollout(host: Host, lease: Lease, log: PromotionLog) -> Rollout:
    """What does operations under this lease."""
    prober = find_prober(host.engine, host.request.env)
    return Rollout(lease=lease, settings=host.request.settings, prober=prober, log=log)


def roll_back(plan: Plan, rollout: Rollout) -> Image | None:
    """Walks the undo, and returns the image that serves then; None: nothing does, as before.

    It is the candidate where the one before is gone from this Engine: a prune takes it in the moment in which no
    container runs it, and then forward is the only way to serve a proven image.
    """
    engine, move = rollout.lease.engine, plan.move
    wait_until_reachable(engine, "going back")
    gone = [
        change for change in plan.changes if change.move.previous and not find_image(engine, change.move.previous_id)
    ]
    operations = plan.undo
    if gone:
        names = " and ".join(change.move.previous_id for change in gone)
        rollout.log.note(f"The image that ran before, {names}, is gone from this Engine.")
        there = there_of(rollout.lease, plan)
        onward = (finish_plan(change, rollout.settings, there, despite=True) for change in plan.changes)
        operations = tuple(operation for one in onward for operation in one.operations)
    for operation in operations:
        rollout.do(operation)
    return move.candidate if gone else move.previous


def there_of(lease: Lease, plan: Plan) -> frozenset[str]:
    """The images to retain that still exist."""
    return frozenset(image for image in plan.move.retained_then if find_image(lease.engine, image))


def settle(lease: Lease) -> None:
    """Nothing is left to finish or undo. Where that cannot be written, the next run finds nothing to do."""
    with suppress(FreshnessError):
        remove_records(lease)


def _begin(plan: Plan, host: Host, lease: Lease) -> Begun:
    if isinstance(host.subject, Today):
        is_as_it_ran = plan.changes[0].make.is_as_it_ran
        ownership(host.request, host.subject).record(lease, is_as_it_ran=is_as_it_ran)
    return write_record(lease, plan.record)


def _succeeded(plan: Plan, host: Host, rollout: Rollout) -> Ended:
    settings, move = host.request.settings, plan.move
    if not plan.operations:
        return PromotionOutcome.UNCHANGED, f"{move.tag} names {move.candidate.id} already; nothing was changed."
    if not plan.changes:
        named = name_revision(move.candidate, settings.revision_label)
        return PromotionOutcome.PROMOTED, f"{move.tag} names {named}; nothing was recreated, as `recreate` is false."
    (change,) = plan.changes
    container = rollout.containers.get(change.service)
    same = is_unchanged(change, container)
    reason = what_serves(change, container, settings.revision_label, forced=settings.force_recreate)
    return PromotionOutcome.UNCHANGED if same else PromotionOutcome.PROMOTED, reason


def _take_back(plan: Plan, host: Host, rollout: Rollout, begun: Begun, error: FreshnessError | Interrupted) -> Result:
    """After a failed operation: what ran before runs again, proven; or a person is needed, and told what to type."""
    ended, cause = (PromotionOutcome.ERROR, TAKEN_OVER), error
    try:
        with interrupts_deferred():
            rollout.log.log.say("The promotion failed. Going back to what production ran before.")
            with wrap_unexpected_errors():
                ended = _went_back(plan, host, rollout, begun)
    except (LockLost, Interrupted) as late:
        cause = late
    return _result(plan, rollout.log, ended, cause)


def _went_back(plan: Plan, host: Host, rollout: Rollout, begun: Begun) -> Ended:
    label = host.request.settings.revision_label
    try:
        serving = roll_back(plan, rollout)
    except LockLost:
        raise
    except FreshnessError as error:  # the record stays: the next run tries again
        return PromotionOutcome.STRANDED, _stranded(plan, host, begun, error)
    settle(rollout.lease)
    if not plan.changes:
        return PromotionOutcome.ROLLED_BACK, f"The promotion failed; {plan.move.tag} is as it was."
    (change,) = plan.changes
    previous, former = change.move.previous, change.former
    if serving is not None and serving.id == change.move.candidate.id != change.move.previous_id:
        reason = what_serves(change, None, label, forced=host.request.settings.force_recreate)
        return PromotionOutcome.PROMOTED, reason
    if former.is_as_it_ran:
        rollout.log.note(not_restored(former.configuration))
    again = "The promotion failed; nothing served before this first deployment, and nothing of it is left."
    if previous:
        again = f"The promotion failed; {name_revision(previous, label)} serves again{with_what(former)}."
    return PromotionOutcome.ROLLED_BACK, again


def _stranded(plan: Plan, host: Host, begun: Begun, error: FreshnessError) -> str:
    if not plan.changes:
        return f"{error} The tag may be left halfway: check what {plan.move.tag} names."
    (change,) = plan.changes
    what = "The promotion failed, and so did the way back"
    return call_for_help(what, host.engine, host.subject.words, change, begun.name, error)


def _result(plan: Plan, log: PromotionLog, ended: Ended, error: FreshnessError | Interrupted | None = None) -> Result:
    """The end with what production runs, as far as that was proven; `error` is what ended the operations."""
    (outcome, reason), move, status = ended, plan.move, None
    is_fine = outcome in {PromotionOutcome.PROMOTED, PromotionOutcome.UNCHANGED}
    if isinstance(error, Interrupted) or (outcome is PromotionOutcome.ERROR and error):
        status = error.exit_status
    if error and (status is not None or not is_fine):
        reason = f"{log.why(error)} {reason}"
    back = move.previous_id if outcome is PromotionOutcome.ROLLED_BACK else ""
    return log.result(
        outcome,
        reason,
        status,
        image=move.tag,
        image_id=move.candidate.id if is_fine else back,
        previous_image_id=move.previous_id,
    )
