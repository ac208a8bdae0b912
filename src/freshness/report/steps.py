"""Records the steps of a run as checks: what each got, what it expected, and how long it took."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from msgspec import Struct

from freshness.core.check import Check, CheckName, CheckResult
from freshness.core.verdict import Verdict
from freshness.errors import FreshnessError, Refused, wrap_unexpected_errors

Value = TypeVar("Value")


class Found(Struct, Generic[Value], frozen=True, kw_only=True):
    """How a check ended that could be decided: what it `got` in words, and its `value` for what comes next.

    It passed where `verdict` is `FRESH`; else `remedy` says what to do.
    """

    value: Value
    got: str
    verdict: Verdict = Verdict.FRESH
    remedy: str = ""


class Step(Struct, kw_only=True):
    """A step under way: `got` is told when it is known."""

    got: str = ""
    remedy: str = ""
    verdict: Verdict = Verdict.FRESH


class Steps:
    """The checks so far, and the exit status of the error that ended the run (0: none did)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.checks: list[Check] = []
        self.exit_status = 0
        self.ended = 0.0
        """The clock's time at the end of the last check."""
        self._clock = clock

    def forget(self) -> None:
        """What was recorded so far counts no more: the run goes on in another way."""
        self.checks.clear()
        self.exit_status = 0

    @contextmanager
    def step(self, name: CheckName, expected: str) -> Iterator[Step]:
        """Times and records the block as a check. What it raises is recorded and goes on, as a FreshnessError."""
        step, started = Step(), self._clock()
        try:
            with wrap_unexpected_errors():
                yield step
        except FreshnessError as error:
            failed = CheckResult.FAILED if isinstance(error, Refused) else CheckResult.ERROR
            step.verdict, step.got, step.remedy = error.verdict, str(error.args[0]), error.remedy
            self.exit_status = error.exit_status
            self._record(name, failed, step, expected if failed is CheckResult.FAILED else "", started)
            raise
        result = CheckResult.PASSED if step.verdict is Verdict.FRESH else CheckResult.FAILED
        self._record(name, result, step, expected, started)

    def _record(self, name: CheckName, result: CheckResult, step: Step, expected: str, started: float) -> None:
        self.ended = self._clock()
        self.checks.append(
            Check(
                name=name,
                result=result,
                got=step.got,
                expected=expected,
                remedy=step.remedy,
                seconds=self.ended - started,
                verdict=step.verdict,
            )
        )
