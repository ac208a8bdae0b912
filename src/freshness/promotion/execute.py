"""Executes plans, host by host: jobs, records, each operation. It decides nothing; where one fails, all is undone."""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from freshness.core.configuration import not_restored
from freshness.core.promotion import NOT_SWITCHED, TAKEN_OVER, PromotionOutcome, name_revision
from freshness.engine.plan_record import write_records
from freshness.errors import FreshnessError, Interrupted, LockLost, Refused, wrap_unexpected_errors
from freshness.process.signals import ignore_interrupts, interrupts_deferred
from freshness.promotion.plan import Plan
from freshness.promotion.preflight import ownership
from freshness.promotion.request import Result, why
from freshness.promotion.rollout import do
from freshness.promotion.subject import Application
from freshness.promotion.undo import mark, may_settle, roll_back, settle
from freshness.promotion.wording import (
    call_for_help,
    is_unchanged,
    on_each,
    what_all_serve,
    what_serves_again,
)
from freshness.promotion.work import Part, Work
from freshness.report.run_log import RunLog

Ended = tuple[PromotionOutcome, str]
Parts = Sequence[Part]


def execute(plans: Sequence[Plan], works: Sequence[Work], run: RunLog) -> Result:
    """How production is left. Raises what kept the records from being written: then nothing was changed."""
    parts = [Part(plan=plan, work=work) for plan, work in zip(plans, works, strict=True)]
    if not any(plan.operations for plan in plans):
        return _result(parts, run, _succeeded(parts, run))
    jobs, started = plans[0].jobs, list[Part]()
    try:
        with wrap_unexpected_errors():
            for job in jobs:
                do(works[0], job)
            parts = [_begin(part) for part in parts]  # of a run that is killed in a job nothing is to be finished
    except (FreshnessError, Interrupted) as error:
        if not jobs or any(one.undo_to for one in run.found.get("recovered", ())):
            raise  # what an earlier run left stays recorded
        return _not_switched(parts, run, error)
    try:
        with wrap_unexpected_errors():
            for part in _started(parts, started):
                for operation in part.plan.switch:
                    do(part.work, operation)
            _end(parts)
    except LockLost as error:
        return _result(parts, run, (PromotionOutcome.ERROR, TAKEN_OVER), error)
    except (FreshnessError, Interrupted) as error:
        return _take_back(parts, started, run, error)
    settle(works)
    return _result(parts, run, _succeeded(parts, run))


def _started(parts: Parts, started: list[Part]) -> Iterator[Part]:
    for part in parts:
        started.append(part)
        yield part


def _end(parts: Parts) -> None:
    """What is done once all hosts are proven: the old ones go; the first host's jobs after the switch are the last."""
    for part in reversed(parts):
        for operation in part.plan.last:
            ignore_interrupts()  # from here none leads back
            do(part.work, operation)


def _not_switched(parts: Parts, run: RunLog, error: FreshnessError | Interrupted) -> Result:
    """A job before the switch did not end well: production runs what it ran."""
    if not isinstance(error, LockLost):
        settle([part.work for part in parts])
    outcome = PromotionOutcome.REFUSED if isinstance(error, Refused) else PromotionOutcome.ERROR
    return _result(parts, run, (outcome, NOT_SWITCHED), error)


def _begin(part: Part) -> Part:
    """With what is begun written down: on each host, and before the first write on any."""
    plan, host, leases = part.plan, part.work.host, part.work.leases
    if isinstance(host.subject, Application):
        by_lock = {one.lock: one for one in host.subject.services}
        for change in plan.changes:
            owned = ownership(host.request, by_lock[change.lock])
            owned.record(leases.by_lock[change.lock], is_as_it_ran=change.make.is_as_it_ran)
    records = plan.records
    if host.peers:
        token = leases.any.owner.token
        records = {lock: replace(one, hosts=host.peers, run=token) for lock, one in records.items()}
    return replace(part, begun=write_records([(leases.by_lock[lock], record) for lock, record in records.items()]))


def _succeeded(parts: Parts, run: RunLog) -> Ended:
    _note_mixture(parts, run)
    ends = [(part, _served(part)) for part in parts]
    outcomes = {outcome for _, (outcome, _) in ends}
    outcome = PromotionOutcome.UNCHANGED if outcomes == {PromotionOutcome.UNCHANGED} else PromotionOutcome.PROMOTED
    return outcome, on_each((part.work.host.name, reason) for part, (_, reason) in ends)


