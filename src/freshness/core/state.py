"""How a run's decision counts for those who see nothing else of it: a commit's status, and the sign before a title."""

from enum import StrEnum

from freshness.core.promotion import PromotionOutcome
from freshness.core.verdict import Verdict


class State(StrEnum):
    """The words of both forges. Gitea takes any other one too, which then counts as pending for ever."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


_GOOD = frozenset({Verdict.FRESH, PromotionOutcome.PROMOTED, PromotionOutcome.UNCHANGED})
_UNPROVEN = frozenset({Verdict.DISABLED, Verdict.OUT_OF_SCOPE})
_BAD = (frozenset(Verdict) | frozenset(PromotionOutcome)) - _GOOD - _UNPROVEN - {Verdict.ERROR}


def state_of(decision: str) -> State | None:
    """None for what opens without a proof, which must satisfy no protection; `error` for what nobody knows."""
    if decision in _UNPROVEN:
        return None
    if decision in _GOOD:
        return State.SUCCESS
    return State.FAILURE if decision in _BAD else State.ERROR
