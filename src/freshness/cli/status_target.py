"""Looks at one target for `status`: the container that runs there, its record, its lock, and what it can go back to."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

if TYPE_CHECKING:  # as everything that is heavy to import
    from freshness.core.deployment import Role
    from freshness.core.lock import HeldLock
    from freshness.engine.client import Engine
    from freshness.engine.containers import Container
    from freshness.report.target_status import Locked, Previous, TargetStatus
    from freshness.settings.model import PromoteSettings

Config = Mapping[str, Any]


def look_at_target(
    engine: "Engine", role: "Role", config: Config, service: str, settings: "PromoteSettings"
) -> "TargetStatus":
    """What runs there, with the notes of a look around where nothing does. Raises EngineError."""
    from freshness.core.compose import why_missing
    from freshness.core.lock import service_lock
    from freshness.engine.containers import service_containers
    from freshness.engine.lock import find_lock
    from freshness.engine.plan_record import find_waiting
    from freshness.report.target_status import TargetStatus

    name = service_lock(config["name"], service)
    held = find_lock(engine, name)
    locked = find_locked(engine, held) if held else None
    is_over = locked is None or locked.dead is not None
    status = TargetStatus(
        target=role.value,
        service=service,
        project=config["name"],
        status="no such service" if why_missing(config, service) else "nothing",
        locked=locked,
        interrupted=is_over and find_waiting(engine, name, held) is not None,
    )
    containers = service_containers(engine, config["name"], service)
    if not containers:
        return replace(status, notes=_notes(engine, role, config, service, settings))
    container = next((one for one in containers if one.runs), containers[0])  # a cut promotion leaves a second
    if len(containers) > 1:
        up = sum(one.runs for one in containers)
        status = replace(status, notes=(f"  {service} has {len(containers)} containers, of which {up} run",))
    return _with_container(status, engine, container, settings)


def _with_container(
    status: "TargetStatus", engine: "Engine", container: "Container", settings: "PromoteSettings"
) -> "TargetStatus":
    from freshness.engine.deployments import read_deployment
    from freshness.engine.images import find_image

    image = find_image(engine, container.image_id)
    recorded = read_deployment(engine, status.project, status.service)
    last = recorded.deployment if recorded and recorded.deployment.image == container.image_id else None
    return replace(
        status,
        container=container.name,
        status=(container.runs and container.health) or container.status,  # the last health outlives its container
        health=container.health or None,
        image_id=container.image_id,
        revision=image.revision(settings.source.label) if image else None,
        since=container.started_at,
        created=container.created_at,
        restarts=container.restarts,
        deployed_by=(last.who if last else "") or None,
        run=(last.run if last else "") or None,
    )


def find_locked(engine: "Engine", held: "HeldLock") -> "Locked":
    """Who has the lock, and whether that run has ended. Raises EngineError."""
    from freshness.engine.lock_liveness import find_place, why_dead
    from freshness.report.target_status import Locked

    owner = held.owner
    return Locked(
        who=owner.who,
        host=owner.place.host,
        command=owner.command,
        revision=owner.revision or None,
        run=owner.run or None,
        since=held.since,
        dead=why_dead(engine, held, find_place(engine)),
    )


def find_previous(
    engine: "Engine", config: Config, service: str, settings: "PromoteSettings"
) -> tuple["Previous", ...]:
    """What production can be brought back to; nothing where the Compose file does not have the service."""
    from freshness.core.compose import Wanted, read_target, why_missing
    from freshness.core.retained import retained_tags_of
    from freshness.promotion.observe import look
    from freshness.promotion.rollback import find_now, find_retained
    from freshness.report.target_status import Previous

    if why_missing(config, service):
        return ()
    label = settings.source.label
    target = read_target(config, Wanted(service=service, port=settings.port))
    tags = retained_tags_of(target, config, set(settings.staging_services) - set(settings.services))
    scene = look(engine, config["name"], service, None)
    now = find_now(engine, scene.runs, scene.known, scene.recorded, label)
    kept = find_retained(engine, tags, scene.recorded, label, now)
    return tuple(Previous.of(one) for one in kept)


def _notes(
    engine: "Engine", role: "Role", config: Config, service: str, settings: "PromoteSettings"
) -> tuple[str, ...]:
    from freshness.core.compose import image_of
    from freshness.core.deployment import Role
    from freshness.engine.strays import MissingTarget, find_strays

    services = config.get("services") or {}
    is_production = role is Role.PRODUCTION
    sought = MissingTarget(
        role=role,
        project=config["name"],
        service=service,
        services=frozenset(services),
        image=image_of(config, service) if service in services else "",
        port=settings.port if is_production else None,
        not_on=None if is_production else settings.port,
    )
    return tuple(find_strays(engine, sought))


def not_named(service: str, project: str) -> "TargetStatus":
    """Of a staging that the settings do not tell from production."""
    from freshness.report.target_status import TargetStatus

    note = (
        f"staging: {service} is production's own service. Set where staging is: `staging-service`,"
        " `staging-project`, `staging-compose-file`."
    )
    return TargetStatus(target="staging", service=service, project=project, status="not named", notes=(note,))
