"""The way back of a Swarm service: by one more update, unless Swarm has gone it by itself."""

from enum import StrEnum

from freshness.core.swarm import STOPPED, Service, identity


class Way(StrEnum):
    """What is to be done: write the spec from before, wait for what Swarm does, or nothing, since it is another's."""

    WRITE = "write"
    WAIT = "wait"
    NOT_OURS = "not ours"


def way_back(now: Service, image: str, run: str, before: str) -> Way:
    """Where a service `now` has the `image` that this `run` wrote, or what was there `before`, or neither."""
    if identity(now.image) == identity(before):
        return Way.WRITE if now.state in STOPPED else Way.WAIT
    is_ours = identity(now.image) == identity(image) and now.labels.get("freshness.run") == run
    return Way.WRITE if is_ours else Way.NOT_OURS
