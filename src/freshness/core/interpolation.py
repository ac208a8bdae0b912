"""Reads Compose's interpolation: which variables a text needs, with nothing said for where one is not set.

The grammar is that of compose-spec, 12-interpolation.md: `$NAME`, `${NAME}`, `$$`, and `${NAME:-default}`,
`${NAME-default}`, `${NAME:?error}`, `${NAME?error}`, `${NAME:+other}`, `${NAME+other}`, which nest.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_NEXT = re.compile(
    r"\$(?:(?P<dollar>\$)|(?P<plain>[_A-Za-z]\w*)|\{(?P<braced>[_A-Za-z]\w*)(?P<after>\}|:?[-?+]))", re.ASCII
)
_BRACE = re.compile(r"\$\$|\$\{|\}")


def needed(text: str) -> Iterator[str]:
    """The names that stand alone. What has a default, an error or a replacement says itself what is to be."""
    position = 0
    while found := _NEXT.search(text, position):
        position = found.end()
        if found["plain"] or found["after"] == "}":
            yield found["plain"] or found["braced"]
        elif found["after"]:
            position = _behind(text, position)


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
