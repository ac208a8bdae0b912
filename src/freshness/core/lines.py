"""Makes lines of bytes that come in pieces, and shows of many lines the first and the last."""

import codecs
import io
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LONGEST_LINE = 16_000  # characters
FIRST = 1_000_000  # characters that are shown as they come
LAST = 100_000  # characters that are shown at the end
_EACH = 8  # characters that a line costs by itself

Show = Callable[[str], object]


class Lines:
    """Text of UTF-8, line by line without its end; a line without one comes in pieces. What is no UTF-8 is marked."""

    def __init__(self) -> None:
        utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._decoder = io.IncrementalNewlineDecoder(utf8, translate=True)
        self._rest = ""

    def feed(self, data: bytes, *, is_last: bool = False) -> Iterator[str]:
        """The lines that are whole by now; all that is left where these are the last bytes."""
        *whole, self._rest = (self._rest + self._decoder.decode(data, final=is_last)).split("\n")
        for line in whole:
            yield from _pieces(line)
        while len(self._rest) >= LONGEST_LINE:
            yield self._rest[:LONGEST_LINE]
            self._rest = self._rest[LONGEST_LINE:]
        if is_last and self._rest:
            yield self._rest
            self._rest = ""


def _pieces(line: str) -> Iterator[str]:
    yield from (line[start : start + LONGEST_LINE] for start in range(0, len(line) or 1, LONGEST_LINE))


class Excerpt:
    """Shows the first lines as they come, keeps the last ones, and counts what lies between."""

    def __init__(self, show: Show, first: int = FIRST, last: int = LAST) -> None:
        self._show = show
        self._room = first
        self._longest = last
        self._kept: deque[str] = deque()
        self._size = 0
        self._lines = 0
        self._characters = 0

    def add(self, line: str) -> None:
        """One more line."""
        if self._room > 0:
            self._room -= len(line) + _EACH
            self._show(line)
            if self._room <= 0:
                self._show(f"… There may be more: its last {self._longest} characters are shown at the end.")
            return
        self._kept.append(line)
        self._size += len(line) + _EACH
        while self._size > self._longest:
            dropped = self._kept.popleft()
            self._size -= len(dropped) + _EACH
            self._lines += 1
            self._characters += len(dropped)

    def end(self) -> None:
        """Says how much was left out, and shows the last lines."""
        if self._lines:
            self._show(f"… {self._lines} lines with {self._characters} characters are omitted here.")
        for line in self._kept:
            self._show(line)
        self._kept.clear()


@contextmanager
def excerpt(show: Show) -> Iterator[Show]:
    """Shows of what it is given at most `FIRST` and `LAST` characters, however the block ends."""
    shown = Excerpt(show)
    try:
        yield shown.add
    finally:
        shown.end()
