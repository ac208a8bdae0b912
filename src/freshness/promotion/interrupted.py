"""Finds what an interrupted promotion left half done, on each Docker host: its records, and what runs there."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec.structs import replace

from freshness.core.deployment import Recorded
from freshness.core.lock import Record, service_of
from freshness.core.recovery import Recovery, decide_configuration, decide_recovery
from freshness.engine.containers import Container, service_containers
from freshness.engine.deployments import read_deployment
from freshness.engine.images import find_image, find_tagged
from freshness.engine.plan_record import find_all_begun
from freshness.errors import Refused
from freshness.promotion.change import Change
from freshness.promotion.host import Host
from freshness.promotion.left import Left, LeftService, LeftServices, LeftTag, decide_left
from freshness.promotion.observe import change_of, move_of
from freshness.promotion.plan import retag_plan
from freshness.promotion.preflight import ownership
from freshness.promotion.subject import Application, TagAlone

Records = Mapping[str, Record]
Group = list[tuple[Host, dict[str, Record]]]
"""The hosts of one promotion, each with its records by their locks."""


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
    is_partial = any(_lacks(group, host, record) for host, records in group for record in records.values())
    return decide_left([_look_at(host, records, is_partial=is_partial) for host, records in group], is_undone=is_undone)


def _lacks(group: Group, host: Host, record: Record) -> bool:
    """Whether a host that was reached, or a service, has no record of the same promotion."""
    by_host = {host.engine.id: records for host, records in group}
    reached = {one for one, _ in host.peers}
    is_alone = any(one in reached and one not in by_host for one, _ in record.hosts)
    return is_alone or any(other not in by_host[host.engine.id] for other in record.together)


def _look_at(host: Host, records: Records, *, is_partial: bool) -> LeftTag | LeftServices:
    if isinstance(host.subject, TagAlone):
        (record,) = records.values()
        return _look_at_tag(host, host.subject, record)
    return _look_at_services(host, host.subject, records, is_partial=is_partial)


def _look_at_tag(host: Host, subject: TagAlone, record: Record) -> LeftTag:
    move = move_of(host.engine, record, subject.tag, subject.retained_tags)
    named = find_tagged(host.engine, subject.tag)
    plan = retag_plan(move, host.request.settings.keep_images)
    return LeftTag(tag=subject.tag, plan=plan, record=record, named=named.id if named else "")


def _look_at_services(host: Host, application: Application, records: Records, *, is_partial: bool) -> LeftServices:
    engine, found = host.engine, list[LeftService]()
    for today in application.services:
        record = records.get(today.lock)
        if record is None:
            continue
        ownership(host.request, today).require_role(engine)
        containers = service_containers(engine, today.target.project, today.service)
        change = change_of(engine, record, today)
        named = find_tagged(engine, record.tag) if record.tag != change.move.tag else None
        is_moved = named is not None and named.id == record.candidate
        what = decide_recovery(record, {container.image_id for container in containers if container.is_up})
        if record.previous == record.candidate:
            recorded = read_deployment(engine, today.target.project, today.service)
            change = _with_former(change, record, recorded, containers)
            if what is Recovery.FINISH and (record.hosts or is_partial):
                last, hashes = recorded.deployment if recorded else None, {one.configuration for one in containers}
                what = decide_configuration(record, last, hashes, is_partial=is_partial)
        found.append(LeftService(change=change, record=record, what=what, is_moved=is_moved))
    images = {image for one in found for image in one.images}
    there = frozenset(image for image in images if find_image(engine, image))
    return LeftServices(services=tuple(found), settings=host.request.settings, there=there)


def _with_former(change: Change, record: Record, recorded: Recorded | None, containers: Sequence[Container]) -> Change:
    """Where only the configuration was to change: which containers are the former ones, as far as the record tells."""
    is_former = recorded is not None and recorded.deployment.configuration == record.former != ""
    made = recorded.deployment.made if recorded and is_former else ""
    return replace(change, running=tuple(one for one in containers if made and one.configuration == made))
