"""Asks several at once, so that one that is slow or gone holds none of the others up."""

import time
from collections.abc import Callable, Mapping
from threading import Thread
from typing import TypeVar

from freshness.errors import EngineError, FreshnessError

_T = TypeVar("_T")
ANSWER_SECONDS = 10
"""For each of several Docker hosts."""


def ask_each(questions: Mapping[str, Callable[[], _T]], seconds: float) -> dict[str, _T | FreshnessError]:
    """As `ask_all`; one alone is asked for as long as it takes."""
    if len(questions) > 1:
        return ask_all(questions, seconds)
    return {name: question() for name, question in questions.items()}


def ask_all(questions: Mapping[str, Callable[[], _T]], seconds: float) -> dict[str, _T | FreshnessError]:
    """What each answers, or why it does not; nobody is waited for longer than these seconds.

    Who answers later is not heard: its thread ends with this process.
    """
    answers: dict[str, _T | FreshnessError] = {}

    def ask(name: str, question: Callable[[], _T]) -> None:
        try:
            answers[name] = question()
        except FreshnessError as error:
            answers[name] = error

    threads = [Thread(target=ask, args=asked, daemon=True) for asked in questions.items()]
    until = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0, until - time.monotonic()))
    late = f"it did not answer within {seconds:g} s."
    return {
        name: answers.get(name) or EngineError(f"{name}: {late}", "Check that host and the network to it.")
        for name in questions
    }
