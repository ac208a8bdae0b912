"""Production's container is replaced where it is: the only way on one port, with a gap that is as short as Docker's."""

from collections.abc import Sequence

from freshness.engine.compose import Recreation, recreate, recreate_all
from freshness.engine.containers import Container
from freshness.engine.leftovers import keep_one_container
from freshness.engine.lock import Lease
from freshness.promotion.change import Change


def recreate_in_place(lease: Lease, change: Change, *, force: bool, resumes: bool) -> Container:
    """The service on the candidate, which its tag names by now; Compose decides whether it is that already.

    Compose makes the new container, stops and removes the old one, and starts the new one in its place. `resumes`: an
    interrupted run may have left it halfway.
    """
    source, target, wanted = change.make.source, change.make.target, change.move.candidate.id
    if resumes:
        keep_one_container(lease, target, wanted)
    return _require_new(lease, change, recreate(lease, source, target, force=force, keeping=wanted))


def recreate_together(services: Sequence[tuple[Lease, Change]], *, force: bool) -> dict[str, Container]:
    """As `recreate_in_place`, of several in one call of Compose, which makes them from the same files."""
    wanted = [Recreation(target=one.make.target, keeping=one.move.candidate.id) for _, one in services]
    lease, source = services[0][0], services[0][1].make.source
    containers = recreate_all(lease, source, wanted, force=force)
    return {one.service: _require_new(own, one, *containers[one.service]) for own, one in services}


def _require_new(lease: Lease, change: Change, container: Container) -> Container:
    wanted = change.move.candidate.id
    was_left = container.id in {one.id for one in change.running}
    if container.image_id == wanted or not was_left:
        return container
    # Compose believes labels: this one says that it was made from an image that it does not run.
    return recreate(lease, change.make.source, change.make.target, force=True, keeping=wanted)
