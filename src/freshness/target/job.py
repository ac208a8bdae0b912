"""Whose a job is: staging's never runs where production's does, since what it did cannot be undone."""

from freshness.core.deployment import Deployment, Role
from freshness.engine.client import Engine
from freshness.engine.deployments import read_deployment, write_deployment
from freshness.engine.lock import Lease
from freshness.errors import Refused


def refuse_job(engine: Engine, project: str, service: str, role: Role = Role.STAGING) -> None:
    """Raises Refused where the job is recorded as the other role's."""
    recorded = read_deployment(engine, project, service)
    if recorded and recorded.deployment.role is not role:
        raise Refused(
            f"the job {service} of the project {project} is {recorded.deployment.role.value}'s, as recorded on this"
            f" Docker host {recorded.since}: it would work on that data.",
            f"Give {role.value} a job of its own, or a project of its own (`project`); if it has really become"
            f" {role.value}'s, remove the record (`docker volume rm {recorded.name}`).",
        )


def record_job(lease: Lease, project: str, service: str, role: Role = Role.STAGING) -> None:
    """Writes down whose the job is, before it first runs. Raises LockLost, EngineError."""
    if read_deployment(lease.engine, project, service) is None:
        write_deployment(lease, Deployment(project=project, service=service, role=role))
