"""Executes a plan: jobs, the record, each operation. It decides nothing; where one fails, it walks the undo."""

from collections.abc import Mapping
from contextlib import suppress

from freshness.core.configuration import not_restored
from freshness.core.lock import Begun
from freshness.core.promotion import PromotionOutcome, name_revision
from freshness.engine.client import wait_until_reachable
from freshness.engine.containers import Container
from freshness.engine.images import find_image
from freshness.engine.plan_record import remove_records, write_records
from freshness.engine.probe_address import find_prober
from freshness.errors import FreshnessError, Interrupted, LockLost, Refused
from freshness.process.signals import ignore_interrupts, interrupts_deferred
from freshness.promotion.acquire import Host
from freshness.promotion.leases import Leases
from freshness.promotion.plan import Plan, finish_plan
from freshness.promotion.preflight import ownership
from freshness.promotion.request import Result, why
from freshness.promotion.rollout import do
from freshness.promotion.subject import Application
from freshness.promotion.wording import call_for_help, is_unchanged, what_all_serve, what_serves_again
from freshness.promotion.work import Work
from freshness.report.run_log import RunLog
from freshness.report.steps import wrap_unexpected_errors

TAKEN_OVER = "What was begun is finished or undone by the run that took over; this one may write nothing any more."
NOT_SWITCHED = "No service was switched: production runs what it ran. What the job did is not taken back."
Ended = tuple[PromotionOutcome, str]


def execute(plan: Plan, host: Host, leases: Leases, run: RunLog) -> Result:
    """How production is left. Raises what kept the record from being written: then nothing was changed."""
    work = new_work(host, leases, run)
    if not plan.operations:
        return _result(plan, run, _succeeded(plan, host, work))
    jobs = plan.jobs
    try:
        with wrap_unexpected_errors():
            for job in jobs:
                do(work, job)
            begun = _begin(plan, host, leases)  # of a run that is killed in a job nothing is to be finished
    except (FreshnessError, Interrupted) as error:
        if not jobs:
            raise
        return _not_switched(plan, work, error)
    try:
        with wrap_unexpected_errors():
            for operation in plan.operations[len(jobs) :]:
                if operation.is_final:
                    ignore_interrupts()  # the old one goes: from here none leads back
                do(work, operation)
    except LockLost as error:
        return _result(plan, run, (PromotionOutcome.ERROR, TAKEN_OVER), error)
    except (FreshnessError, Interrupted) as error:
        return _take_back(plan, host, work, begun, error)
    settle(leases)
    return _result(plan, run, _succeeded(plan, host, work))


def _not_switched(plan: Plan, work: Work, error: FreshnessError | Interrupted) -> Result:
    """A job before the switch did not end well: production runs what it ran."""
    if not isinstance(error, LockLost):
        settle(work.leases)
    outcome = PromotionOutcome.REFUSED if isinstance(error, Refused) else PromotionOutcome.ERROR
    return _result(plan, work.run, (outcome, NOT_SWITCHED), error)


def new_work(host: Host, leases: Leases, run: RunLog) -> Work:
    """What does operations under these leases."""
    prober = find_prober(host.engine, host.request.env)
    return Work(leases=leases, settings=host.request.settings, prober=prober, run=run)


def roll_back(plan: Plan, work: Work) -> bool:
    """Walks the undo. Returns whether the candidates serve then all the same.

    They do where an image from before is gone from this Engine: a prune takes it in the moment in which no container
    runs it, and then forward is the only way to serve proven images of one commit.
    """
    engine = work.engine
    wait_until_reachable(engine, "going back")
    gone = [
        change for change in plan.changes if change.move.previous and not find_image(engine, change.move.previous_id)
    ]
    operations = plan.undo
    if gone:
        names = " and ".join(dict.fromkeys(change.move.previous_id for change in gone))
        work.run.note(f"The image that ran before, {names}, is gone from this Engine.")
        retained = {image for change in plan.changes for image in change.move.retained_then}
        there = {image for image in retained if find_image(engine, image)}
        operations = finish_plan(plan.changes, work.settings, there, despite=True).operations
    for operation in operations:
        do(work, operation)
    return bool(gone)


def settle(leases: Leases) -> None:
    """Nothing is left to finish or undo. Where that cannot be written, the next run finds nothing to do."""
    with suppress(FreshnessError):
        remove_records(leases)


