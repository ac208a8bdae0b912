"""Where a container listens, by its kernel's own table, and why nobody answers on a port of it."""

import ipaddress
from collections.abc import Collection

from msgspec import Struct

LISTENS = "0A"  # a state in /proc/net/tcp
OWN_DNS = "127.0.0.11"  # Docker's, in every container of a network that somebody made
WORD = 4  # bytes, each in the order of the machine: that of nearly all


class Listener(Struct, frozen=True, kw_only=True):
    """A TCP port that something listens on; `is_private` where only the container itself gets there."""

    port: int
    is_private: bool


def read_listeners(table: str) -> frozenset[Listener]:
    """What listens, by /proc/net/tcp and /proc/net/tcp6, one behind the other. What is no such line is passed over."""
    found = (_read_line(line.split()) for line in table.splitlines())
    return frozenset(listener for listener in found if listener)


def _read_line(cells: list[str]) -> Listener | None:
    try:
        place, state = cells[1], cells[3]
        digits, port = place.split(":")
        raw = bytes.fromhex(digits)
        address = ipaddress.ip_address(b"".join(raw[at : at + WORD][::-1] for at in range(0, len(raw), WORD)))
        number = int(port, 16)
    except (IndexError, ValueError):
        return None
    if state != LISTENS or str(address) == OWN_DNS:
        return None
    mapped = getattr(address, "ipv4_mapped", None) or address
    return Listener(port=number, is_private=mapped.is_loopback)


def explain_no_listener(listeners: Collection[Listener], port: int) -> str | None:
    """Why nobody answers from outside on this port of the container; None where something does listen there."""
    here = [one for one in listeners if one.port == port]
    if any(not one.is_private for one in here):
        return None
    if here:
        return f"inside the container, port {port} is open on 127.0.0.1 only: make the service listen on 0.0.0.0"
    if not listeners:
        return "nothing listens on any port inside the container"
    others = ", ".join(map(str, sorted({one.port for one in listeners})))
    return (
        f"nothing listens on port {port} inside the container, only on {others}: correct the Compose file or the"
        " service's port"
    )
