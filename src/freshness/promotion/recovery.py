"""What an interrupted promotion left half done is finished or undone, before anything else happens to production."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from freshness.core.lock import Begun, Record, service_of
from freshness.core.recovery import Recovery, decide_recovery, decide_together
from freshness.engine.client import Engine
from freshness.engine.containers import Container, service_containers
from freshness.engine.deployments import read_deployment
from freshness.engine.images import find_image, find_tagged
from freshness.engine.plan_record import find_all_begun, remove_records
from freshness.errors import FreshnessError, LockLost, Refused
from freshness.process.signals import interrupts_deferred
from freshness.promotion.acquire import Host
from freshness.promotion.change import Change
from freshness.promotion.execute import new_work, roll_back
from freshness.promotion.leases import Leases
from freshness.promotion.observe import change_of, move_of
from freshness.promotion.operations import Operation, Tag
from freshness.promotion.plan import Plan, finish_plan, in_words, retag_plan, rollout_plan
from freshness.promotion.preflight import ownership
from freshness.promotion.request import Recovered
from freshness.promotion.rollout import do
from freshness.promotion.subject import Application, TagAlone
from freshness.promotion.wording import call_for_help
from freshness.report.run_log import RunLog
from freshness.report.steps import Steps
from freshness.settings.model import PromoteSettings

Records = Mapping[str, Record]


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What an interrupted run left: its `plan`, found anew, and `operations` that finish or undo it.

    `done` says in words what becomes of it by them.
    """

    plan: Plan
    what: Recovery
    operations: tuple[Operation, ...]
    done: str

    def __str__(self) -> str:
        return in_words(self.operations)


def recover(host: Host, leases: Leases, run: RunLog) -> Records:
    """Finishes or undoes what was begun. Returns the records, by their locks, where neither could be done.

    This run's own plan then rolls back to what last served. Raises LockLost, Refused where what was begun is also about
    services that this run does not hold, and what kept it from being decided.
    """
    begun = find_all_begun(host.engine, leases.by_lock)
    undo_to: dict[str, Record] = {}
    for records in groups_of(host, {lock: one.record for lock, one in begun.items()}):
        ours = {lock: begun[lock] for lock in records}
        with interrupts_deferred():
            run.log.say("A promotion was interrupted; first it is finished or undone.")
            recovered = _recover(host, leases, ours, replace(run, steps=Steps()))
            run.found["recovered"] = (*run.found.get("recovered", ()), recovered)
            if not recovered.undo_to:
                remove_records(leases.among(ours))
        undo_to |= recovered.undo_to
    return undo_to


def groups_of(host: Host, records: Records) -> list[dict[str, Record]]:
    """The records that belong to one promotion each. Raises Refused where one is about more than this run holds."""
    held, groups = {lock.name for lock in host.locks}, dict[tuple[str, ...], dict[str, Record]]()
    for lock, record in records.items():
        outside = [other for other in record.together if other not in held]
        if outside:
            names = [service_of(other) for other in record.together]
            volumes = " ".join(one.name for one in find_all_begun(host.engine, record.together).values())
            raise Refused(
                f"a promotion of {', '.join(names)} was interrupted, and this run is about {service_of(lock)} without"
                f" {' and '.join(map(service_of, outside))}.",
                f"Run it again for all of them, which finishes or undoes it: `service: {' '.join(names)}`. Where they"
                f" are no application any more, forget what was begun: `docker volume rm {volumes}`.",
            )
        groups.setdefault(record.together or (lock,), {})[lock] = record
    return list(groups.values())


def find_left(host: Host, records: Records) -> Left:
    """Looks at what one promotion left, and decides what becomes of it. Raises EngineError, Stale."""
    if isinstance(host.subject, TagAlone):
        (record,) = records.values()
        return _left_of_tag(host, host.subject, record)
    return _left_of_services(host, host.subject, records)


def _left_of_tag(host: Host, subject: TagAlone, record: Record) -> Left:
    move, tag = move_of(host.engine, record, subject.tag, subject.retained_tags), subject.tag
    plan, named = retag_plan(move, host.request.settings.keep_images), find_tagged(host.engine, tag)
    if named and named.id == record.candidate:
        done = f"finished: {tag} names {record.candidate}"
        return Left(plan=plan, what=Recovery.FINISH, operations=plan.operations, done=done)
    if (named.id if named else "") != record.tagged:
        done = f"left alone: {tag} names neither image, so somebody moved it meanwhile"
        return Left(plan=plan, what=Recovery.LEAVE, operations=(), done=done)
    done = f"undone: {tag} names {record.previous or 'nothing'}"
    return Left(plan=plan, what=Recovery.UNDO, operations=plan.undo, done=done)


