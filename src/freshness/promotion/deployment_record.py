"""Writes down what serves, once it is proven: the image, its commit, what it runs with, and what ran before it."""

from collections.abc import Sequence
from dataclasses import replace

from freshness.core.deployment import Deployment, Role, Served, served_then
from freshness.core.image import Image
from freshness.core.lock import Record
from freshness.core.retained import left_by
from freshness.engine.client import Engine, engine_call
from freshness.engine.containers import Container
from freshness.engine.deployments import read_deployment, write_deployment
from freshness.engine.lock import Lease
from freshness.promotion.plan import Make, Plan


def record_served(
    lease: Lease, plan: Plan, make: Make, image: Image, container: Container, kept: Sequence[str], label: str
) -> None:
    """One write, where there is something new; what it does not know stays as it was recorded.

    `kept` are the images that can be gone back to. Raises LockLost, EngineError.
    """
    project, service = make.target.project, make.target.service
    recorded = read_deployment(lease.engine, project, service)
    before = recorded.deployment if recorded else Deployment(project=project, service=service, role=Role.PRODUCTION)
    then = replace(
        before,
        image=image.id,
        revision=image.revision(label) or "",
        configuration=make.configuration,
        made=container.configuration,
        kept=_kept(lease.engine, plan, before, image, kept, label),
    )
    if then != before:
        write_deployment(lease, then)


def _kept(
    engine: Engine, plan: Plan, before: Deployment, image: Image, kept: Sequence[str], label: str
) -> tuple[Served, ...]:
    went_back = plan.previous is None or plan.previous.id == image.id
    previous = None
    if plan.previous and not went_back:
        revision = plan.previous.revision(label) or ""
        previous = Served(image=plan.previous.id, revision=revision, configuration=plan.former.configuration)
    left = () if went_back else plan.left
    return served_then(before, kept, previous=previous, left=left, now=now_of(engine) if previous else "")


def now_of(engine: Engine) -> str:
    """The Engine's own time, in whole seconds."""
    with engine_call("asking for the Engine's time"):
        return f"{engine.client.info()['SystemTime'][:19]}Z"


def record_named(lease: Lease, tag: str, record: Record, image: Image, kept: Sequence[str], label: str) -> None:
    """As `record_served`, where only a tag is moved. Raises LockLost, EngineError."""
    recorded = read_deployment(lease.engine, "", tag)
    before = recorded.deployment if recorded else Deployment(project="", service=tag, role=Role.PRODUCTION)
    previous = Served(image=record.previous) if record.previous and record.previous != image.id else None
    left = left_by(record.kept, record.previous, image.id) if record.goes_back else ()
    now = now_of(lease.engine) if previous else ""
    kept_then = served_then(before, kept, previous=previous, left=left, now=now)
    then = replace(before, image=image.id, revision=image.revision(label) or "", kept=kept_then)
    if then != before:
        write_deployment(lease, then)
