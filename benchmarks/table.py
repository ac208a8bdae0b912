"""The rows of the benchmark's table: what was measured, against a target or a peer."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measurement. `target` is in seconds; with a peer of the same run, it is how often the peer's time."""

    what: str
    target: float
    seconds: float = 0
    peer: str = ""
    peer_seconds: float = 0

    @property
    def is_met(self) -> bool:
        return self._compared < self.target

    @property
    def _compared(self) -> float:
        return self.seconds / self.peer_seconds if self.peer else self.seconds

    def cells(self) -> tuple[str, str, str, str]:
        """What, measured, target, met: as text."""
        met = "met" if self.is_met else "MISSED"
        if not self.peer:
            return self.what, f"{self.seconds:.3f} s", f"< {self.target:g} s", met
        measured = f"{self.seconds:.3f} s = {self._compared:.2f} x {self.peer} ({self.peer_seconds:.3f} s)"
        return self.what, measured, f"< {self.target:g} x", met


def render(rows: Sequence[Row]) -> str:
    """The table as Markdown, readable in a terminal too."""
    lines = [("what", "measured", "target", ""), *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    rule = ["-" * width for width in widths]
    return "\n".join(
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))} |"
        for line in (lines[0], rule, *lines[1:])
    )
