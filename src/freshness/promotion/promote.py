"""A promotion, a rollback, or a tag that is moved alone: observe, plan, execute."""

from dataclasses import replace

from freshness.core.lock import Record
from freshness.core.promotion import PromotionOutcome
from freshness.core.recovery import Recovery
from freshness.engine.lock_liveness import why_dead
from freshness.engine.plan_record import find_waiting
from freshness.promotion.acquire import Host, acquire, reach_host
from freshness.promotion.carry import carry, foresee_carried
from freshness.promotion.execute import execute
from freshness.promotion.fetch import fetch_sources, foresee_sources
from freshness.promotion.preflight import plan_for
from freshness.promotion.recovery import find_left, groups_of, recover
from freshness.promotion.registry_tag import follow_in_registry, promote_in_registry, require_references
from freshness.promotion.request import Request, Result
from freshness.report.run_log import RunLog


def promote(request: Request, run: RunLog) -> Result:
    """How it ended. Raises what kept it from being decided, before its own first write: `Result.ended` is that end."""
    require_references(request)
    if request.settings.registry.tag and not request.settings.recreate and request.settings.image is None:
        return promote_in_registry(request, run)
    host = reach_host(request, run)
    if request.dry_run:
        return foresee(host, run)
    with acquire(host, run) as leases:  # locks first
        undo_to = recover(host, leases, run)
        host = carry(fetch_sources(host, leases, run), leases, run)
        plan = plan_for(host, run, undo_to)
        result = plan if isinstance(plan, Result) else execute(plan, host, leases, run)
        return follow_in_registry(result, request, leases.any, run)


def foresee(host: Host, run: RunLog) -> Result:
    """What `promote` would do, or why nothing; without a lock, and nothing is written anywhere."""
    ahead, waiting = _foresee_locks(host)
    undo_to: dict[str, Record] = {}
    for records in groups_of(host, waiting):
        left = find_left(host, records)
        ahead.append(f"recover first: what was interrupted is {left.done}\n{left}".rstrip())
        undo_to |= {lock: then for lock, record in records.items() if (then := _then(record, left.what))}
    host, pulled = foresee_sources(host)
    missing = (*pulled, *foresee_carried(host))
    tag = host.request.settings.registry.tag
    after = [f"then move the tag {tag} in the registry"] if tag and not host.request.is_rollback else []
    if missing:
        later = "what then would happen can be foreseen once it is here"
        return Result.of(run, PromotionOutcome.UNCHANGED, "", ahead="\n".join([*ahead, *missing, later, *after]))
    plan = plan_for(host, run, undo_to)
    if isinstance(plan, Result):
        return plan
    return Result.of(run, PromotionOutcome.UNCHANGED, "", ahead="\n".join([*ahead, str(plan), *after]))


def _foresee_locks(host: Host) -> tuple[list[str], dict[str, Record]]:
    """What is said of the locks, and the records that would be recovered first."""
    ahead, waiting = list[str](), dict[str, Record]()
    for lock in host.locks:
        held = lock.look()
        dead = why_dead(host.engine, held, lock.owner.place) if held else None
        if held:
            doing = "take over from" if dead else "wait for"
            ahead.append(f"{doing} {held.owner}, who locked {lock.name} at {held.since}")
        record = find_waiting(host.engine, lock.name, held)
        if record and (dead or not held):
            waiting[lock.name] = record
    names = " and ".join(lock.name for lock in host.locks)
    return [*ahead, f"lock {names}, so that one run at a time is at work"], waiting


def _then(record: Record, what: Recovery) -> Record | None:
    """What production runs, once what was interrupted is finished or undone, for the plan to roll back to."""
    if what is Recovery.LEAVE:
        return None
    if what is Recovery.UNDO:
        return record
    return replace(record, previous=record.candidate, former=record.configuration)