def _left_of_services(host: Host, application: Application, records: Records) -> Left:
    engine, found = host.engine, list[LeftService]()
    for today in application.services:
        record = records.get(today.lock)
        if record is None:
            continue
        ownership(host.request, today).require_role(engine)
        containers = service_containers(engine, today.target.project, today.service)
        running = {container.image_id for container in containers if container.is_up}
        change = _with_former(engine, change_of(engine, record, today), record, containers)
        named = find_tagged(engine, record.tag) if record.tag != change.move.tag else None
        is_moved = named is not None and named.id == record.candidate
        what = decide_recovery(record, running)
        found.append(LeftService(change=change, record=record, what=what, is_moved=is_moved))
    images = {image for one in found for image in one.images}
    return left_of(found, host.request.settings, {image for image in images if find_image(engine, image)})


def _with_former(engine: Engine, change: Change, record: Record, containers: Sequence[Container]) -> Change:
    """Where only the configuration was to change: which containers are the former ones, as far as the record tells."""
    recorded = read_deployment(engine, change.make.target.project, change.service)
    made = recorded.deployment.made if recorded and record.previous == record.candidate else ""
    return replace(change, running=tuple(one for one in containers if made and one.configuration == made))


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftService:
    """One service of an interrupted plan: `what` would become of it alone.

    `is_moved`: the tag that the record is about is another than production's now, and still names the candidate.
    """

    change: Change
    record: Record
    what: Recovery
    is_moved: bool = False

    @property
    def images(self) -> frozenset[str]:
        """All that it is about."""
        return frozenset({*self.change.move.retained_then, self.record.previous, self.record.candidate} - {""})

    @property
    def is_unchanged(self) -> bool:
        """Whether its image was not to change."""
        return self.record.previous == self.record.candidate


def left_of(services: Sequence[LeftService], settings: PromoteSettings, there: Collection[str]) -> Left:
    """What becomes of the services of an interrupted plan. `there` are the images that still exist."""
    what = decide_together([one.what for one in services], unchanged=[one.is_unchanged for one in services])
    others = [one for one in services if one.what is not Recovery.LEAVE]  # but for those that somebody changed since
    plan = rollout_plan([one.change for one in others or services], settings)
    gone = [one for one in others if one.record.previous and one.record.previous not in there]
    if what is Recovery.LEAVE:
        done = "left alone: production runs neither its image nor the one before, so somebody changed it meanwhile"
        return Left(plan=plan, what=what, operations=(), done=done)
    lost = [one for one in gone if one.record.candidate not in there]
    if what is Recovery.UNDO and lost:
        done = f"left alone: {lost[0].record.previous} and {lost[0].record.candidate} are both gone from this Engine"
        return Left(plan=plan, what=Recovery.LEAVE, operations=(), done=done)
    if what is Recovery.FINISH or gone:
        despite = what is Recovery.UNDO
        operations = finish_plan(plan.changes, settings, there, despite=despite).operations
        return Left(plan=plan, what=what, operations=operations, done=_say_finished(plan))
    why = "production's tag is another by now"
    moved = (Tag(image=one.record.tagged, tag=one.record.tag, why=why) for one in others if one.is_moved)
    return Left(plan=plan, what=what, operations=(*moved, *plan.undo), done=_say_undone(plan))


def _recover(host: Host, leases: Leases, begun: Mapping[str, Begun], run: RunLog) -> Recovered:
    records = {lock: one.record for lock, one in begun.items()}
    left = find_left(host, records)
    kind = "promotion" if left.plan.changes else "retag"
    try:
        done = _do(host, leases, left, run)
    except LockLost:
        raise
    except FreshnessError as error:
        if not left.plan.changes:
            raise
        what = "A promotion was interrupted and could not be undone"
        why = f"{what}: {error.args[0].rstrip('.')}. What last served is what this run rolls back to."
        run.warn("An interrupted promotion", why)
        command = call_for_help(what, host.engine, host.subject.words, left.plan.changes, begun, error)
        return Recovered(done=command, undo_to=records)
    run.warn(f"An interrupted {kind}", f"An interrupted {kind} was {done}.")
    return Recovered(done=f"An interrupted {kind} was {done}. Nothing else was changed.")


def _do(host: Host, leases: Leases, left: Left, run: RunLog) -> str:
    work = new_work(host, leases, run)
    try:
        for operation in left.operations:
            do(work, operation)
    except LockLost:
        raise
    except FreshnessError as error:
        if left.what is not Recovery.FINISH or not left.plan.changes:
            raise
        went_on = roll_back(left.plan, work)
        said = _say_finished(left.plan) if went_on else _say_undone(left.plan)
        candidates = " and ".join(dict.fromkeys(change.move.candidate.id for change in left.plan.changes))
        return f"{said}, since {candidates} failed ({error.args[0]})"
    return left.done


def _say_finished(plan: Plan) -> str:
    return f"finished: production runs {_images(change.move.candidate.id for change in plan.changes)}"


def _say_undone(plan: Plan) -> str:
    previous = [change.move.previous_id for change in plan.changes if change.move.previous]
    return f"undone: production runs {_images(previous)} again" if previous else "undone: nothing is left of it"


def _images(images: Iterable[str]) -> str:
    return " and ".join(dict.fromkeys(images))
