"""What speaks against an update of a Swarm service, before anything is written."""

from collections.abc import Mapping, Sequence
from typing import Any

from freshness.core.hexid import is_image_id
from freshness.core.quoting import quoted
from freshness.core.swarm import STOPPED, UNDER_WAY, Service, find_reference
from freshness.core.swarm_judge import describe_update
from freshness.errors import Refused, Stale

_MODES = {"Global": "global", "ReplicatedJob": "replicated-job", "GlobalJob": "global-job"}


def refuse_no_manager(swarm: Mapping[str, Any], endpoint: str) -> None:
    """Raises Refused where the Engine, by the part of its own description, manages no Swarm."""
    state = swarm.get("LocalNodeState") or "inactive"
    if state != "active":
        raise Refused(
            f"the Engine at {endpoint} is in no swarm (it says {quoted(state)}); expected a manager of one.",
            "Set DOCKER_HOST to a manager, or run `docker swarm init` there.",
        )
    if not swarm.get("ControlAvailable"):
        raise Refused(
            f"the Engine at {endpoint} is a worker of its swarm; expected a manager.",
            "Set DOCKER_HOST to a manager: `docker node ls` there shows them.",
        )


def refuse_service(service: Service, *, seconds: float, hold: float) -> None:
    """Raises Refused for a service that cannot be updated and held within these seconds, Stale for one at work."""
    name = service.name
    if service.mode != "Replicated":
        raise Refused(
            f"{name} is a {_MODES.get(service.mode, service.mode)} service; expected a replicated one.",
            "Only those are supported: update it by hand, `docker service update --image`.",
        )
    if not service.replicas:
        raise Refused(
            f"{name} has 0 replicas; expected at least one task that could prove anything.",
            f"Scale it first: `docker service scale {name}=1`.",
        )
    if service.state in UNDER_WAY:
        raise Stale(
            f"{name} is being updated by somebody else ({describe_update(service)}); expected no update under way.",
            f"Wait for its end: `docker service ps {name}` shows it. Then run again.",
        )
    if service.state in STOPPED:
        raise Stale(
            f"the last update of {name} stopped halfway ({describe_update(service)}); expected one that has ended.",
            f"End it first: `docker service update --detach --image IMAGE {name}`, with the image that is to run.",
        )
    _refuse_configuration(service, seconds, hold)


def _refuse_configuration(service: Service, seconds: float, hold: float) -> None:
    name, shortest = service.name, service.shortest_update(hold)
    if service.starts_first and service.host_ports:
        ports = ", ".join(map(str, service.host_ports))
        raise Refused(
            f"{name} is updated start-first and publishes {ports} in mode host: a new task finds no free node.",
            f"Use stop-first for both: `docker service update --update-order stop-first --rollback-order stop-first"
            f" {name}`; or publish in mode ingress.",
        )
    if shortest >= seconds:
        raise Refused(
            f"an update of {name} takes at least {shortest:g} s by its delay, and its monitor or `hold-time`; expected"
            f" less than `swarm-timeout`, {seconds:g} s.",
            "Raise `swarm-timeout`, or lower `hold-time`, or the service's `--update-delay` or `--update-monitor`.",
        )


def refuse_image(image: str, nodes: int, instead: str = "") -> None:
    """Raises Refused unless every node finds that very image by this name; `instead` is the remedy of a rollback."""
    if find_reference(image):
        return
    if not is_image_id(image):
        raise Refused(
            f"{quoted(image)} names no image by its digest; expected HOST/NAME@sha256:….",
            instead or "Give the gate's output `digests` in `source-images`, or HOST/NAME@ with its `digest`.",
        )
    if nodes > 1:
        raise Refused(
            f"{image} is an image ID, and the swarm has {nodes} nodes, of which only the one that has it could run it.",
            instead or "Gate with `registry`, and promote its output `digests`.",
        )


def refuse_other_commit(name: str, image: str, claimed: str, found: set[str | None]) -> None:
    """Raises Refused where a label claims this commit of what is gone back to, and the image says another one."""
    if claimed and found != {claimed}:
        says = " and ".join(sorted(map(str, found)))
        raise Refused(
            f"the labels of {name} call {image} an image of {claimed}, and it says {says}; expected the same commit.",
            "Find out who wrote these labels, then promote a verified image, with a reason in `allow-rollback`.",
        )


def refuse_unprovable(name: str, spec: Mapping[str, Any], image: Mapping[str, Any] | None) -> None:
    """Raises Refused where neither the service's spec nor the image's configuration says how health is told."""
    own = spec.get("Healthcheck") or {}
    test = own.get("Test") or (image or {}).get("Test") or ["NONE"]
    if test[0] == "NONE":
        raise Refused(
            f"{name} has no HEALTHCHECK, in its image or in its spec: Swarm takes it for healthy once it has started.",
            "Add one to the Dockerfile, or `healthcheck:` to the stack; or accept less: `health-path: running`.",
        )


def pick_source(service: Service, images: Mapping[str, str], only: str | None, staging: str) -> str:
    """The image that the settings name for the service. Raises Refused where they name none.

    `images` go by the service's name, its name in the stack, or that of `staging`.
    """
    names = (service.name, service.short_name, staging)
    found = only or next((images[name] for name in names if name in images), None)
    if found is None:
        has = f" (`source-images` has: {', '.join(images)})" if images else ""
        raise Refused(
            f"no image is named for {service.name}{has}.",
            "Give the gate's output `digests` in `source-images`, or HOST/NAME@sha256:… in `source-image`.",
        )
    return found


def require_all(names: Sequence[str], found: Mapping[str, Service]) -> None:
    """Raises Refused where the Swarm lacks one."""
    missing = [name for name in names if name not in found]
    if missing:
        raise Refused(
            f"the swarm has no service {' and '.join(missing)}.",
            "`docker service ls` shows its services: correct `swarm-service`, or deploy the stack once by hand.",
        )
