"""A terminal that a person watches: colours, and what is waited for ticks. The only place that knows rich."""

import re
import textwrap
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

from msgspec import Struct, field
from rich.console import Console
from rich.live import Live
from rich.text import Text

REFRESH_PER_SECOND = 8
_INDENT = "  "
_TIE = "\0"  # stands for a blank that keeps two words together; no line has one
_WHOLE = re.compile(r"`[^`]*`|\btype: .*|^Report: .*|\([0-9.]+ s\)")  # what is copied, and what is one word to the eye
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Terminal(Struct, frozen=True, kw_only=True):
    """Writes lines above the one that ticks, which ends with what was `seen` last. NO_COLOR and width are rich's."""

    console: Console
    seen: list[str] = field(default_factory=lambda: [""])

    def write(self, line: str, style: str, *, wrap: bool = False) -> None:
        """One line, of which nothing is markup, with `wrap` in the terminal's width between words.

        Raises OSError, ValueError as the stream does.
        """
        for part in wrapped(line, self.console.width) if wrap else (line,):
            self.console.print(Text(part, style=style), soft_wrap=True)

    @contextmanager
    def ticking(self, what: str) -> Iterator[None]:
        """A last line that says what is waited for, and for how long already."""
        self.seen[:] = [""]
        line = Ticking(what=what, seen=self.seen)
        with Live(
            get_renderable=line.render,
            console=self.console,
            refresh_per_second=REFRESH_PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        ):
            yield


def wrapped(line: str, width: int) -> list[str]:
    """The line in parts of this width; what a person types is never taken apart, so that it can be copied."""
    together = _WHOLE.sub(lambda found: found[0].replace(" ", _TIE), line)
    indent = " " * (len(line) - len(line.lstrip()) + len(_INDENT))
    parts = textwrap.wrap(
        together, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, tabsize=1
    )
    return [part.replace(_TIE, " ") for part in parts] or [line]


class Ticking(Struct, frozen=True, kw_only=True):
    """The last line: what is waited for since it `began`, and what was `seen` last."""

    what: str
    seen: list[str]
    began: float = field(default_factory=time.monotonic)

    def render(self) -> Text:
        seconds = time.monotonic() - self.began
        last = f" · {self.seen[0]}" if self.seen[0] else ""
        frame = _FRAMES[int(seconds * REFRESH_PER_SECOND) % len(_FRAMES)]
        return Text(f"{frame} {self.what} · {seconds:.0f} s{last}", no_wrap=True, overflow="ellipsis")


def open_terminal(stream: TextIO, env: Mapping[str, str]) -> Terminal:
    """The terminal behind the stream."""
    return Terminal(console=Console(file=stream, highlight=False, emoji=False, markup=False, _environ=env))
