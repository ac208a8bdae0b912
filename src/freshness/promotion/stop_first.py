"""Production's container is replaced where it is: the only way on one port, with a gap that is as short as Docker's."""

from freshness.engine.compose import recreate
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
    container = recreate(lease, source, target, force=force, keeping=wanted)
    was_left = change.running is not None and change.running.id == container.id
    if container.image_id == wanted or not was_left:
        return container
    # Compose believes labels: this one says that it was made from an image that it does not run.
    return recreate(lease, source, target, force=True, keeping=wanted)