def _note_mixture(parts: Parts, run: RunLog) -> None:
    """How long two commits may have served, from the first recreation to the last."""
    moments = sorted(moment for part in parts for moment in part.work.switched)
    changes = [change for part in parts for change in part.plan.changes]
    differ = any(one.move.previous_id not in {"", one.move.candidate.id} for one in changes)
    if moments and len(changes) > 1 and (differ or len(parts) == 1):
        while_ = "while one host after the other was switched" if len(parts) > 1 else "while Compose recreated all"
        run.note(f"Two commits may have served side by side for {moments[-1] - moments[0]:.1f} s, {while_}.")


def _served(part: Part) -> Ended:
    plan, work = part.plan, part.work
    move, settings = plan.move, work.settings
    if not plan.operations:
        return PromotionOutcome.UNCHANGED, f"{move.tag} names {move.candidate.id} already; nothing was changed."
    if not plan.changes:
        named = name_revision(move.candidate, settings.source.label)
        return PromotionOutcome.PROMOTED, f"{move.tag} names {named}; nothing was recreated, as `recreate` is false."
    same = all(is_unchanged(change, work.containers.get(change.service, ())) for change in plan.changes)
    forced = settings.compose.force_recreate
    serves = what_all_serve(plan.changes, work.containers, settings.source.label, forced=forced)
    return PromotionOutcome.UNCHANGED if same else PromotionOutcome.PROMOTED, serves


def _take_back(parts: Parts, started: Parts, run: RunLog, error: FreshnessError | Interrupted) -> Result:
    """After a failed operation: what ran before runs again, proven; or a person is needed, and told what to type."""
    ended, cause = (PromotionOutcome.ERROR, TAKEN_OVER), error
    try:
        with interrupts_deferred():
            run.log.say("The promotion failed. Going back to what production ran before.")
            with wrap_unexpected_errors():
                ended = _went_back(parts, len(started), run)
    except (LockLost, Interrupted) as late:
        cause = late
    return _result(parts, run, ended, cause)


def _went_back(parts: Parts, started: int, run: RunLog) -> Ended:
    parts = mark(parts, undone=True)
    back = roll_back(parts, started)
    if back.stuck:  # the records stay: the next run tries again
        return PromotionOutcome.STRANDED, _stranded(parts, started, back.stuck)
    if may_settle(parts):
        settle([part.work for part in parts])
    if not parts[0].plan.changes:
        return PromotionOutcome.ROLLED_BACK, f"The promotion failed; {parts[0].plan.move.tag} is as it was."
    if back.went_on:
        return PromotionOutcome.PROMOTED, on_each((part.work.host.name, _served(part)[1]) for part in parts)
    for change in (change for part in parts for change in part.plan.changes):
        if change.former.is_as_it_ran and change.move.previous:
            run.note(not_restored(change.former.configuration))
    return PromotionOutcome.ROLLED_BACK, f"The promotion failed; {_again(parts)}"


def _again(parts: Parts) -> str:
    """Also of a host that was not switched: it serves what it served."""
    label = parts[0].work.settings.source.label
    return on_each((part.work.host.name, what_serves_again(part.plan.changes, label)) for part in parts)


def _stranded(parts: Parts, started: int, stuck: Sequence[tuple[Part, FreshnessError]]) -> str:
    what, failed = "The promotion failed, and so did the rollback", {part.work.engine.id for part, _ in stuck}
    if not parts[0].plan.changes:
        return on_each(
            (part.work.host.name, f"{error} The tag may be left halfway: check what {part.plan.move.tag} names.")
            for part, error in stuck
        )
    help_is = on_each((part.work.host.name, call_for_help(what, part, error)) for part, error in stuck)
    back = [part for part in parts[:started] if part.work.engine.id not in failed]
    return f"{_again(back)} {help_is}" if back else help_is


def _result(parts: Parts, run: RunLog, ended: Ended, error: FreshnessError | Interrupted | None = None) -> Result:
    """The end with what production runs, as far as that was proven; `error` is what ended the operations."""
    (outcome, reason), move, status = ended, parts[0].plan.move, None
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
        images=_proven(parts[0].plan, is_fine=is_fine, is_back=is_back),
        previous_image_id=move.previous_id,
        hosts={
            part.work.host.name: _proven(part.plan, is_fine=is_fine, is_back=is_back)
            for part in parts
            if part.work.host.name
        },
    )


def _proven(plan: Plan, *, is_fine: bool, is_back: bool) -> dict[str, str]:
    """The image that each service was proven to run at the end."""
    runs = ((one.service, one.move.candidate.id if is_fine else one.move.previous_id) for one in plan.changes)
    return {service: image for service, image in runs if image} if is_fine or is_back else {}
