"""Writes the job's log: our sentences, foreign text marked as such, groups and annotations."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from freshness.ci.sanitizing import LINE_END, one_line, own_lines, printable
from freshness.core.secret import redacted

# Not a blank: GitHub's runner trims leading blanks before it looks for a command.
_MARK = "│ "


class Log:
    """The log on a stream. `actions` says whether a runner reads it, and groups and annotations mean something.

    Each line is flushed at once. A reader that went away silences the log, and never fails the run.
    """

    def __init__(self, stream: TextIO, *, actions: bool) -> None:
        self._stream = stream
        self._actions = actions
        self._silent = False

    def say(self, text: str) -> None:
        """One or more lines of ours."""
        for line in own_lines(text):
            self._write(line)

    def untrusted(self, data: str | bytes) -> None:
        """Text that others wrote, whole lines of it: each is marked, and commands neither runner nor terminal."""
        text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
        for line in LINE_END.split(text.removesuffix("\n")):
            self._write(_MARK + printable(line))

    @contextmanager
    def group(self, title: str) -> Iterator[None]:
        """A fold in the runner's log; a plain line elsewhere."""
        shown = printable(one_line(title, limit=200))
        if not self._actions:
            self.say(shown)
            yield
            return
        self._write(f"::group::{shown}")
        try:
            yield
        finally:
            self._write("::endgroup::")

    def error(self, title: str, text: str) -> None:
        """An error annotation; a line elsewhere."""
        self._annotate("error", title, text)

    def warning(self, title: str, text: str) -> None:
        """A warning annotation; a line elsewhere."""
        self._annotate("warning", title, text)

    def _annotate(self, kind: str, title: str, text: str) -> None:
        lines = "\n".join(own_lines(text))
        if not self._actions:
            self.say(f"{kind}: {one_line(title)}: {lines}")
            return
        self._write(f"::{kind} title={_escape_property(printable(one_line(title)))}::{_escape(lines)}")

    def _write(self, line: str) -> None:
        if self._silent:
            return
        try:
            self._stream.write(_encodable(redacted(line), self._stream) + "\n")
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
