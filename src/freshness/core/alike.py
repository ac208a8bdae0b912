"""Shows of many lines in a row that differ in their numbers alone the first and the last: a log of health requests."""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

FEW = 4
"""So many are shown as they are."""
_NUMBER = re.compile(r"\d+")


def squeezed(lines: Iterable[str]) -> Iterator[str]:
    """The lines, of which more than `FEW` alike in a row are three: the first, how many more, and the last."""
    for _, run in groupby(lines, key=lambda line: _NUMBER.sub("0", line)):
        alike = list(run)
        yield from alike if len(alike) <= FEW else (alike[0], f"… {len(alike) - 2} more like this", alike[-1])
