"""A promotion or a rollback of Swarm services: observe, plan, execute."""

from freshness.core.promotion import PromotionOutcome
from freshness.engine.lock_liveness import why_dead
from freshness.errors import Refused
from freshness.promotion.request import Request, Result
from freshness.report.run_log import RunLog
from freshness.swarm.execute import execute
from freshness.swarm.host import Host, acquire, reach
from freshness.swarm.preflight import look
from freshness.swarm.rollout import Work


def promote(request: Request, run: RunLog) -> Result:
    """How it ended. Raises what kept it from being decided, before its own first write: `Result.ended` is that end."""
    host = reach(request, run)
    if request.dry_run:
        return foresee(host, run)
    with acquire(host, run) as leases:  # locks first
        preflight = look(host, run)
        plan = preflight.plan()
        work = Work(host=host, leases=leases, images=preflight.images, together=plan.together, run=run)
        return execute(plan, work)


def foresee(host: Host, run: RunLog) -> Result:
    """What `promote` would do, or why nothing; without a lock, and nothing is written anywhere."""
    ahead = []
    for lock in host.locks:
        if held := lock.look():
            doing = "take over from" if why_dead(host.engine, held, lock.owner.place) else "wait for"
            ahead.append(f"{doing} {held.owner}, who locked {lock.name} at {held.since}")
    ahead.append(f"lock {' and '.join(lock.name for lock in host.locks)}, so that one run at a time is at work")
    try:
        plan = look(host, run).plan()
    except Refused as refusal:
        return Result.ended(run, refusal)
    return Result.of(run, PromotionOutcome.UNCHANGED, "", ahead="\n".join([*ahead, str(plan)]))
