"""Signals: the first one ends the run as an exception, unless a change of the host is under way."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from freshness.errors import Interrupted

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The last one comes where a person's connection to the Docker host ends."""


def raise_on_signals() -> None:
    """From now on SIGINT, SIGTERM and SIGHUP raise Interrupted wherever the run is."""
    for number in _heard():
        signal.signal(number, _raise)


def _heard() -> tuple[signal.Signals, ...]:
    """All but a SIGHUP that is to be ignored, as `nohup` has it."""
    return tuple(one for one in STOPPING if one != signal.SIGHUP or signal.getsignal(one) is not signal.SIG_IGN)


def _raise(number: int, _frame: FrameType | None) -> NoReturn:
    ignore_interrupts()
    raise Interrupted(number)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """What follows the first signal: GitHub's runner sends SIGTERM while we may still tell how the SIGINT left things.

    Not SIG_IGN, which children would inherit.
    """


def ignore_interrupts() -> None:
    """From now on SIGINT, SIGTERM and SIGHUP change nothing: what is left to do is little, and is done."""
    for stopping in _heard():
        signal.signal(stopping, _ignore)


@contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Signals that arrive inside the block count when it is left: its change is not interrupted.

    They then raise Interrupted; where another such block stands around it, they wait for that one's end.
    """
    arrived: list[int] = []
    before = {number: signal.signal(number, lambda got, _frame: arrived.append(got)) for number in _heard()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if arrived:
        signal.raise_signal(arrived[0])
