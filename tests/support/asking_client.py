"""A client that asks a port for its revision over and over, with a new connection each time, and keeps every answer."""

import contextlib
import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPException

from tests.support.engines import Sandbox


@dataclass(slots=True)
class Answers:
    """Every good answer in order, as (when it was there, what it said); `failures` counts what was no good answer."""

    good: list[tuple[float, str]] = field(default_factory=list)
    failures: int = 0

    @property
    def revisions(self) -> list[str]:
        """The revisions that answered, each once, in the order of their first answer."""
        return list(dict.fromkeys(said for _, said in self.good))

    @property
    def gap(self) -> float:
        """The longest time between two good answers, in seconds."""
        times = [when for when, _ in self.good]
        return max((later - earlier for earlier, later in itertools.pairwise(times)), default=0.0)

    def __str__(self) -> str:
        return f"{len(self.good)} answers, {self.failures} failures, longest gap {self.gap * 1000:.0f} ms"


@contextlib.contextmanager
def asking(sandbox: Sandbox, port: int, path: str = "/version", *, pause: float = 0) -> Iterator[Answers]:
    """Asks for as long as the block lasts; without a `pause` of so many seconds that takes a processor.

    The thread has the network that its maker has entered.
    """
    answers, ended = Answers(), threading.Event()

    def ask() -> None:
        while True:
            is_last = ended.is_set()  # one more after the end, so that what is left has answered too
            _ask(sandbox, port, path, answers)
            if is_last:
                return
            ended.wait(pause)

    thread = threading.Thread(target=ask, name="asking client")
    thread.start()
    try:
        yield answers
    finally:
        ended.set()
        thread.join()


def _ask(sandbox: Sandbox, port: int, path: str, answers: Answers) -> None:
    try:
        status, body = sandbox.get(port, path, timeout=1)
    except (OSError, HTTPException):
        status, body = 0, ""
    if status != 200:
        answers.failures += 1
        return
    answers.good.append((time.monotonic(), body.strip()))
