"""Executes a plan of Swarm services: each in its order; where one fails, all are taken back."""

from freshness.core.promotion import NOT_SWITCHED, TAKEN_OVER, PromotionOutcome, name_revision
from freshness.core.swarm import identity, is_tag
from freshness.errors import FreshnessError, Interrupted, LockLost, Refused, wrap_unexpected_errors
from freshness.process.signals import ignore_interrupts, interrupts_deferred
from freshness.promotion.request import Result, why
from freshness.report.run_log import RunLog
from freshness.swarm.jobs import run_job, run_later_job
from freshness.swarm.plan import Change, Plan
from freshness.swarm.rollout import Work, go_back, roll_out, verify

Ended = tuple[PromotionOutcome, str]


def execute(plan: Plan, work: Work) -> Result:
    """How the services are left. Raises what ended it before the first write."""
    try:
        with wrap_unexpected_errors():
            for job in plan.jobs:
                run_job(work, job)
            for change in plan.changes:
                (verify if change.is_same else roll_out)(work, change)
            for change in plan.changes[:-1] if work.begun else ():
                verify(work, change)  # the first may have failed while the last was updated
            ignore_interrupts()  # all is proven: what is left is to say so
            work.leases.let_go()
    except LockLost as error:
        return _result(plan, work.run, (PromotionOutcome.ERROR, TAKEN_OVER), error)
    except (FreshnessError, Interrupted) as error:
        if not work.begun and not plan.jobs:
            raise
        if not work.begun:
            outcome = PromotionOutcome.REFUSED if isinstance(error, Refused) else PromotionOutcome.ERROR
            return _result(plan, work.run, (outcome, NOT_SWITCHED), error)
        return _take_back(plan, work, error)
    for job in plan.later_jobs:
        run_later_job(work, job)
    outcome = PromotionOutcome.PROMOTED if plan.together else PromotionOutcome.UNCHANGED
    return _result(plan, work.run, (outcome, _serves(plan, work)))


def _take_back(plan: Plan, work: Work, error: FreshnessError | Interrupted) -> Result:
    """After a failure: what ran before runs again, proven; or a person is needed."""
    ended, cause = (PromotionOutcome.ERROR, TAKEN_OVER), error
    try:
        with interrupts_deferred():
            work.run.log.say("The promotion failed. Going back to what the swarm ran before.")
            with wrap_unexpected_errors():
                ended = go_all_back(work)
                work.leases.let_go()
    except (LockLost, Interrupted) as late:
        cause = late
    return _result(plan, work.run, ended, cause)


def go_all_back(work: Work) -> Ended:
    """Each that was begun, the last one first; one that fails keeps none of the others. Raises LockLost."""
    failed = list[tuple[Change, FreshnessError]]()
    for change in reversed(work.begun):
        try:
            go_back(work, change)
        except LockLost:
            raise
        except FreshnessError as error:
            failed.append((change, error))
    if failed:
        return PromotionOutcome.STRANDED, _stranded(failed)
    again = "; ".join(f"{one.service.name}: {name_revision(one.running, one.label)} serves again" for one in work.begun)
    tags = " and ".join(sorted({one.service.image for one in work.begun if is_tag(one.service.image)}))
    unproven = f" Not proven: which image {tags} is by now, since a tag may be moved." if tags else ""
    return PromotionOutcome.ROLLED_BACK, f"The promotion failed; {again}.{unproven}{_unknown(work)}"


def _stranded(failed: list[tuple[Change, FreshnessError]]) -> str:
    why = " ".join(f"{error.args[0].rstrip('.')}." for _, error in failed)
    commands = " && ".join(
        f"docker service update --detach --with-registry-auth --image {one.service.image} {one.service.name}"
        for one, _ in failed
    )
    return f"The promotion failed, and so did the rollback: {why} A person is needed; on a manager type: {commands}"


def _serves(plan: Plan, work: Work) -> str:
    said = []
    for one in plan.changes:
        runs = f"{one.service.name} runs {name_revision(one.candidate, one.label)} in {one.service.replicas} tasks"
        before = name_revision(one.running, one.label)
        said.append(f"{runs} already; nothing was written." if one.is_same else f"{runs}; it ran {before} before.")
    return f"{' '.join(said)}{_unknown(work)}"


def _unknown(work: Work) -> str:
    """What another image may still run: where it is told to stop, and on a node that nobody hears of."""
    stopping = " and ".join(sorted({node for nodes in work.stopping.values() for node in nodes}))
    said = (
        f" Tasks of another image still stop on {stopping}, as long as `stop-grace-period` lets them."
        if stopping
        else ""
    )
    silent = " and ".join(sorted(work.silent))
    return f"{said} Not proven: what still runs on {silent}, of which the managers hear nothing." if silent else said


def _result(plan: Plan, run: RunLog, ended: Ended, error: FreshnessError | Interrupted | None = None) -> Result:
    (outcome, reason), first, status = ended, plan.changes[0], None
    is_fine = outcome in {PromotionOutcome.PROMOTED, PromotionOutcome.UNCHANGED}
    is_back = outcome is PromotionOutcome.ROLLED_BACK
    if isinstance(error, Interrupted) or (outcome is PromotionOutcome.ERROR and error):
        status = error.exit_status
    if error:
        reason = f"{why(run, error)} {reason}"
    runs = {one.service.name: one.image if is_fine else one.service.image for one in plan.changes}
    proven = runs if is_fine or is_back else {}
    return Result.of(
        run,
        outcome,
        reason,
        status,
        image=first.image,
        image_id=identity(proven.get(first.service.name, "")),
        images=proven,
        previous_image_id=identity(first.service.image),
    )
