"""Reads in buildx's plain output why a build failed: its last words, the failing line, and what that printed last."""

import re

from msgspec import Struct

from freshness.core.quoting import quoted

# BuildKit begins no line of what a step prints like these: it puts the step's number or the time before it.
_ERROR = re.compile(r"ERROR: (?:failed to build: )?(?:failed to solve: )?(.*)")
_STEP = re.compile(r" > \[[^]]*\] (.*):")
_PLACE = re.compile(r"(\S[^|]{0,250}:\d+)")
_MARKED = re.compile(r" *\d+ \| +>>> (.*)")
_TIMED = re.compile(r"\d+\.\d+ (.*)")
_RULER = re.compile(r"-{6,}")
# Of the connection to BuildKit, not of what it was asked to do.
_CUT = re.compile(r"failed to receive status: |listing workers for Build: |(?:rpc error: code = )?Unavailable\b")
_LONGEST = 100  # characters of each quotation, whose beginning and end are kept
_MOST_MARKED = 3  # lines of one statement


class BuildOutput(Struct, kw_only=True):
    """What has been read so far of the lines of a build: untrusted text, each piece short."""

    error: str = ""
    step: str = ""
    printed: str = ""
    place: str = ""
    marked: tuple[str, ...] = ()
    _is_in_step: bool = False
    _before: str = ""

    def read(self, line: str) -> None:
        """One more line."""
        line = line.rstrip("\r\n")
        if _RULER.fullmatch(line):
            place = None if self._is_in_step else _PLACE.fullmatch(self._before)
            self._is_in_step = False
            if place:
                self.place, self.marked = place[1], ()
        elif step := _STEP.fullmatch(line):
            self.step, self.printed, self._is_in_step = step[1], "", True
        elif self._is_in_step and (timed := _TIMED.fullmatch(line)):
            self.printed = timed[1].strip() or self.printed
        elif marked := _MARKED.fullmatch(line):
            self.marked = (*self.marked, marked[1].strip())[:_MOST_MARKED]
        elif error := _ERROR.fullmatch(line):
            self.error = error[1]
        self._before = line

    @property
    def is_cut(self) -> bool:
        """Whether buildx lost its connection to the Engine, as far as its own words say."""
        return _CUT.match(self.error) is not None

    @property
    def why(self) -> str:
        """The failing line, the error and what was printed last, as a sentence; empty where buildx said none of it."""
        statement = " ".join(self.marked) or self.step
        where = f" at {_short(self.place)}" if self.place and self.marked else ""
        said = [f"the failing line{where} is {_short(statement)}"] if statement else []
        said += [f"the error is {_short(self.error)}"] if self.error else []
        said += [f"the last output is {_short(self.printed)}"] if self.printed else []
        sentence = ", ".join(said)
        return f"{sentence[:1].upper()}{sentence[1:]}." if sentence else ""


def _short(text: str) -> str:
    """The text in quotes; of a long one the beginning, and the end, where errors say what went wrong."""
    text = " ".join(text.split())
    half = _LONGEST // 2
    return quoted(text if len(text) <= _LONGEST else f"{text[:half]} … {text[-half:]}")
