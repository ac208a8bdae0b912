"""The new container starts beside the old one, which goes when the new one is proven: no gap, behind a proxy.

Compose makes one more container, for each replica; each is started and removed by its ID, since Compose would choose.
"""

from freshness.engine.compose import create_another
from freshness.engine.containers import Container, service_containers, start
from freshness.engine.leftovers import keep_only, stop_and_remove
from freshness.engine.lock import Lease
from freshness.engine.volumes import written_volumes
from freshness.errors import Refused, Stale
from freshness.promotion.change import Change


def start_beside(lease: Lease, change: Change, *, force: bool, resumes: bool) -> tuple[Container, ...]:
    """Started containers of the candidate beside production's, or production's own where these are alike.

    `resumes`: what an interrupted run has started may stay.
    """
    replicas = change.make.target.replicas
    running = _running(lease, change)[-replicas:] if resumes else list(change.running)
    force = force and not resumes
    made = _create_another(lease, change, running, force=force)
    alike = [one for one in running if one.runs and one.is_like(made) and not force]
    if len(alike) == replicas:
        stop_and_remove(lease, made, volumes=True)
        started = alike
    else:
        started = [*alike, _start(lease, made)] if resumes else [_start(lease, made)]
        while len(started) < replicas:
            started.append(_start(lease, _create_another(lease, change, running, force=force)))
    if resumes and len(started) == 1 and not others(lease, change, tuple(started)):
        keep_only(lease, change.make.target, started[0])  # it ended behind the last removal: the name is left to do
    return tuple(started)


def others(lease: Lease, change: Change, containers: tuple[Container, ...]) -> tuple[Container, ...]:
    """What is still beside the containers, running or not."""
    ids = {one.id for one in containers}
    return tuple(one for one in _containers(lease, change) if one.id not in ids)


def _create_another(lease: Lease, change: Change, running: list[Container], *, force: bool) -> Container:
    """Asks Compose for a container, not whether it would make one: what it makes tells what has changed."""
    made, wanted = create_another(lease, change.make.source, change.make.target), change.move.candidate.id
    if made.image_id != wanted:
        stop_and_remove(lease, made, volumes=True)
        raise Stale(
            f"the container {made.name} was made from {made.image_id}, not from {wanted}, and never started.",
            "Something else moves production's tag: find it, then run again.",
        )
    for one in running:
        lost = [path for path in written_volumes(lease.engine, one) if path not in change.mounted]
        if lost and (force or not one.is_like(made)):
            stop_and_remove(lease, made, volumes=True)
            raise Refused(
                f"production's container {one.name} keeps files in anonymous volumes at {', '.join(lost)}, which one"
                " beside it would start without.",
                "Give the service a named volume there in the Compose file, or set `update-order: stop-first`.",
            )
    return made


def _start(lease: Lease, made: Container) -> Container:
    lease.require()
    return start(lease.engine, made)


def _running(lease: Lease, change: Change) -> list[Container]:
    """The service's running containers of the candidate, the newest last."""
    found = [one for one in _containers(lease, change) if one.runs and one.image_id == change.move.candidate.id]
    return sorted(found, key=lambda one: one.started_at)


def _containers(lease: Lease, change: Change) -> tuple[Container, ...]:
    target = change.make.target
    return service_containers(lease.engine, target.project, target.service)
