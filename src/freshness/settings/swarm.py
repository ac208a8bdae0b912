"""Which services of a Docker Swarm are production, in place of Compose's, and how long an update of them may take."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from freshness.settings import values
from freshness.settings.declaration import Surroundings, setting


def _services(text: str) -> tuple[str, ...]:
    return values.services(text) if text else ()


class SwarmSettings(Struct, frozen=True, kw_only=True):
    """`services` is empty where production is no Swarm's; `timeout` is in seconds."""

    services: tuple[str, ...] = setting(
        _services,
        "Swarm service of production, if Docker Swarm runs it and not Compose; several of one application are updated"
        " in this order. `DOCKER_HOST` is a manager.",
        name="swarm-service",
        shown_default="none",
        words=True,
    )
    timeout: float = setting(
        values.number(10, 86400, "seconds"),
        "Seconds that Swarm may take to update a service; the rollback may take as long again.",
        name="swarm-timeout",
        default="900",
    )


def swarm_rules(read: Mapping[str, Any], surroundings: Surroundings) -> None:
    """What has no meaning beside `swarm-service`."""
    if not read.get("swarm-service"):
        return
    if read.get("source-image") and read.get("source-images"):
        surroundings.refuse(
            "`source-image` (SOURCE_IMAGE) and `source-images` (SOURCE_IMAGES) are both given; expected one of them.",
            "Give one image in `source-image`, or the gate's output `digests` in `source-images`.",
        )
    if read.get("recreate") is False or read.get("registry-tag"):
        surroundings.refuse(
            "`swarm-service` (SWARM_SERVICE) is set, and so is `registry-tag` or `recreate: false`; expected one way.",
            "Move the tag by a run of its own, behind this one, without `swarm-service`.",
        )
    if len(read.get("docker-host") or ()) > 1:
        surroundings.refuse(
            "`swarm-service` (SWARM_SERVICE) is set, and `docker-host` names several hosts; expected one manager.",
            "Name one manager of the swarm: it knows all nodes.",
        )
    if str(read.get("health-path") or "").startswith("/"):
        surroundings.notes.append("`health-path` is not asked in a swarm: its HEALTHCHECK decides.")
