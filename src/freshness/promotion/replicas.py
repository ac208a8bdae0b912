"""A service of several containers is replaced one after the other: a plain `up` of Compose would stop all at once."""

from collections.abc import Callable

from freshness.core.image import Image
from freshness.engine.compose import create_another
from freshness.engine.containers import Container, service_containers, start
from freshness.engine.images import find_tagged, tag_image
from freshness.engine.leftovers import stop_and_remove
from freshness.engine.lock import Lease
from freshness.errors import Stale
from freshness.promotion.change import Change, Make
from freshness.promotion.work import Work


def replace_each(work: Work, change: Change, *, force: bool, resumes: bool) -> tuple[Container, ...]:
    """The service on the candidate; each new container is healthy before the next old one goes.

    `resumes`: what an interrupted run has replaced already stays. Raises Unhealthy, Stale, EngineError.
    """
    stays = _nothing if force else _anything if resumes else _find_alike(work.lease(change), change)
    return _roll(work, change, change.make, change.move.candidate, stays)


def bring_all_back(work: Work, change: Change, image: Image) -> tuple[Container, ...]:
    """What ran before, as many as there were; those that never stopped and are healthy serve on."""
    restore_own_tag(work.lease(change), image.id, change.former.target.image)

    def stays(one: Container) -> bool:
        is_old = not change.may_be_new(one.id)
        return is_old and one.id not in work.failed and work.ask(one, change.former).ok

    return _roll(work, change, change.former, image, stays)


def restore_own_tag(lease: Lease, image_id: str, tag: str) -> None:
    """Compose makes what the tag names: another service of the application may have had it since."""
    named = find_tagged(lease.engine, tag)
    if named is None or named.id != image_id:
        tag_image(lease, image_id, tag)


def _roll(
    work: Work, change: Change, make: Make, image: Image, stays: Callable[[Container], bool]
) -> tuple[Container, ...]:
    """As many containers of the image as there are to be: those that stay, and new ones in place of all others."""
    lease, target = work.lease(change), make.target
    found = service_containers(work.engine, target.project, target.service)
    done = [one for one in found if one.runs and one.image_id == image.id and stays(one)][: target.replicas]
    kept = {one.id for one in done}
    rest = sorted((one for one in found if one.id not in kept), key=lambda one: one.runs)  # what serves nobody first
    while rest or len(done) < target.replicas:
        if rest and not rest[0].runs:
            stop_and_remove(lease, rest.pop(0))
            continue
        new = _create(lease, make, image) if len(done) < target.replicas else None
        if rest:
            stop_and_remove(lease, rest.pop(0))
        if new:
            lease.require()
            started = start(work.engine, new)
            work.require_healthy(started, work.ask(started, make))
            done.append(started)
    return tuple(done)


def _find_alike(lease: Lease, change: Change) -> Callable[[Container], bool]:
    """Which containers need not be replaced: Compose would make the same of today's files."""
    if not any(one.image_id == change.move.candidate.id for one in change.running):
        return _nothing
    made = _create(lease, change.make, change.move.candidate)
    stop_and_remove(lease, made, volumes=True)
    return made.is_like


def _create(lease: Lease, make: Make, image: Image) -> Container:
    """One more container, which is not started. Raises Stale where it was made from another image."""
    made = create_another(lease, make.source_as_read, make.target)
    if made.image_id != image.id:
        stop_and_remove(lease, made, volumes=True)
        raise Stale(
            f"the container {made.name} was made from {made.image_id}, not from {image.id}, and never started.",
            "Something else moves production's tag: find it, then run again.",
        )
    return made


def _nothing(_one: Container) -> bool:
    return False


def _anything(_one: Container) -> bool:
    return True
