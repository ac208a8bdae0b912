"""What one question by HTTP brought: an answer from its status to its end, or in words why there is none."""

import re
from collections.abc import Collection
from enum import StrEnum

from msgspec import Struct

SUCCESS = range(200, 300)
SHOWN = 120  # characters of untrusted text in a sentence
_TITLE = r"(?i)<title[^>]*>([^<]*)"
_UNSEEN = r"[^\S ]|[^\x20-\x7e\xa0-\U0010ffff]|[\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
"""To compile it takes 2 ms: that is left to its first use."""


class AnswerKind(StrEnum):
    """An answer's status, bytes that are no answer, a connection that was refused or closed, or nothing in time."""

    STATUS = "status"
    NOT_HTTP = "noise"
    NO_CONNECTION = "nobody"
    NO_ANSWER = "nothing"


class Answer(Struct, frozen=True, kw_only=True):
    """`got` says it in words. `status` is None where the end of the headers never came.

    `is_whole`: the body came to its end, or there is more of it than anybody reads. `retry_after` are the seconds that
    the answer asks for, None where it asks for none.
    """

    kind: AnswerKind
    got: str
    status: int | None = None
    is_whole: bool = False
    retry_after: float | None = None
    wanted: Collection[int] = SUCCESS

    @property
    def is_good(self) -> bool:
        """Whether it is a whole answer with a status that is wanted: what was cut short proves nothing."""
        return self.is_whole and self.status in self.wanted


def more_informative(before: Answer | None, now: Answer, *, had_its_time: bool) -> Answer:
    """Which of two answers a person should hear of: the last one, but silence hides no status that was seen.

    `had_its_time`: the last question could wait as long as any; one that was cut by the deadline says nothing new.
    """
    if before is None or now.kind is not AnswerKind.NO_ANSWER:
        return now
    if before.kind in {AnswerKind.STATUS, AnswerKind.NOT_HTTP} or not had_its_time:
        return before
    return now


def first_line(body: bytes) -> str:
    """The first line of untrusted text that says something, printable and short; a page's title where it has one."""
    text = body.decode(errors="replace")
    title = re.search(_TITLE, text)
    lines = (printable(line) for line in (title[1] if title else text).splitlines())
    return next((line for line in lines if line), "")


def printable(text: str) -> str:
    """Foreign text for the middle of a sentence: on one line, without what is not seen, and short."""
    shown = " ".join(re.sub(_UNSEEN, " ", text).split())
    return shown if len(shown) <= SHOWN else f"{shown[: SHOWN - 1]}…"
