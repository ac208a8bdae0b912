"""What an interrupted promotion left half done is finished or undone, before anything else happens to production."""

from collections.abc import Mapping, Sequence

from freshness.core.lock import Record
from freshness.core.recovery import Recovery
from freshness.engine.plan_record import find_all_begun, remove_records
from freshness.errors import FreshnessError, LockLost
from freshness.process.signals import interrupts_deferred
from freshness.promotion.host import require_all
from freshness.promotion.interrupted import find_left, groups_of, is_whole
from freshness.promotion.left import Left, say_finished, say_undone
from freshness.promotion.request import Recovered
from freshness.promotion.rollout import do
from freshness.promotion.undo import mark, roll_back
from freshness.promotion.wording import call_for_help, on_each, where_each
from freshness.promotion.work import Part, Work
from freshness.report.run_log import RunLog

ByHost = dict[str, dict[str, Record]]
"""Records by the Engine's ID, and by their locks."""


def recover(works: Sequence[Work], lost: Mapping[str, FreshnessError], run: RunLog) -> ByHost:
    """Finishes or undoes what was begun, on all hosts alike. Returns the records where neither could be done.

    This run's own plan then rolls back to what last served. Raises LockLost, Refused where what was begun is also
    about what this run does not hold, and what kept it from being decided. While a host is `lost` it brings the others
    to one state, keeps the records of what that host may have part in, and raises EngineError.
    """
    by_id = {work.engine.id: work for work in works}
    begun = {work.engine.id: find_all_begun(work.engine, work.leases.by_lock) for work in works}
    undo_to: ByHost = {}
    parts = [(one.host, {lock: each.record for lock, each in begun[one.engine.id].items()}) for one in works]
    for group in groups_of(parts, lost):
        with interrupts_deferred():
            run.log.say("A promotion was interrupted; first it is finished or undone.")
            left, moments = find_left(group), list[str]()
            ours = [
                Part(
                    plan=one.plan,
                    work=by_id[host.engine.id].unheard(moments),
                    begun={lock: begun[host.engine.id][lock] for lock in records},
                )
                for (host, records), one in zip(group, left, strict=True)
            ]
            recovered = _recover(ours, left, run)
            run.found["recovered"] = (*run.found.get("recovered", ()), recovered)
            if not recovered.undo_to and is_whole(group):
                for part in ours:
                    remove_records(part.work.leases.among(part.begun))
        for engine, records in recovered.undo_to.items():
            undo_to.setdefault(engine, {}).update(records)
    require_all(lost)
    return undo_to


def _recover(parts: Sequence[Part], left: Sequence[Left], run: RunLog) -> Recovered:
    kind = "promotion" if any(part.plan.changes for part in parts) else "retag"
    stuck, done = _do(parts, left)
    if not stuck:
        run.warn(f"An interrupted {kind}", f"An interrupted {kind} was {done}.")
        return Recovered(done=f"An interrupted {kind} was {done}. Nothing else was changed.")
    first = stuck[0][1]
    if kind == "retag":
        raise first
    what = "A promotion was interrupted and could not be undone"
    why = f"{what}: {first.args[0].rstrip('.')}. What last served is what this run rolls back to."
    run.warn("An interrupted promotion", why)
    return Recovered(
        done=on_each((part.work.host.name, call_for_help(what, part, error)) for part, error in stuck),
        undo_to={
            part.work.engine.id: {lock: one.record for lock, one in part.begun.items()} for part in _ours(parts, left)
        },
    )


def _do(parts: Sequence[Part], left: Sequence[Left]) -> tuple[Sequence[tuple[Part, FreshnessError]], str]:
    """Where it could not be done, and why; or what was done, in words."""
    finishes, failed = any(one.what is Recovery.FINISH for one in left), list[tuple[Part, FreshnessError]]()
    if any(one.what is Recovery.UNDO for one in left):
        parts = mark(parts, undone=not any(one.despite for one in left))
    for part, one in zip(parts, left, strict=True):
        try:
            for operation in one.operations:
                do(part.work, operation)
        except LockLost:
            raise
        except FreshnessError as error:
            failed.append((part, error))
            if finishes:
                break
    names = [part.work.host.name for part in parts]
    if not failed:
        return (), where_each(zip(names, (one.done for one in left), strict=True))
    if not finishes or not any(part.plan.changes for part in parts):
        return failed, ""
    ours = mark(_ours(parts, left), undone=True)
    back = roll_back(ours, len(ours))
    say = say_finished if back.went_on else say_undone
    changes = [change for part in ours for change in part.plan.changes]
    candidates = " and ".join(dict.fromkeys(change.move.candidate.id for change in changes))
    said = where_each((part.work.host.name, say(part.plan)) for part in ours)
    return back.stuck, f"{said}, since {candidates} failed ({failed[0][1].args[0]})"


def _ours(parts: Sequence[Part], left: Sequence[Left]) -> list[Part]:
    """All but the hosts that somebody changed since, which are left alone."""
    return [part for part, one in zip(parts, left, strict=True) if one.what is not Recovery.LEAVE]
