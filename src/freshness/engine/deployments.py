"""Reads and writes what runs at a target and who put it there, kept in volumes that no prune takes."""

import re
import uuid

from freshness.core.deployment import (
    DEPLOYMENT_LABEL,
    Deployment,
    Recorded,
    Role,
    from_labels,
    newest,
    signed,
    target_name,
    to_labels,
)
from freshness.engine.client import Engine, engine_call
from freshness.engine.lock import Lease
from freshness.engine.lock_store import VOLUME_OPTIONS, remove_volume
from freshness.errors import EngineError

_NO_NAME = re.compile(r"[^A-Za-z0-9_.-]")  # what a volume's name may not hold, and a tag may


def read_deployment(engine: Engine, project: str, service: str) -> Recorded | None:
    """What was last recorded of the service, or None. Raises EngineError, also for a record that cannot be read."""
    return newest(_records(engine, target_name(project, service)))


def read_roles(engine: Engine) -> dict[tuple[str, str], Role]:
    """The role of each project and service that has a record which can be read."""
    with engine_call("reading what is recorded on this Docker host"):
        listed = engine.client.api.volumes(filters={"label": DEPLOYMENT_LABEL})["Volumes"] or ()
    found = filter(None, (from_labels(volume["Labels"] or {}) for volume in listed))
    said = sorted(found, key=lambda one: one[0])  # of two records of one target the newer one counts
    return {(deployment.project, deployment.service): deployment.role for _, deployment in said}


def write_deployment(lease: Lease, deployment: Deployment) -> None:
    """Records the deployment in place of what was recorded before, signed. Raises LockLost, EngineError."""
    before = _records(lease.engine, deployment.target)
    last = newest(before)
    owner = lease.owner
    deployment = signed(deployment, last.deployment if last else None, who=owner.who, run=owner.run)
    name = f"freshness-deployment.{_NO_NAME.sub('-', deployment.target)}.{uuid.uuid4().hex}"
    lease.require()
    with engine_call(f"recording what runs at {deployment.target}"):
        lease.engine.client.api.create_volume(
            name,
            driver="local",
            driver_opts=VOLUME_OPTIONS,
            labels=to_labels(deployment, last.number + 1 if last else 1),
        )
    for record in before:
        remove_volume(lease.engine, record.name)


def _records(engine: Engine, target: str) -> list[Recorded]:
    with engine_call(f"reading what runs at {target}"):
        listed = engine.client.api.volumes(filters={"label": f"{DEPLOYMENT_LABEL}={target}"})["Volumes"] or ()
    return [_read(volume) for volume in listed]


def _read(volume: dict[str, object]) -> Recorded:
    labels = volume["Labels"]
    found = from_labels(labels) if isinstance(labels, dict) else None
    if found is None:
        raise EngineError(
            f"The volume {volume['Name']} is labelled as a deployment record, but cannot be read as one.",
            f"Check who made it, and remove it: docker volume rm {volume['Name']}",
        )
    number, deployment = found
    return Recorded(name=str(volume["Name"]), number=number, since=str(volume["CreatedAt"]), deployment=deployment)
