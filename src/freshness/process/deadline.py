"""Ends the waiting for an answer at its deadline: a server that drips would hold a read for ever."""

import signal
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from freshness.process.signals import STOPPING

Value = TypeVar("Value")
Given = ParamSpec("Given")


def within(seconds: float, ask: Callable[Given, Value], /, *args: Given.args, **kwargs: Given.kwargs) -> Value:
    """What `ask` returns, or raises. A thread asks, and is left behind where that takes longer: then TimeoutError."""
    from concurrent.futures import Future  # with it comes logging

    answer: Future[Value] = Future()

    def work() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)  # they are for the thread that waits
        try:
            answer.set_result(ask(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 -- raised again by `result`
            answer.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return answer.result(seconds)
