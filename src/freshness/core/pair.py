"""May a second container of a service stand beside the first? What they cannot share, and what Compose alone runs."""

from collections.abc import Iterator, Mapping
from typing import Any

_HOOKS = ("post_start", "pre_stop")
_ADDRESSES = ("ipv4_address", "ipv6_address", "mac_address")
_OR_STOP_FIRST = "or set `update-order: stop-first`."


def find_pair_problems(name: str, service: Mapping[str, Any], container: str | None) -> Iterator[str]:
    """Every reason, each one sentence with its remedy. `container` is the name that the settings say, None for none.

    `service` is what `docker compose config --format json` prints of it.
    """
    if service.get("ports"):
        ports = ", ".join(str(port.get("published") or port["target"]) for port in service["ports"])
        yield (
            f"The service {name!r} publishes {ports}, which two containers cannot share, and `start-first` starts two."
            f" Let a proxy in its network publish it and take `ports:` out here, {_OR_STOP_FIRST}"
        )
    if service.get("container_name"):
        yield (
            f"The service {name!r} has `container_name: {service['container_name']}`, which two containers cannot"
            f" share, and `start-first` starts two. Take it out, {_OR_STOP_FIRST}"
        )
    if container:
        yield (
            f"The setting `container` says {container!r}, but with `start-first` each new container has a number of"
            " its own. Leave `container` empty."
        )
    for place, key, value in _addresses(service):
        yield (
            f"The service {name!r} has `{key}: {value}`{place}, which two containers cannot share, and `start-first`"
            f" starts two. Take it out, {_OR_STOP_FIRST}"
        )
    for hook in _HOOKS:
        if service.get(hook):
            yield (
                f"The service {name!r} has `{hook}:`, which Compose runs only if it starts and stops the container"
                f" itself. Do it in the image's own start and stop, {_OR_STOP_FIRST}"
            )


def _addresses(service: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Each fixed address as (where it stands, its key, its value)."""
    places = [("", service), *((f" in the network {name}", of) for name, of in (service.get("networks") or {}).items())]
    for place, holder in places:
        for key in _ADDRESSES:
            if (holder or {}).get(key):
                yield place, key, holder[key]
