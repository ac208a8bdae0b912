"""Executes plans, host by host: jobs, records, each operation. It decides nothing; where one fails, all is undone."""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from freshness.core.configuration import not_restored
from freshness.core.promotion import NOT_SWITCHED, TAKEN_OVER, PromotionOutcome, name_revision
from freshness.engine.plan_record import write_records
from freshness.errors import FreshnessError, Interrupted, LockLost, Refused, wrap_unexpected_errors
from freshness.process.signals import ignore_interrupts, interrupts_deferred
from freshness.promotion.ended import Ended, as_before, in_words, result_of, with_candidates
from freshness.promotion.plan import Plan
from freshness.promotion.preflight import ownership
from freshness.promotion.request import Result
from freshness.promotion.rollout import do
from freshness.promotion.subject import Application
from freshness.promotion.undo import WentBack, mark, may_settle, roll_back, settle
from freshness.promotion.wording import (
    call_for_help,
    is_unchanged,
    on_each,
    what_all_serve,
)
from freshness.promotion.work import Part, Work
from freshness.report.run_log import RunLog

Parts = Sequence[Part]
_TAKEN_OVER = Ended(outcome=PromotionOutcome.ERROR, reason=TAKEN_OVER)


def execute(plans: Sequence[Plan], works: Sequence[Work], run: RunLog) -> Result:
    """How production is left. Raises what kept the records from being written: then nothing was changed."""
    parts = [Part(plan=plan, work=work) for plan, work in zip(plans, works, strict=True)]
    if not any(plan.operations for plan in plans):
        return result_of(parts, run, _succeeded(parts, run))
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
        return result_of(parts, run, _TAKEN_OVER, error)
    except (FreshnessError, Interrupted) as error:
        return _take_back(parts, started, run, error)
    settle(works)
    return result_of(parts, run, _succeeded(parts, run))


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
    return result_of(parts, run, Ended(outcome=outcome, reason=NOT_SWITCHED), error)


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
    is_same = {outcome for _, (outcome, _) in ends} == {PromotionOutcome.UNCHANGED}
    return Ended(
        outcome=PromotionOutcome.UNCHANGED if is_same else PromotionOutcome.PROMOTED,
        reason=on_each((part.work.host.name, reason) for part, (_, reason) in ends),
        runs=with_candidates(parts),
    )


def _note_mixture(parts: Parts, run: RunLog) -> None:
    """How long two commits may have served, from the first recreation to the last."""
    moments = sorted(moment for part in parts for moment in part.work.switched)
    changes = [change for part in parts for change in part.plan.changes]
    differ = any(one.move.previous_id not in {"", one.move.candidate.id} for one in changes)
    if moments and len(changes) > 1 and (differ or len(parts) == 1):
        while_ = "while one host after the other was switched" if len(parts) > 1 else "while Compose recreated all"
        run.note(f"Two commits may have served side by side for {moments[-1] - moments[0]:.1f} s, {while_}.")


def _served(part: Part) -> tuple[PromotionOutcome, str]:
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
    ended, cause = _TAKEN_OVER, error
    try:
        with interrupts_deferred():
            run.log.say("The promotion failed. Going back to what production ran before.")
            with wrap_unexpected_errors():
                ended = _went_back(parts, len(started), run)
    except (LockLost, Interrupted) as late:
        cause = late
    return result_of(parts, run, ended, cause)


def _went_back(parts: Parts, started: int, run: RunLog) -> Ended:
    parts = mark(parts, undone=True)
    back = roll_back(parts, started)
    if back.stuck:  # the records stay: the next run tries again
        return _stranded(parts, started, back)
    if may_settle(parts):
        settle([part.work for part in parts])
    runs = with_candidates(parts) if back.went_on else as_before(parts, started)
    if not parts[0].plan.changes:
        reason = f"The promotion failed; {parts[0].plan.move.tag} is as it was."
        return Ended(outcome=PromotionOutcome.ROLLED_BACK, reason=reason, runs=runs)
    said = _each(parts, started, back)
    if back.went_on:
        return Ended(outcome=PromotionOutcome.PROMOTED, reason=said, runs=runs)
    for change in (change for part in parts for change in part.plan.changes):
        if change.former.is_as_it_ran and change.move.previous:
            run.note(not_restored(change.former.configuration))
    return Ended(outcome=PromotionOutcome.ROLLED_BACK, reason=f"The promotion failed; {said}", runs=runs)


def _each(parts: Parts, started: int, back: WentBack) -> str:
    """What each host runs that is not stuck, in words."""
    stuck = {part.work.engine.id for part, _ in back.stuck}
    return on_each(
        (part.work.host.name, _served(part)[1] if back.went_on else in_words(part, is_started=number < started))
        for number, part in enumerate(parts)
        if part.work.engine.id not in stuck
    )


def _stranded(parts: Parts, started: int, back: WentBack) -> Ended:
    what = "The promotion failed, and so did the rollback"
    runs = with_candidates(parts) if back.went_on else as_before(parts, started)
    known = runs | {part.work.engine.id: {} for part, _ in back.stuck}
    if not parts[0].plan.changes:
        tag = parts[0].plan.move.tag
        said = [(part, f"{error} The tag may be left halfway: check what {tag} names.") for part, error in back.stuck]
    else:
        said = [(part, call_for_help(what, part, error)) for part, error in back.stuck]
    reason = on_each((part.work.host.name, text) for part, text in said)
    if parts[0].plan.changes and len(back.stuck) < len(parts):
        reason = f"{_each(parts, started, back)} {reason}"
    return Ended(outcome=PromotionOutcome.STRANDED, reason=reason, runs=known)
