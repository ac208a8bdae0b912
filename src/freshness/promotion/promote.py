"""A promotion, a rollback, or a tag that is moved alone: observe, plan, execute."""

from dataclasses import replace

from freshness.core.lock import Record
from freshness.core.promotion import PromotionOutcome
from freshness.core.recovery import Recovery
from freshness.engine.lock_liveness import why_dead
from freshness.engine.plan_record import find_waiting
from freshness.promotion.acquire import Host, acquire, reach_host
from freshness.promotion.execute import execute
from freshness.promotion.preflight import plan_for
from freshness.promotion.recovery import find_left, recover
from freshness.promotion.request import PromotionLog, Request, Result


def promote(request: Request, log: PromotionLog) -> Result:
    """How it ended. Raises what kept it from being decided, before its own first write: `log.ended` is that end."""
    host = reach_host(request, log)
    if request.dry_run:
        return foresee(host, log)
    with acquire(host, log) as lease:  # lock first
        undo_to = recover(host, lease, log)
        plan = plan_for(host, log, undo_to)
        return plan if isinstance(plan, Result) else execute(plan, host, lease, log)


def foresee(host: Host, log: PromotionLog) -> Result:
    """What `promote` would do, or why nothing; without a lock, and nothing is written anywhere."""
    held = host.lock.look()
    dead = why_dead(host.engine, held, host.lock.owner.place) if held else None
    record = find_waiting(host.engine, host.lock.name, held)
    ahead = [f"lock {host.lock.name}, so that one run at a time is at work"]
    if held:
        doing = "take over from" if dead else "wait for"
        ahead.insert(0, f"{doing} {held.owner}, who locked {host.lock.name} at {held.since}")
    undo_to = None
    if record and (dead or not held):
        left = find_left(host, record)
        ahead.append(f"recover first: what was interrupted is {left.done}\n{left}".rstrip())
        undo_to = _then(record, left.what)
    plan = plan_for(host, log, undo_to)
    if isinstance(plan, Result):
        return plan
    return log.result(PromotionOutcome.UNCHANGED, "", ahead="\n".join([*ahead, str(plan)]))


def _then(record: Record, what: Recovery) -> Record | None:
    """What production runs, once what was interrupted is finished or undone, as the plan's way back."""
    if what is Recovery.LEAVE:
        return None
    if what is Recovery.UNDO:
        return record
    return replace(record, previous=record.candidate, former=record.configuration)
