"""How often a service is asked: never so often that a usual limit of rate is reached, and quickly while it is early."""

from collections.abc import Callable

import pytest

from freshness.core.answer import Answer, AnswerKind, more_informative
from freshness.core.pace import LONGEST_PAUSE, LONGEST_WISH, pause_after

TAKES = 0.01
"""Seconds that a question takes, with a look at the container."""


def status(code: int, retry_after: float | None = None) -> Answer:
    return Answer(kind=AnswerKind.STATUS, got=f"HTTP {code}", status=code, is_whole=True, retry_after=retry_after)


NO_CONNECTION = Answer(kind=AnswerKind.NO_CONNECTION, got="refused")
NO_ANSWER = Answer(kind=AnswerKind.NO_ANSWER, got="nothing in time")
NOT_HTTP = Answer(kind=AnswerKind.NOT_HTTP, got="no HTTP")


def times(answer: Callable[[float, int], Answer], seconds: float) -> list[float]:
    """When the questions come, where `answer` tells what each gets by its time and its number."""
    asked: list[float] = []
    now, answers = 0.0, 0
    while now < seconds:
        asked.append(now)
        got = answer(now, len(asked))
        answers += got.kind in {AnswerKind.STATUS, AnswerKind.NOT_HTTP}
        now += TAKES + pause_after(got, answers=answers, elapsed=now)
    return asked


def most_within(asked: list[float], seconds: float) -> int:
    return max(sum(one <= other < one + seconds for other in asked) for one in asked)


@pytest.mark.parametrize("answer", [status(503), status(404), status(302), NOT_HTTP])
def test_no_minute_has_sixty_questions(answer: Answer) -> None:
    """Fails when the pauses of `pause_after` do not grow, or end below LONGEST_PAUSE."""
    assert most_within(times(lambda _now, _number: answer, 600), 60) < 60


@pytest.mark.parametrize("limit", [30, 60, 120])
def test_a_service_that_limits_its_rate_gets_healthy_all_the_same(limit: int) -> None:
    """What is asked too often is counted too, and answered by 429; the service is ready after 20 s.

    Fails when 429 does not slow the questions down.
    """
    ready: list[float] = []
    asked: list[float] = []

    def answer(now: float, _number: int) -> Answer:
        asked.append(now)
        if sum(now - 60 < one for one in asked) > limit:
            return status(429)
        if now < 20:
            return status(503)
        ready.append(now)
        return status(200)

    times(answer, 90)

    assert ready
    assert ready[0] < 25 or limit < 60


@pytest.mark.parametrize("after", [0.1, 0.2, 0.5, 0.8])
@pytest.mark.parametrize("before", [NO_CONNECTION, NO_ANSWER, status(503)])
def test_health_that_comes_early_is_noticed_within_a_tenth_of_a_second(before: Answer, after: float) -> None:
    """Fails when `pause_after` slows down at once."""
    asked = times(lambda _now, _number: before, 60)

    assert next(one for one in asked if one >= after) - after < 0.1


@pytest.mark.parametrize("after", [2, 4.5, 10, 60, 600])
def test_a_service_that_listens_late_is_noticed_soon(after: float) -> None:
    """Fails when a try that costs the service nothing slows down as a question does."""
    asked = times(lambda _now, _number: NO_CONNECTION, 700)

    late = next(one for one in asked if one >= after) - after
    assert late < max(0.1, min(after * 0.03, 0.6))


def test_a_service_is_asked_again_when_it_says() -> None:
    """Fails when `pause_after` does not look at `retry_after`, or lets it be as long as it likes."""
    assert pause_after(status(503, 7), answers=1, elapsed=1) == 7
    assert pause_after(status(429, 7), answers=1, elapsed=1) == 7
    assert pause_after(status(429, 9000), answers=1, elapsed=1) == LONGEST_WISH
    assert pause_after(status(429, 0), answers=1, elapsed=1) == LONGEST_PAUSE
    assert pause_after(status(429), answers=1, elapsed=1) == LONGEST_PAUSE
    assert pause_after(status(404, 7), answers=1, elapsed=1) < 0.1


def test_silence_hides_no_status_that_was_seen() -> None:
    """Fails when `more_informative` takes the last answer whatever it is."""
    seen = status(503)

    assert more_informative(seen, NO_ANSWER, had_its_time=True) is seen
    assert more_informative(NOT_HTTP, NO_ANSWER, had_its_time=True) is NOT_HTTP
    assert more_informative(NO_CONNECTION, NO_ANSWER, had_its_time=False) is NO_CONNECTION
    assert more_informative(NO_CONNECTION, NO_ANSWER, had_its_time=True) is NO_ANSWER
    assert more_informative(None, NO_ANSWER, had_its_time=False) is NO_ANSWER
    assert more_informative(seen, NO_CONNECTION, had_its_time=True) is NO_CONNECTION
    assert more_informative(NO_ANSWER, seen, had_its_time=False) is seen
