"""Whether the environment names a proxy for a forge's http address: libgit2 passes every proxy by for those."""

import re
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

NAMES = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")
_SEPARATOR = re.compile(r"[,\s]+")


def http_proxy_of(url: str, env: Mapping[str, str]) -> str:
    """The name of the variable that gives the proxy; empty for another scheme, and where `no_proxy` names the host."""
    parts = urlsplit(url)
    passed = _SEPARATOR.split(env.get("no_proxy") or env.get("NO_PROXY") or "")
    if parts.scheme != "http" or any(_names(entry, parts) for entry in passed if entry):
        return ""
    return next((name for name in NAMES if env.get(name)), "")


def _names(entry: str, parts: SplitResult) -> bool:
    """Whether an entry of `no_proxy` means the host: itself, its domain, its network, all, each perhaps with a port."""
    host = parts.hostname or ""
    name, colon, port = entry.lower().rpartition(":")
    if not (colon and port.isdigit()) or (":" in name.strip("[]") and not name.endswith("]")):
        name, port = entry.lower(), ""  # no port behind it: an IPv6 address has colons too
    if port and int(port) != (parts.port or 80):
        return False
    name = name.strip("[]").removeprefix("*").removeprefix(".")
    return not name or host == name or host.endswith(f".{name}") or _is_in(host, name)


def _is_in(host: str, network: str) -> bool:
    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False
