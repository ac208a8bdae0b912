"""Signals: the first one ends the run as an exception, unless a change of the host is under way."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from freshness.errors import Interrupted

STOPPING = (signal.SIGINT, signal.SIGTERM)


def raise_on_signals() -> None:
    """From now on SIGINT and SIGTERM raise Interrupted wherever the run is."""
    for number in STOPPING:
        signal.signal(number, _raise)


def _raise(number: int, _frame: FrameType | None) -> None:
    raise Interrupted(number)


@contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Signals that arrive inside the block raise Interrupted when it is left: its change is not cut in the middle."""
    arrived: list[int] = []
    before = {number: signal.signal(number, lambda got, _frame: arrived.append(got)) for number in STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if arrived:
        raise Interrupted(arrived[0])
