"""The new container starts beside the old one, which goes when the new one is proven: no gap, behind a proxy.

Compose makes one more container; each is started and removed by its ID, since Compose would choose which.
"""

from freshness.engine.compose import create_another
from freshness.engine.containers import Container, service_containers, start
from freshness.engine.leftovers import keep_only, stop_and_remove
from freshness.engine.lock import Lease
from freshness.engine.volumes import written_volumes
from freshness.errors import Refused, Stale
from freshness.promotion.change import Change


def start_beside(lease: Lease, change: Change, *, force: bool, resumes: bool) -> Container:
    """A started container of the candidate beside production's, or production's own where that is alike.

    `resumes`: what an interrupted run has started may stay.
    """
    if not resumes:
        return _start_another(lease, change, change.running, force=force)
    started = _running(lease, change)
    container = _start_another(lease, change, started[-1] if started else None, force=False)
    if not others(lease, change, container):  # it ended behind the last removal, and only the name is left to do
        keep_only(lease, change.make.target, container)
    return container


def others(lease: Lease, change: Change, container: Container) -> tuple[Container, ...]:
    """What is still beside the container, running or not."""
    return tuple(one for one in _containers(lease, change) if one.id != container.id)


def _start_another(lease: Lease, change: Change, running: Container | None, *, force: bool) -> Container:
    """Asks Compose for a container, not whether it would make one: what it makes tells what has changed."""
    made, wanted = create_another(lease, change.make.source, change.make.target), change.move.candidate.id
    if made.image_id != wanted:
        stop_and_remove(lease, made, volumes=True)
        raise Stale(
            f"the container {made.name} was made from {made.image_id}, not from {wanted}, and never started.",
            "Something else moves production's tag: find it, then run again.",
        )
    if running and running.runs and running.is_like(made) and not force:
        stop_and_remove(lease, made, volumes=True)
        return running
    written = written_volumes(lease.engine, running) if running else ()
    lost = [path for path in written if path not in change.mounted]
    if running and lost:
        stop_and_remove(lease, made, volumes=True)
        raise Refused(
            f"production's container {running.name} keeps files in anonymous volumes at {', '.join(lost)}, which one"
            " beside it would start without.",
            "Give the service a named volume there in the Compose file, or set `update-order: stop-first`.",
        )
    lease.require()
    return start(lease.engine, made)


def _running(lease: Lease, change: Change) -> list[Container]:
    """The service's running containers of the candidate, the newest last."""
    found = [one for one in _containers(lease, change) if one.runs and one.image_id == change.move.candidate.id]
    return sorted(found, key=lambda one: one.started_at)


def _containers(lease: Lease, change: Change) -> tuple[Container, ...]:
    target = change.make.target
    return service_containers(lease.engine, target.project, target.service)
