"""What an interrupted promotion left half done, on each Docker host, and what becomes of it: one answer for all."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from freshness.core.lock import Record, service_of
from freshness.core.recovery import Recovery, decide_recovery, decide_together
from freshness.engine.client import Engine
from freshness.engine.containers import Container, service_containers
from freshness.engine.deployments import read_deployment
from freshness.engine.images import find_image, find_tagged
from freshness.engine.plan_record import find_all_begun
from freshness.errors import Refused
from freshness.promotion.change import Change
from freshness.promotion.host import Host
from freshness.promotion.observe import change_of, move_of
from freshness.promotion.operations import Operation, Tag
from freshness.promotion.plan import Plan, finish_plan, in_words, retag_plan, rollout_plan
from freshness.promotion.preflight import ownership
from freshness.promotion.subject import Application, TagAlone
from freshness.settings.model import PromoteSettings

Records = Mapping[str, Record]
Group = list[tuple[Host, dict[str, Record]]]
"""The hosts of one promotion, each with its records by their locks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What an interrupted run left on one host: its `plan`, found anew, and `operations` that finish or undo it.

    `done` says in words what becomes of it by them. `despite`: what was to be undone is finished, having no way back.
    """

    plan: Plan
    what: Recovery
    operations: tuple[Operation, ...]
    done: str
    despite: bool = False

    def __str__(self) -> str:
        return in_words(self.operations)


def groups_of(parts: Iterable[tuple[Host, Records]], lost: Collection[str]) -> list[Group]:
    """The records that belong to one promotion each; hosts that are `lost` may have more of it.

    Raises Refused where one is about more than this run holds.
    """
    groups = dict[object, dict[str, tuple[Host, dict[str, Record]]]]()
    for host, records in parts:
        for lock, record in records.items():
            _require_services(host, lock, record)
            _require_hosts(host, record, lost)
            key = record.run or (host.engine.id, record.together or lock)
            groups.setdefault(key, {}).setdefault(host.engine.id, (host, {}))[1][lock] = record
    return [list(group.values()) for group in groups.values()]


def _require_services(host: Host, lock: str, record: Record) -> None:
    held = {lock.name for lock in host.locks}
    outside = [other for other in record.together if other not in held]
    if outside:
        names = [service_of(other) for other in record.together]
        raise Refused(
            f"a promotion of {', '.join(names)} was interrupted, and this run is about {service_of(lock)} without"
            f" {' and '.join(map(service_of, outside))}.",
            f"Run it again for all of them, which finishes or undoes it: `service: {' '.join(names)}`. Where they"
            f" are no application any more, forget what was begun: `{_forget(host, record)}`.",
        )


def _require_hosts(host: Host, record: Record, lost: Collection[str]) -> None:
    reached = {one for one, _ in host.peers} or {host.engine.id}
    outside = [name for one, name in record.hosts if one not in reached and name not in lost]
    if outside:
        names = [name for _, name in record.hosts]
        raise Refused(
            f"a promotion over {', '.join(names)} was interrupted, and this run is about {host.engine.endpoint} without"
            f" {' and '.join(outside)}.",
            f"Run it again for all of them, which finishes or undoes it: `docker-host: {' '.join(names)}`. Where one is"
            f" gone for good, forget what was begun: `{_forget(host, record)}`.",
        )


def _forget(host: Host, record: Record) -> str:
    """The command that does."""
    locks = record.together or [lock.name for lock in host.locks]
    volumes = " ".join(one.name for one in find_all_begun(host.engine, locks).values())
    return f"DOCKER_HOST={host.engine.endpoint} docker volume rm {volumes}"


def is_whole(group: Group) -> bool:
    """Whether all hosts of it are there: what one that is not has of it is seen to when it is back."""
    ((host, records), *_) = group
    reached = {one for one, _ in host.peers} or {host.engine.id}
    return all(one in reached for record in records.values() for one, _ in record.hosts)


def find_left(group: Group) -> tuple[Left, ...]:
    """Looks at what one promotion left on its hosts, and decides what becomes of it. Raises EngineError, Stale."""
    is_undone = any(record.undone for _, records in group for record in records.values())
    return decide_left([_look_at(host, records) for host, records in group], is_undone=is_undone)


def _look_at(host: Host, records: Records) -> "LeftTag | LeftServices":
    if isinstance(host.subject, TagAlone):
        (record,) = records.values()
        return _look_at_tag(host, host.subject, record)
    return _look_at_services(host, host.subject, records)


def _look_at_tag(host: Host, subject: TagAlone, record: Record) -> "LeftTag":
    move = move_of(host.engine, record, subject.tag, subject.retained_tags)
    named = find_tagged(host.engine, subject.tag)
    plan = retag_plan(move, host.request.settings.keep_images)
    return LeftTag(tag=subject.tag, plan=plan, record=record, named=named.id if named else "")


def _look_at_services(host: Host, application: Application, records: Records) -> "LeftServices":
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
    there = frozenset(image for image in images if find_image(engine, image))
    return LeftServices(services=tuple(found), settings=host.request.settings, there=there)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftTag:
    """A tag that was to be moved alone, and the ID of the image that it names."""

    tag: str
    plan: Plan
    record: Record
    named: str

    @property
    def votes(self) -> list[tuple[Recovery, bool]]:
        """What would become of it alone, and whether its image was not to change."""
        if self.named == self.record.candidate:
            return [(Recovery.FINISH, False)]
        return [(Recovery.UNDO if self.named == self.record.tagged else Recovery.LEAVE, False)]

    @property
    def gone(self) -> tuple[Record, ...]:
        """Nobody asked: a tag keeps its image."""
        return ()

    lost = gone

    def left(self, what: Recovery, *, despite: bool) -> Left:
        """What becomes of it; `despite` is as `LeftServices.left` has it."""
        record, plan = self.record, self.plan
        ((own, _),) = self.votes
        if own is Recovery.LEAVE:
            done = f"left alone: {self.tag} names neither image, so somebody moved it meanwhile"
            return Left(plan=plan, what=own, operations=(), done=done)
        if what is Recovery.FINISH or despite:
            done = f"finished: {self.tag} names {record.candidate}"
            return Left(plan=plan, what=what, operations=plan.operations, done=done)
        done = f"undone: {self.tag} names {record.previous or 'nothing'}"
        return Left(plan=plan, what=what, operations=plan.undo, done=done)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftServices:
    """The services of an interrupted plan on one host. `there` are the images that still exist."""

    services: tuple[LeftService, ...]
    settings: PromoteSettings
    there: frozenset[str]

    @property
    def votes(self) -> list[tuple[Recovery, bool]]:
        """What would become of each alone, and whether its image was not to change."""
        return [(one.what, one.is_unchanged) for one in self.services]

    @property
    def _others(self) -> list[LeftService]:
        """All but those that somebody changed since."""
        return [one for one in self.services if one.what is not Recovery.LEAVE]

    @property
    def gone(self) -> tuple[Record, ...]:
        """Those whose image from before exists no more."""
        records = (one.record for one in self._others)
        return tuple(one for one in records if one.previous and one.previous not in self.there)

    @property
    def lost(self) -> tuple[Record, ...]:
        """Those of these whose candidate does not exist either."""
        return tuple(one for one in self.gone if one.candidate not in self.there)

    def left(self, what: Recovery, *, despite: bool) -> Left:
        """What becomes of them; `despite`: what was to be undone is finished, since there is no way back."""
        others, settings = self._others, self.settings
        plan = rollout_plan([one.change for one in others or self.services], settings)
        if not others:
            done = "left alone: production runs neither its image nor the one before, so somebody changed it meanwhile"
            return Left(plan=plan, what=Recovery.LEAVE, operations=(), done=done)
        if what is Recovery.FINISH or despite:
            operations = finish_plan(plan.changes, settings, self.there, despite=despite).operations
            return Left(plan=plan, what=what, operations=operations, done=say_finished(plan), despite=despite)
        why = "production's tag is another by now"
        moved = (Tag(image=one.record.tagged, tag=one.record.tag, why=why) for one in others if one.is_moved)
        return Left(plan=plan, what=what, operations=(*moved, *plan.undo), done=say_undone(plan))


def decide_left(found: Sequence[LeftTag | LeftServices], *, is_undone: bool = False) -> tuple[Left, ...]:
    """What becomes of it on each host: finished where it has got there on all of them, else undone on all.

    `is_undone`: a run had begun to take it back.
    """
    votes = list(chain.from_iterable(one.votes for one in found))
    what = decide_together([vote for vote, _ in votes], unchanged=[is_same for _, is_same in votes])
    if what is Recovery.FINISH and is_undone:
        what = Recovery.UNDO
    lost = [record for one in found for record in one.lost]
    if what is Recovery.UNDO and lost:
        done = f"left alone: {lost[0].previous} and {lost[0].candidate} are both gone from this Engine"
        alone = (one.left(what, despite=False) for one in found)
        return tuple(replace(one, what=Recovery.LEAVE, operations=(), done=done) for one in alone)
    despite = what is Recovery.UNDO and any(one.gone for one in found)
    return tuple(one.left(what, despite=despite) for one in found)


def say_finished(plan: Plan) -> str:
    """In words."""
    return f"finished: production runs {_images(change.move.candidate.id for change in plan.changes)}"


def say_undone(plan: Plan) -> str:
    """In words."""
    previous = [change.move.previous_id for change in plan.changes if change.move.previous]
    return f"undone: production runs {_images(previous)} again" if previous else "undone: nothing is left of it"


def _images(images: Iterable[str]) -> str:
    return " and ".join(dict.fromkeys(images))
