"""The rows of the benchmark's table: what was measured, against a target or a peer."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measurement. `target` is in its unit; with a peer of the same run, it is how often the peer's."""

    what: str
    target: float
    measured: float = 0
    peer: str = ""
    peer_measured: float = 0
    unit: str = "s"

    @property
    def is_met(self) -> bool:
        return self._compared <= self.target

    @property
    def _compared(self) -> float:
        if not self.peer:
            return self.measured
        return self.measured / self.peer_measured if self.peer_measured else float(self.measured > 0)

    def cells(self) -> tuple[str, str, str, str]:
        """What, measured, target, met: as text."""
        met = "met" if self.is_met else "MISSED"
        if not self.peer:
            return self.what, f"{self.measured:.3f} {self.unit}", f"≤ {self.target:g} {self.unit}", met
        theirs = f"{self.peer} ({self.peer_measured:.3f} {self.unit})"
        return (
            self.what,
            f"{self.measured:.3f} {self.unit} = {self._compared:.2f} x {theirs}",
            f"≤ {self.target:g} x",
            met,
        )


def render(rows: Sequence[Row]) -> str:
    """The table as Markdown, readable in a terminal too."""
    lines = [("what", "measured", "target", ""), *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    rule = ["-" * width for width in widths]
    return "\n".join(
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))} |"
        for line in (lines[0], rule, *lines[1:])
    )
