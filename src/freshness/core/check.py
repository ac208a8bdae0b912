"""One named step of a run and how it ended."""

from dataclasses import dataclass
from enum import StrEnum

from freshness.core.verdict import Verdict


class CheckResult(StrEnum):
    """How a check ended. `error` means that it could not be decided."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    NOT_RUN = "not-run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A step's result: what was got, what was expected, what to do, and how long it took.

    `verdict` is what the gate's verdict becomes because of this check (`FRESH` where it passed).
    """

    name: str
    result: CheckResult
    got: str
    expected: str
    remedy: str = ""
    seconds: float = 0.0
    verdict: Verdict = Verdict.FRESH
