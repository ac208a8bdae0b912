"""How soon a service is asked for its health again: quickly while that may be noticed, then ever more slowly."""

from freshness.core.answer import Answer, AnswerKind

SOONEST = 0.04  # seconds: health that comes early is noticed within 0.1 s of the first good answer
QUICK_ANSWERS = 12
GROWTH = 1.25
LONGEST_PAUSE = 3.0
LONGEST_SILENT_PAUSE = 0.5
LONGEST_WISH = 10.0
TOO_MANY, UNAVAILABLE = 429, 503


def silent_pause(elapsed: float) -> float:
    """Seconds between two tries that cost a service nothing: 2 % of the `elapsed` time."""
    return min(max(SOONEST, elapsed / 50), LONGEST_SILENT_PAUSE)


def pause_after(answer: Answer, *, answers: int, elapsed: float) -> float:
    """Seconds until the next question, after so many `answers` that were not good, and so much time.

    It asks fewer than 60 times in the first minute and 20 times in each that follows, so that no usual limit of rate is
    reached by it. A service that says when to come again is asked then, but not later than after LONGEST_WISH.
    """
    if answer.kind in {AnswerKind.NO_CONNECTION, AnswerKind.NO_ANSWER}:
        return silent_pause(elapsed)
    pause = min(SOONEST * GROWTH ** max(answers - QUICK_ANSWERS, 0), LONGEST_PAUSE)
    if answer.status == TOO_MANY:
        pause = LONGEST_PAUSE
    if answer.status in {TOO_MANY, UNAVAILABLE} and answer.retry_after is not None:
        pause = max(pause, min(answer.retry_after, LONGEST_WISH))
    return pause
