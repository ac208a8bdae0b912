"""Where a service or a container is published on the Docker host."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

EVERYWHERE = "0.0.0.0"  # noqa: S104 -- read, not bound


class Published(Struct, frozen=True, kw_only=True, order=True):
    """A port of the Docker host, and the one inside that it leads to. `address` is `0.0.0.0` for every address."""

    address: str
    port: int
    inside: int
    protocol: str

    def __str__(self) -> str:
        return f"{self.address}:{self.port}->{self.inside}/{self.protocol}"

    def meets(self, other: "Published") -> bool:
        """Whether both are asked at the same place of the host."""
        same_port = (self.port, self.protocol) == (other.port, other.protocol)
        return same_port and (self.address == other.address or EVERYWHERE in {self.address, other.address})


def published_by_service(service: Mapping[str, Any]) -> tuple[Published, ...]:
    """What `docker compose config --format json` says of the service, without ports that Docker chooses."""
    ports = service.get("ports") or ()
    return _sorted(
        one
        for port in ports
        for one in _expand(
            port.get("host_ip"), port.get("published"), int(port["target"]), port.get("protocol") or "tcp"
        )
    )


def published_by_container(bindings: Mapping[str, Any]) -> tuple[Published, ...]:
    """What the Engine was asked to publish (`HostConfig.PortBindings`): a stopped container has that, too."""
    return _sorted(
        one
        for inside, places in bindings.items()
        for place in places or ()
        for one in _expand(
            place.get("HostIp"), place.get("HostPort"), int(inside.partition("/")[0]), inside.partition("/")[2] or "tcp"
        )
    )


def meet_all(some: Iterable[Published], others: Iterable[Published]) -> bool:
    """Whether both are asked at the same places, neither at one more."""
    one, other = tuple(some), tuple(others)
    return all(any(a.meets(b) for b in other) for a in one) and all(any(b.meets(a) for a in one) for b in other)


def in_words(ports: Iterable[Published]) -> str:
    """The places on the host, or the words for none."""
    places = {
        f"{one.address}:{one.port}" + ("" if one.protocol == "tcp" else f"/{one.protocol}"): None
        for one in sorted(ports)
    }
    return " and ".join(places) or "no port"


def in_ranges(ports: Iterable[int]) -> str:
    """Port numbers for people, in order: neighbours as one range."""
    ranges: list[list[int]] = []
    for port in sorted(set(ports)):
        if ranges and port == ranges[-1][-1] + 1:
            ranges[-1].append(port)
        else:
            ranges.append([port])
    return ", ".join(f"{one[0]}-{one[-1]}" if len(one) > 1 else str(one[0]) for one in ranges)


def _expand(address: object, published: object, inside: int, protocol: str) -> Iterator[Published]:
    first, _, last = str(published or "").partition("-")
    if not first or first == "0":
        return
    host = str(address or EVERYWHERE)
    for port in range(int(first), int(last or first) + 1):
        yield Published(address=EVERYWHERE if host == "::" else host, port=port, inside=inside, protocol=protocol)


def _sorted(ports: Iterable[Published]) -> tuple[Published, ...]:
    return tuple(sorted(set(ports)))
