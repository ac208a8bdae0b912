"""Judges a step of the demo by what was found, and shows all of them as a table."""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_HEADINGS = ("step", "expected", "seen", "ok")
_WIDTHS = (17, 25, 28, 3)  # a terminal has 80 columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Something that must be equal to something else."""

    about: str
    got: object
    expected: object

    @property
    def holds(self) -> bool:
        return self.got == self.expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. `seen` is what was found, or the first thing that was not as expected."""

    step: str
    expected: str
    seen: str
    ok: bool


def judge(step: str, expected: str, seen: str, claims: Sequence[Claim]) -> Row:
    """The step's row: fine where there are claims and all hold."""
    broken = [claim for claim in claims if not claim.holds]
    if not broken:
        return Row(step=step, expected=expected, seen=seen, ok=bool(claims))
    first = broken[0]
    seen = f"{first.about}: got {first.got!r:.200}, expected {first.expected!r:.200}"
    return Row(step=step, expected=expected, seen=seen, ok=False)


def table(rows: Iterable[Row]) -> str:
    """The rows as text, each cell wrapped to its column."""
    cells = [(row.step, row.expected, row.seen, "yes" if row.ok else "NO") for row in rows]
    ruler = tuple("-" * width for width in _WIDTHS)
    return "\n".join(line for cell in (_HEADINGS, ruler, *cells) for line in _wrapped(cell))


def _wrapped(cells: Sequence[str]) -> list[str]:
    columns = [textwrap.wrap(cell, width) or [""] for cell, width in zip(cells, _WIDTHS, strict=True)]
    height = max(len(column) for column in columns)
    return [
        "  ".join(
            (column[line] if line < len(column) else "").ljust(width)
            for column, width in zip(columns, _WIDTHS, strict=True)
        ).rstrip()
        for line in range(height)
    ]
