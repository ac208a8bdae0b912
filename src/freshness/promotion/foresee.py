"""A dry run: what a promotion would do, or why nothing; without a lock, and nothing is written anywhere."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from freshness.core.lock import Record
from freshness.core.promotion import PromotionOutcome
from freshness.core.recovery import Recovery
from freshness.engine.lock_liveness import why_dead
from freshness.engine.plan_record import find_waiting
from freshness.promotion.host import Host, Hosts, require_all
from freshness.promotion.interrupted import find_left, groups_of
from freshness.promotion.left import Left
from freshness.promotion.plan import Plan
from freshness.promotion.preflight import plan_for
from freshness.promotion.recovery import ByHost
from freshness.promotion.registry_follow import foresee_in_registry, is_behind
from freshness.promotion.request import Result
from freshness.promotion.sources import foresee_sources
from freshness.report.run_log import RunLog


def foresee(hosts: Hosts, run: RunLog) -> Result:
    """The same refusals as `promote`, and in words what is to come."""
    ahead, waiting = list[str](), list[tuple[Host, Mapping[str, Record]]]()
    for host in hosts.reached:
        lines, records = _foresee_locks(host)
        ahead += [f"on {host.name}: {line}" if host.name else line for line in lines]
        waiting.append((host, records))
    recovery, undo_to = _foresee_recovery(waiting, hosts)
    ahead += recovery
    require_all(hosts.lost)
    if is_behind(hosts.reached[0], run):
        return _told(run, [*ahead, "let the registry's tag follow an earlier rollback that was cut, and go no further"])
    there, missing = foresee_sources(hosts.reached, run)
    request = hosts.reached[0].request
    if missing:
        later = "what then would happen can be foreseen once it is here"
        return _told(run, [*ahead, *missing, later, *foresee_in_registry(there[0], request, None)])
    plans = plan_for(there, run, undo_to)
    if isinstance(plans, Result):
        return plans
    return _told(run, [*ahead, *_in_words(there, plans), *foresee_in_registry(there[0], request, plans[0])])


def _told(run: RunLog, lines: Sequence[str]) -> Result:
    return Result.of(run, PromotionOutcome.UNCHANGED, "", ahead="\n".join(lines))


def _in_words(hosts: Sequence[Host], plans: Sequence[Plan]) -> Iterator[str]:
    """One host after the other, as they are switched; what is last on each comes when all of them are proven."""
    for host, plan in zip(hosts, plans, strict=True):
        yield f"on {host.name}:\n{plan}" if host.name else str(plan)
    if len(plans) > 1:
        yield "what cannot be taken back is done once all hosts are proven; where one fails, all of them are undone"


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


def _foresee_recovery(waiting: Sequence[tuple[Host, Mapping[str, Record]]], hosts: Hosts) -> tuple[list[str], ByHost]:
    """What is said of it, and what production would be brought back to then."""
    ahead, undo_to = list[str](), ByHost()
    for group in groups_of(waiting, hosts.lost):
        for (host, records), left in zip(group, find_left(group), strict=True):
            on = f" on {host.name}" if host.name else ""
            ahead.append(f"recover first: what was interrupted{on} is {left.done}\n{left}".rstrip())
            then = {lock: found for lock, record in records.items() if (found := _then(record, left))}
            undo_to.setdefault(host.engine.id, {}).update(then)
    return ahead, undo_to


def _then(record: Record, left: Left) -> Record | None:
    """What production runs, once what was interrupted is finished or undone, as the plan's way back."""
    if left.what is Recovery.LEAVE:
        return None
    if left.what is Recovery.UNDO and not left.despite:
        return record
    return replace(record, previous=record.candidate, former=record.configuration)
