"""Makes text harmless for a runner's log: no terminal escapes, no workflow commands."""

import re
from collections.abc import Iterator

# CSI, OSC (ended by BEL or ST), and every other escape sequence of ECMA-48.
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])?")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
# Line ends that only some readers know, characters that turn the order of a line around, and those that nobody sees.
_MISLEADING = re.compile(
    "[\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
LINE_END = re.compile(r"\r\n|\r|\n")
# GitHub's runner finds the old form of a command anywhere in a line.
_OLD_COMMAND = ("##[", "# #[")
_LONGEST = 4000  # characters of one line


def printable(line: str, longest: int | None = _LONGEST) -> str:
    """One line without escape sequences and control characters, cut where it is longer than a person reads."""
    shown = _MISLEADING.sub(" ", _CONTROL.sub("", _ESCAPE.sub("", line)))
    if longest is not None and len(shown) > longest:
        shown = f"{shown[:longest]}… ({len(shown) - longest} more characters)"
    return shown.replace(*_OLD_COMMAND)


def own_lines(text: str, longest: int | None = _LONGEST) -> Iterator[str]:
    """The lines of a sentence of ours, whose embedded untrusted values can begin no workflow command."""
    for line in LINE_END.split(text):
        shown = printable(line, longest)
        yield f"· {shown}" if shown.lstrip().startswith("::") else shown


def one_line(text: str, limit: int = 8000) -> str:
    """The text on a single line of at most `limit` characters, for places where a line end would mean something."""
    shown = " ".join(_MISLEADING.sub(" ", _CONTROL.sub(" ", _ESCAPE.sub("", text))).split()).replace(*_OLD_COMMAND)
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"
