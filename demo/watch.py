"""A client that asks production without pause, as users do, while a promotion goes on."""

import threading
import time
from types import TracebackType
from typing import Self

from demo.engine import revision_served
from demo.places import PRODUCTION

_PAUSE = 0.02  # seconds


class Watch:
    """Asks for as long as its `with` block lasts.

    `answers` are all revisions that were named, `gap` is the longest time without an answer, in seconds.
    """

    def __init__(self) -> None:
        self.answers: set[str] = set()
        self.gap = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _ask(self) -> None:
        last = time.monotonic()
        while not self._ended.wait(_PAUSE):
            answer = revision_served(PRODUCTION)
            now = time.monotonic()
            self.gap = max(self.gap, now - last)
            if answer:
                self.answers.add(answer)
                last = now