def _begin(plan: Plan, host: Host, leases: Leases) -> dict[str, Begun]:
    if isinstance(host.subject, Application):
        by_lock = {one.lock: one for one in host.subject.services}
        for change in plan.changes:
            owned = ownership(host.request, by_lock[change.lock])
            owned.record(leases.by_lock[change.lock], is_as_it_ran=change.make.is_as_it_ran)
    return write_records([(leases.by_lock[lock], record) for lock, record in plan.records.items()])


def _succeeded(plan: Plan, host: Host, work: Work) -> Ended:
    settings, move = host.request.settings, plan.move
    if not plan.operations:
        return PromotionOutcome.UNCHANGED, f"{move.tag} names {move.candidate.id} already; nothing was changed."
    if not plan.changes:
        named = name_revision(move.candidate, settings.source.label)
        return PromotionOutcome.PROMOTED, f"{move.tag} names {named}; nothing was recreated, as `recreate` is false."
    if len(plan.changes) > 1 and work.switched:
        seconds = work.switched[-1] - work.switched[0]
        work.run.note(f"Two commits may have served side by side for {seconds:.1f} s, while Compose recreated all.")
    same = all(is_unchanged(change, work.containers.get(change.service, ())) for change in plan.changes)
    return PromotionOutcome.UNCHANGED if same else PromotionOutcome.PROMOTED, _serves(plan, host, work.containers)


def _serves(plan: Plan, host: Host, containers: Mapping[str, tuple[Container, ...]]) -> str:
    settings = host.request.settings
    return what_all_serve(plan.changes, containers, settings.source.label, forced=settings.compose.force_recreate)


def _take_back(
    plan: Plan, host: Host, work: Work, begun: Mapping[str, Begun], error: FreshnessError | Interrupted
) -> Result:
    """After a failed operation: what ran before runs again, proven; or a person is needed, and told what to type."""
    ended, cause = (PromotionOutcome.ERROR, TAKEN_OVER), error
    try:
        with interrupts_deferred():
            work.run.log.say("The promotion failed. Going back to what production ran before.")
            with wrap_unexpected_errors():
                ended = _went_back(plan, host, work, begun)
    except (LockLost, Interrupted) as late:
        cause = late
    return _result(plan, work.run, ended, cause)


def _went_back(plan: Plan, host: Host, work: Work, begun: Mapping[str, Begun]) -> Ended:
    try:
        went_on = roll_back(plan, work)
    except LockLost:
        raise
    except FreshnessError as error:  # the record stays: the next run tries again
        return PromotionOutcome.STRANDED, _stranded(plan, host, begun, error)
    settle(work.leases)
    if not plan.changes:
        return PromotionOutcome.ROLLED_BACK, f"The promotion failed; {plan.move.tag} is as it was."
    if went_on:
        return PromotionOutcome.PROMOTED, _serves(plan, host, {})
    for change in plan.changes:
        if change.former.is_as_it_ran and change.move.previous:
            work.run.note(not_restored(change.former.configuration))
    again = what_serves_again(plan.changes, host.request.settings.source.label)
    return PromotionOutcome.ROLLED_BACK, f"The promotion failed; {again}"


def _stranded(plan: Plan, host: Host, begun: Mapping[str, Begun], error: FreshnessError) -> str:
    if not plan.changes:
        return f"{error} The tag may be left halfway: check what {plan.move.tag} names."
    what = "The promotion failed, and so did the rollback"
    return call_for_help(what, host.engine, host.subject.words, plan.changes, begun, error)


def _result(plan: Plan, run: RunLog, ended: Ended, error: FreshnessError | Interrupted | None = None) -> Result:
    """The end with what production runs, as far as that was proven; `error` is what ended the operations."""
    (outcome, reason), move, status = ended, plan.move, None
    is_fine = outcome in {PromotionOutcome.PROMOTED, PromotionOutcome.UNCHANGED}
    if isinstance(error, Interrupted) or (outcome is PromotionOutcome.ERROR and error):
        status = error.exit_status
    if error and (status is not None or not is_fine):
        reason = f"{why(run, error)} {reason}"
    is_back = outcome is PromotionOutcome.ROLLED_BACK
    return Result.of(
        run,
        outcome,
        reason,
        status,
        image=move.tag,
        image_id=move.candidate.id if is_fine else move.previous_id if is_back else "",
        images=_proven(plan, is_fine=is_fine, is_back=is_back),
        previous_image_id=move.previous_id,
    )


def _proven(plan: Plan, *, is_fine: bool, is_back: bool) -> dict[str, str]:
    """The image that each service was proven to run at the end."""
    runs = ((one.service, one.move.candidate.id if is_fine else one.move.previous_id) for one in plan.changes)
    return {service: image for service, image in runs if image} if is_fine or is_back else {}
