"""Writes down what serves, once it is proven: the image, its commit, what it runs with, and what ran before it."""

from collections.abc import Sequence

from msgspec.structs import replace

from freshness.core.deployment import Deployment, Role, Served, served_then
from freshness.engine.client import Engine, engine_call
from freshness.engine.containers import Container
from freshness.engine.deployments import read_deployment, write_deployment
from freshness.engine.lock import Lease
from freshness.promotion.change import Move
from freshness.promotion.operations import RecordServed


def record_served(lease: Lease, served: RecordServed, container: Container, label: str, now: str) -> None:
    """One write, where there is something new; what it does not know stays as it was recorded. `now` is `now_of`.

    Raises LockLost, EngineError.
    """
    target, change = served.make.target, served.change
    before = known_of(lease.engine, target.project, target.service)
    known = replace(
        before,
        image=served.image.id,
        revision=served.image.revision(label) or "",
        configuration=served.make.configuration,
        made=container.configuration,
    )
    _write(lease, before, known, change.move, served.kept, label, former=change.former.configuration, now=now)


def record_tag(lease: Lease, move: Move, kept: Sequence[str], label: str) -> None:
    """As `record_served`, where only a tag is moved."""
    before, image = known_of(lease.engine, "", move.tag), move.candidate
    known = replace(before, image=image.id, revision=image.revision(label) or "")
    _write(lease, before, known, move, kept, label, now=now_of(lease.engine))


def record_reference(lease: Lease, project: str, service: str, image: str, reference: str) -> Deployment:
    """Writes down where a registry has the image that serves, and returns what is recorded. Raises as `record_served`.

    Where what serves could not be recorded before, nothing is.
    """
    before = known_of(lease.engine, project, service)
    if before.image != image or before.references.get(image) == reference:
        return before
    images = {image, *(one.image for one in before.kept)}
    known = {**before.references, image: reference}
    then = replace(before, references={one: name for one, name in known.items() if one in images})
    write_deployment(lease, then)
    return then


def known_of(engine: Engine, project: str, service: str) -> Deployment:
    """What is recorded of it; where nothing is, no more than its name. Raises EngineError."""
    recorded = read_deployment(engine, project, service)
    return recorded.deployment if recorded else Deployment(project=project, service=service, role=Role.PRODUCTION)


def _write(
    lease: Lease,
    before: Deployment,
    known: Deployment,
    move: Move,
    kept: Sequence[str],
    label: str,
    *,
    now: str,
    former: str = "",
) -> None:
    ran = move.replaced
    former = former or ("" if move.previous else before.configuration)  # what ran last is known by the record alone
    current = Served(image=known.image, configuration=known.configuration)
    previous = Served(image=ran.id, revision=ran.revision(label) or "", configuration=former) if ran else None
    if previous and (previous.is_as(current) or (previous.image == current.image and not current.configuration)):
        previous = None  # it runs still, or again
    served = served_then(
        before,
        kept,
        current=current,
        previous=previous,
        left=move.left if previous else (),
        now=now if previous else "",
        goes_back=move.goes_back and previous is not None,
    )
    then = replace(known, kept=served)
    if then != before:
        write_deployment(lease, then)


def now_of(engine: Engine) -> str:
    """The Engine's own time, in whole seconds."""
    with engine_call("asking for the Engine's time"):
        return f"{engine.client.info()['SystemTime'][:19]}Z"
