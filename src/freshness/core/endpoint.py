"""What DOCKER_HOST or a Docker context names: whether it names a host at all, and where ssh:// leads."""

import re
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

SOCKET = "/var/run/docker.sock"
WITH_HOST = frozenset({"ssh", "tcp", "http", "https"})
FORMS = "ssh://user@host, ssh://user@host:port/path/to/docker.sock or tcp://host:port"
_HOST = re.compile(r"[A-Za-z0-9_.:%\[][A-Za-z0-9_.:%\]-]*")  # never a `-` first, which would be an option of ssh's
_USER = re.compile(r"[^\s@:/-][^\s@:/]*")
_PATH = re.compile(r"/[^\s:]+")  # ssh separates the two ends of a forwarding by `:`


class SshAddress(Struct, frozen=True, kw_only=True):
    """Where to log in, and the path of the Engine's socket there. None: as the user's ssh configuration says."""

    user: str | None
    host: str
    port: int | None
    socket: str


def lacks_host(endpoint: str) -> bool:
    """Whether it is of a kind that leads to a host, and names none."""
    parts = _split(endpoint)
    return parts is not None and parts.scheme in WITH_HOST and not parts.hostname


def read_ssh(endpoint: str) -> SshAddress | None:
    """The address behind ssh://, None for every other endpoint. Raises ValueError with what is wrong, in words.

    The form is the Docker command line's: ssh://[user@]host[:port][/path/of/the/socket].
    """
    if not endpoint.startswith("ssh://"):
        return None
    parts = _split(endpoint)
    problem = "it is not an address" if parts is None else _problem(parts)
    if parts is None or problem:
        raise ValueError(problem)
    return SshAddress(
        user=parts.username,
        host=parts.hostname or "",
        port=parts.port,
        socket=SOCKET if parts.path in {"", "/"} else parts.path,
    )


def _problem(parts: SplitResult) -> str | None:
    if parts.password is not None:
        return "it contains a password, which others could see; ssh uses a key"
    if not _HOST.fullmatch(parts.hostname or "") or not _USER.fullmatch(parts.username or "user"):
        return "its user or host is invalid"
    if parts.query or parts.fragment or not _PATH.fullmatch(parts.path.rstrip("/") or SOCKET):
        return "what follows the host is not the path of a socket"
    return None


def shown(endpoint: str) -> str:
    """The endpoint, or a sentence with it, for people to read: without a password, whatever stands in that."""
    return re.sub(r"(//[^/@:\s]*):\S*@", r"\1@", endpoint)


def without_userinfo(address: str) -> str:
    """The address without what stands before its host: a user's name there may be a token as well."""
    return re.sub(r"://\S*@", "://", address)


def host_of(endpoint: str) -> str | None:
    """The host that the endpoint names, None for a socket and for what is no address."""
    parts = _split(endpoint)
    return parts.hostname if parts and parts.scheme in WITH_HOST else None


def _split(endpoint: str) -> SplitResult | None:
    try:
        parts = urlsplit(endpoint)
        parts.port  # noqa: B018 -- raises for what is no number
    except ValueError:
        return None
    return parts
