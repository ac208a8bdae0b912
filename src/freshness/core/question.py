"""How a service is asked over HTTP, besides the path: its headers, its TLS, and the statuses that count."""

from collections.abc import Collection

from msgspec import Struct

from freshness.core.answer import SUCCESS

MOST = 5
"""Statuses that a sentence names."""
_OURS = (("User-Agent", "freshness"), ("Accept-Encoding", "identity"))


class Question(Struct, frozen=True, kw_only=True):
    """`headers` in the order given, `Host` among them. `verifies`: with `https` the certificate must be valid."""

    headers: tuple[tuple[str, str], ...] = ()
    https: bool = False
    verifies: bool = True
    statuses: Collection[int] = frozenset(SUCCESS)

    def __str__(self) -> str:
        """What counts as a good answer."""
        numbers = "2xx" if set(self.statuses) == set(SUCCESS) else " or ".join(map(str, sorted(self.statuses)[:MOST]))
        more = " or more" if numbers != "2xx" and len(self.statuses) > MOST else ""
        return f"{'HTTPS' if self.https else 'HTTP'} {numbers}{more}"

    def host(self, address: str) -> str:
        """The host that is asked for: that of the header, else the `address`."""
        return next((value for name, value in self.headers if name.lower() == "host"), address)

    def sent(self, address: str) -> list[tuple[str, str]]:
        """All headers of the request; those that were given win."""
        given = {name.lower() for name, _ in self.headers}
        ours = [(name, value) for name, value in _OURS if name.lower() not in given]
        others = [(name, value) for name, value in self.headers if name.lower() != "host"]
        return [("Host", self.host(address)), *ours, *others, ("Connection", "close")]


PLAIN = Question()


def host_alone(host: str) -> str:
    """Without its port, and without the brackets of an IPv6 address."""
    name, bracket, _ = host.partition("]")
    if bracket:
        return name.removeprefix("[")
    return host.partition(":")[0] if host.count(":") == 1 else host
