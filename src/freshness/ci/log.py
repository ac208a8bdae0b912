"""Writes the job's log: our sentences, untrusted text marked as such, groups and annotations."""

import os
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, TextIO

from freshness.ci.sanitizing import LINE_END, one_line, own_lines, printable
from freshness.core.hexid import with_short_ids
from freshness.core.secret import redacted

if TYPE_CHECKING:  # it brings rich, which only a terminal needs
    from freshness.ci.terminal import Terminal

# Not a blank: GitHub's runner trims leading blanks before it looks for a command.
_MARK = "│ "
LAST_LINES = 15
"""So many lines of others tell what went wrong, where somebody reads no log."""
MOST_FOLDED = 1000
"""So many lines of others, the last ones, are kept until it is known whether they matter."""
_STYLES = {"error": "bold red", "warning": "yellow"}


class Log:
    """The log on a stream. `actions` says whether a runner reads it, and groups and annotations mean something.

    Each line is flushed at once. A reader that went away silences the log, and never fails the run. `quiet`: nothing
    but warnings, errors, and what is `loud`. `terminal` is there where a person watches. `noted` are the notes that
    were said already, also by another run of this command.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        actions: bool,
        quiet: bool = False,
        terminal: "Terminal | None" = None,
        noted: set[str] | None = None,
    ) -> None:
        self._stream = stream
        self._actions = actions
        self._quiet = quiet
        self._terminal = terminal
        self._silent = False
        self._last: deque[str] = deque(maxlen=LAST_LINES)
        self._folded: deque[str] | None = None
        self._noted = set() if noted is None else noted

    def note(self, text: str, *, warning: str = "") -> None:
        """Says a note once, or with a title a warning: the two halves of a deployment often have the same ones."""
        if text in self._noted:
            return
        self._noted.add(text)
        if warning:
            self.warning(warning, text)
        else:
            self.say(f"note: {text}")

    def say(self, text: str, *, style: str = "", loud: bool = False, full_ids: bool = False) -> None:
        """One or more lines of ours, with short ids; `style` is how a terminal shows them."""
        if not self._quiet or loud:
            for line in own_lines(text if full_ids else with_short_ids(text)):
                self._write(line, style, wrap=True)

    def announce(self, text: str) -> None:
        """As `say`, what is waited for; a terminal shows that already, as it ticks."""
        if not self._terminal:
            self.say(text)

    def ticking(self, what: str, *, fold: bool = False) -> AbstractContextManager[None]:
        """Shows on a terminal that this is waited for, as long as the block lasts; nothing elsewhere.

        With `fold` what others write is only seen there in passing, until `unfold`.
        """
        if not self._terminal or self._quiet:
            return nullcontext()
        self._folded = deque(maxlen=MOST_FOLDED) if fold else None
        return self._terminal.ticking(printable(one_line(with_short_ids(what))))

    def unfold(self, *, show: bool) -> None:
        """What was folded is shown now, or forgotten."""
        folded, self._folded = self._folded or (), None
        for line in folded if show else ():
            self._write(_MARK + line, "dim")

    def seen(self, text: str) -> None:
        """What was seen last of what is waited for, which a terminal shows as it ticks."""
        if self._terminal:
            self._terminal.seen[:] = [redacted(printable(one_line(text)))]

    def untrusted(self, data: str | bytes) -> None:
        """Text that others wrote, whole lines of it: each is marked, and commands neither runner nor terminal."""
        text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
        for line in LINE_END.split(text.removesuffix("\n")):
            shown = printable(line)
            self._last.append(redacted(shown))
            if self._folded is not None:
                self._folded.append(shown)
                if shown.strip():
                    self.seen(shown)
            elif not self._quiet:
                self._write(_MARK + shown, "dim")

    def take_last(self) -> tuple[str, ...]:
        """The last lines that others wrote, since this was asked before."""
        last = tuple(self._last)
        self._last.clear()
        return last

    @contextmanager
    def group(self, title: str) -> Iterator[None]:
        """A fold in the runner's log; a plain line elsewhere."""
        shown = printable(one_line(title, limit=200))
        if self._quiet or not self._actions:
            self.say(shown)
            yield
            return
        self._write(f"::group::{shown}")
        try:
            yield
        finally:
            self._write("::endgroup::")

    def output_of(self, check: str) -> AbstractContextManager[None]:
        """As `group`, for what a check prints; a terminal names the check already, as it ticks."""
        return nullcontext() if self._terminal else self.group(check)

    @property
    def actions(self) -> bool:
        """Whether a runner reads it."""
        return self._actions

    def error(self, title: str, text: str) -> None:
        """An error annotation; a line elsewhere, without the title."""
        self._annotate("error", title, text)

    def warning(self, title: str, text: str) -> None:
        """A warning annotation; a line elsewhere, without the title."""
        self._annotate("warning", title, text)

    def _annotate(self, kind: str, title: str, text: str) -> None:
        lines = "\n".join(own_lines(with_short_ids(text)))
        if not self._actions:
            self.say(f"{kind}: {lines}", style=_STYLES[kind], loud=True)
            return
        self._write(f"::{kind} title={_escape_property(printable(one_line(title)))}::{_escape(lines)}")

    def _write(self, line: str, style: str = "", *, wrap: bool = False) -> None:
        if self._silent:
            return
        try:
            shown = _encodable(redacted(line), self._stream)
            if self._terminal:
                self._terminal.write(shown, style, wrap=wrap)
            else:
                self._stream.write(f"{shown}\n")
            self._stream.flush()
        except (OSError, ValueError):
            self._silent = True
            _discard(self._stream)


def _encodable(line: str, stream: TextIO) -> str:
    encoding = stream.encoding or "utf-8"
    return line.encode(encoding, "replace").decode(encoding)


def _discard(stream: TextIO) -> None:
    """Lets the interpreter flush into nothing when it ends, instead of failing there with a status of its own."""
    with suppress(OSError, ValueError):
        if stream is sys.stdout or stream is sys.stderr:
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, stream.fileno())
            os.close(nothing)


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
