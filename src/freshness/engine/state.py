"""Names what runs left on a Docker host, of whatever application: locks, what was begun, and deployment records."""

from collections.abc import Iterator

from freshness.core.deployment import DEPLOYMENT_LABEL, Recorded, target_name
from freshness.core.lock import LOCK_LABEL, PLAN_LABEL
from freshness.engine.client import Engine, engine_call
from freshness.engine.containers import service_containers
from freshness.engine.deployments import read_deployment, read_roles
from freshness.engine.images import find_tagged


def lock_names(engine: Engine) -> tuple[str, ...]:
    """The locks of which there is a volume, or a plan that waits for the next run. Raises EngineError."""
    return tuple(sorted({*_values(engine, LOCK_LABEL), *_values(engine, PLAN_LABEL)}))


def unreadable_records(engine: Engine) -> tuple[str, ...]:
    """The targets that have a record of which nothing can be read. Raises EngineError."""
    known = {target_name(project, service) for project, service in read_roles(engine)}
    return tuple(sorted(set(_values(engine, DEPLOYMENT_LABEL)) - known))


def deserted(engine: Engine) -> Iterator[Recorded]:
    """The records of services that have no container. Raises EngineError."""
    for project, service in read_roles(engine):
        stands = service_containers(engine, project, service) if project else find_tagged(engine, service)
        recorded = None if stands else read_deployment(engine, project, service)
        if recorded:
            yield recorded


def _values(engine: Engine, label: str) -> Iterator[str]:
    with engine_call("listing what runs left on this Docker host"):
        listed = engine.client.api.volumes(filters={"label": label})["Volumes"] or ()
    yield from (volume["Labels"][label] for volume in listed)
