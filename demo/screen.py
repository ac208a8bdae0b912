"""What a person sees of the demo: lines, and on a terminal one that ticks while act works; plain lines elsewhere."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from freshness.ci.sanitizing import one_line, printable
from freshness.ci.terminal import Terminal, open_terminal

_CHECKS = ("✓ ", "✗ ", "! ", "Waiting for ")
"""How the lines of a gate and a promotion begin that say how far it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """`terminal` is None where nobody watches."""

    terminal: Terminal | None

    def say(self, line: str = "", style: str = "") -> None:
        """One or more lines."""
        for one in line.split("\n"):
            if self.terminal:
                self.terminal.write(one, style, wrap=True)
            else:
                print(one, flush=True)

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Ticks as long as the block lasts, with what `follow` saw last."""
        if self.terminal is None:
            yield
            return
        with self.terminal.ticking(what):
            yield

    def follow(self, record: Mapping[str, Any]) -> None:
        """Takes note of a record of act's log that says how far the run is."""
        message = str(record.get("msg", "")).strip()
        if self.terminal and message.startswith(_CHECKS):
            self.terminal.seen[:] = [printable(one_line(f"{record.get('jobID', '')}: {message}"))]


@cache
def screen() -> Screen:
    """Standard output, as the demo found it."""
    watched = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    return Screen(terminal=open_terminal(sys.stdout, os.environ) if watched else None)
