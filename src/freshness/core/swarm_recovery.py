"""What a run that ended in mid-flight left of a Swarm's services: by their labels and the state of their updates."""

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from freshness.core.swarm import STOPPED, UNDER_WAY, Service, identity, image_in, is_ours, platforms_in
from freshness.core.swarm_record import Deployed, Ran, read_deployed
from freshness.errors import Refused


class Left(Struct, frozen=True, kw_only=True):
    """`written` have the image that the dead run wrote, and nobody knows whether it was proven.

    `unsettled` are others whose update is under way or stopped: Swarm goes back by itself, or the dead run went back.
    """

    written: tuple[Service, ...]
    unsettled: tuple[Service, ...]

    @property
    def together(self) -> frozenset[str]:
        """All services that the dead run was to update."""
        return frozenset(name for one in self.written for name in read_deployed(one.labels).together)

    @property
    def is_whole(self) -> bool:
        """Whether it came to write all of them: then it may still be finished."""
        return self.together == {one.name for one in self.written}


def find_left(services: Iterable[Service], dead: frozenset[str]) -> Left:
    """What runs with these tokens left; without any, what an earlier run of ours has under way all the same."""
    written, unsettled = list[Service](), list[Service]()
    for service in services:
        last = read_deployed(service.labels)
        is_last = bool(last.run) and identity(last.now.image) == identity(service.image)
        if is_last and last.run in dead:
            written.append(service)
        elif service.state in UNDER_WAY | STOPPED and (dead or is_last):
            unsettled.append(service)
    return Left(written=tuple(written), unsettled=tuple(unsettled))


def require_named(left: Left, names: Sequence[str], others: Sequence[str]) -> None:
    """Raises Refused where the dead run updated services together, of which this one may not change all.

    `others` are those that are still there and not among the `names`.
    """
    if others:
        raise Refused(
            f"an interrupted promotion updated {' and '.join(sorted(left.together))} together, and this one names"
            f" {' and '.join(names)}.",
            f"Name {' and '.join(others)} in `swarm-service` too: they are finished or undone together.",
        )


def former(service: Service) -> Service:
    """The service as it was before the last write of ours, as far as Swarm or our labels still know."""
    last = read_deployed(service.labels)
    before = last.before
    if identity(image_in(service.before)) == identity(before.image):
        labels = {key: value for key, value in (service.before.get("Labels") or {}).items() if is_ours(key)}
        platforms = platforms_in(service.before)
    else:
        labels, platforms = _without(last, before).labels, ()
    return replace(service, spec=service.with_image(before.image, labels, platforms))


def _without(last: Deployed, before: Ran) -> Deployed:
    """What the labels say once the last deployment is undone: who had made the one before is not known any more."""
    previous = tuple(one for one in last.previous if identity(one.image) != identity(before.image))
    return Deployed(run="", by="", url="", now=before, before=Ran(), together=(), previous=previous)
