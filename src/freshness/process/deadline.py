"""Ends the waiting for an answer at its deadline: a server that drips would hold a read for ever."""

import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from freshness.process.signals import STOPPING

if TYPE_CHECKING:
    from concurrent.futures import Future

Value = TypeVar("Value")
Other = TypeVar("Other")
Given = ParamSpec("Given")


def within(seconds: float, ask: Callable[Given, Value], /, *args: Given.args, **kwargs: Given.kwargs) -> Value:
    """What `ask` returns, or raises. A thread asks, and is left behind where that takes longer: then TimeoutError."""
    return _begin(lambda: ask(*args, **kwargs)).result(seconds)


def attended(seconds: float, each: float, look: Callable[[], object], ask: Callable[[], Value]) -> Value:
    """As `within`, of what may say nothing for long: after `each` so many seconds it has a `look`, which may raise."""
    answer, deadline = _begin(ask), time.monotonic() + seconds
    while not answer.done():
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        with suppress(TimeoutError):
            answer.result(min(each, left))
        if not answer.done():
            look()
    return answer.result()


def both(ask: Callable[[], Value], ask_too: Callable[[], Other]) -> tuple[Value, Other]:
    """What the two return that are asked at once, or what one raises; each has a deadline of its own."""
    begun = _begin(ask_too)
    return ask(), begun.result()


def _begin(ask: Callable[[], Value]) -> "Future[Value]":
    from concurrent.futures import Future  # with it comes logging

    answer: Future[Value] = Future()

    def work() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)  # they are for the thread that waits
        try:
            answer.set_result(ask())
        except BaseException as error:  # noqa: BLE001 -- raised again by `result`
            answer.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return answer
