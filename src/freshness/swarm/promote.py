"""A promotion or a rollback of Swarm services: recover, plan, execute."""

from freshness.core.promotion import PromotionOutcome
from freshness.core.swarm import names_of
from freshness.core.swarm_recovery import find_left
from freshness.engine.lock_liveness import why_dead
from freshness.errors import Refused
from freshness.promotion.request import Request, Result
from freshness.report.run_log import RunLog
from freshness.swarm.execute import execute
from freshness.swarm.host import Host, acquire, reach, read_services
from freshness.swarm.preflight import look
from freshness.swarm.recovery import recover
from freshness.swarm.rollout import Work


def promote(request: Request, run: RunLog) -> Result:
    """How it ended. Raises what kept it from being decided, before its own first write: `Result.ended` is that end."""
    host = reach(request, run)
    if request.dry_run:
        return foresee(host, run)
    with acquire(host, run) as leases:  # locks first
        preflight = look(host, run)
        stranded = recover(host, leases, preflight.images, run)
        leases.settle()
        if stranded:
            return stranded
        plan = preflight.plan()
        work = Work(host=host, leases=leases, images=preflight.images, together=plan.together, run=run)
        return execute(plan, work)


def foresee(host: Host, run: RunLog) -> Result:
    """What `promote` would do, or why nothing; without a lock, and nothing is written anywhere."""
    ahead, dead = list[str](), set[str]()
    for lock in host.locks:
        if held := lock.look():
            is_dead = why_dead(host.engine, held, lock.owner.place)
            dead |= lock.tokens() if is_dead else set()
            doing = "take over from" if is_dead else "wait for"
            ahead.append(f"{doing} {held.owner}, who locked {lock.name} at {held.since}")
    ahead.append(f"lock {' and '.join(lock.name for lock in host.locks)}, so that one run at a time is at work")
    left = find_left(read_services(host.engine, host.names).values(), frozenset(dead))
    if first := (*left.written, *left.unsettled):
        ahead.append(f"recover first: finish or undo what is under way with {names_of(first)}; then plan anew")
        return Result.of(run, PromotionOutcome.UNCHANGED, "", ahead="\n".join(ahead))
    try:
        plan = look(host, run).plan()
    except Refused as refusal:
        return Result.ended(run, refusal)
    return Result.of(run, PromotionOutcome.UNCHANGED, "", ahead="\n".join([*ahead, str(plan)]))
