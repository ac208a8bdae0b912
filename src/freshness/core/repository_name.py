"""Reads which repository is meant, so that two ways of writing it are one."""

import re
from urllib.parse import urlsplit

_NAME = re.compile(r"(?:.*/)?([^/]+/[^/]+?)(?:\.git)?/?")
_SSH = re.compile(r"(?:[^/@:]+@)?[^/:]+:(?P<path>[^/].*)")


def name_in_address(address: str) -> str:
    """`owner/name` in lower case, of an address on a server such as https://host/owner/name.git; else empty."""
    parts = urlsplit(address) if "://" in address else None
    if parts:
        return name_of(parts.path) if parts.hostname and parts.scheme != "file" else ""
    ssh = _SSH.fullmatch(address)
    return name_of(ssh["path"]) if ssh else ""


def name_of(repository: str) -> str:
    """`owner/name` in lower case, as forges compare it; plain act gives an address in its place. Empty for no name."""
    found = _NAME.fullmatch(repository.strip())
    return found[1].lower() if found else ""
