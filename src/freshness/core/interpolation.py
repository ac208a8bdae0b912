"""Reads Compose's interpolation: which variables a text needs, with nothing said for where one is not set.

The grammar is that of compose-spec, 12-interpolation.md: `$NAME`, `${NAME}`, `$$`, and `${NAME:-default}`,
`${NAME-default}`, `${NAME:?error}`, `${NAME?error}`, `${NAME:+other}`, `${NAME+other}`, which nest.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

_NEXT = re.compile(
    r"\$(?:(?P<dollar>\$)|(?P<plain>[_A-Za-z]\w*)|\{(?P<braced>[_A-Za-z]\w*)(?P<after>\}|:?[-?+]))", re.ASCII
)
_BRACE = re.compile(r"\$\$|\$\{|\}")


def needed(text: str, values: Mapping[str, str | None] = MappingProxyType({})) -> Iterator[str]:
    """The names that stand alone, also in the default or the replacement that the `values` lead to (None: not set).

    What has a default, an error or a replacement says itself what is to be, and one of no known value is not taken.
    """
    for found, inner in _forms(text):
        if found["plain"] or found["after"] == "}":
            yield found["plain"] or found["braced"]
        elif _is_taken(found["braced"], found["after"], values):
            yield from needed(inner, values)


def deciding(text: str) -> Iterator[str]:
    """The names whose value decides whether others are needed: `A` of `${A:-${B}}`."""
    for found, inner in _forms(text):
        if inner and "?" not in found["after"] and any(anywhere(inner)):
            yield found["braced"]
            yield from deciding(inner)


def anywhere(text: str) -> Iterator[str]:
    """The names that stand alone, and those that would in what is not taken: Compose may warn of them as well."""
    for found in _NEXT.finditer(text):
        if found["plain"] or found["after"] == "}":
            yield found["plain"] or found["braced"]


def _forms(text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Each form, with what stands behind its `:-` or the like."""
    position = 0
    while found := _NEXT.search(text, position):
        position, start = found.end(), found.end()
        if found["after"] and found["after"] != "}":
            position = _behind(text, position)
        yield found, text[start : position - 1] if position > start else ""


def _is_taken(name: str, mark: str, values: Mapping[str, str | None]) -> bool:
    if name not in values or "?" in mark:
        return False
    value = values[name]
    return (bool(value) if ":" in mark else value is not None) == mark.endswith("+")


def _behind(text: str, position: int) -> int:
    """The position behind the brace that closes the one that is open at `position`."""
    depth = 1
    while depth and (found := _BRACE.search(text, position)):
        position = found.end()
        depth += {"${": 1, "}": -1}.get(found[0], 0)
    return position if depth == 0 else len(text)


def texts(value: Any) -> Iterator[str]:
    """Every text in what JSON holds. Keys are none: Compose interpolates values alone."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts(item)
