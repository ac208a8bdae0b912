"""What a Swarm service can be taken back to, as its labels say."""

from msgspec import Struct

from freshness.core.retained import RetainedImage, choose_alike, choose_retained
from freshness.core.swarm import Service, identity
from freshness.core.swarm_record import read_deployed, revision_of
from freshness.errors import Refused

_TODAY = "today's spec"


class Back(Struct, frozen=True, kw_only=True):
    """What was chosen: the entry of the list, and the image as the spec spelt it."""

    entry: RetainedImage
    image: str


def retained_of(service: Service) -> tuple[RetainedImage, ...]:
    """What it can be taken back to, the newest first, each by its digest; its configuration is the spec of today."""
    others = (one for one in read_deployed(service.labels).previous if identity(one.image) != identity(service.image))
    return tuple(
        RetainedImage(number=number, image=identity(one.image), revision=one.revision, configuration=_TODAY)
        for number, one in enumerate(others, start=1)
    )


def runs_now(service: Service) -> RetainedImage:
    """What its spec says now."""
    return RetainedImage(
        number=0,
        image=identity(service.image),
        revision=revision_of(service.labels, service.image),
        configuration=_TODAY,
    )


def choose_back(service: Service, to: str | None, like: Back | None) -> Back:
    """What `to` names, or the newest; together with another service what is `like` its. Raises Refused."""
    kept = retained_of(service)
    if not kept:
        raise Refused(
            f"{service.name} has no label freshness.previous: no image is known that it could go back to.",
            "Promote a verified image instead, with a reason in `allow-rollback`.",
        )
    now = runs_now(service)
    if like:
        entry = choose_alike(kept, now, like.entry, service.name)
    else:
        entry = choose_retained(kept, now.image, to, "freshness.previous")
    spelt = {identity(one.image): one.image for one in read_deployed(service.labels).previous}
    return Back(entry=entry, image=spelt.get(entry.image, service.image))
