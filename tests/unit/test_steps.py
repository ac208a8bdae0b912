"""Every step is recorded with how it ended, and the error that ends the run goes on."""

from collections.abc import Iterator

import pytest

from freshness.core.check import CheckName, CheckResult
from freshness.core.verdict import Verdict
from freshness.errors import EngineError, FreshnessError, Interrupted, SettingsError, Stale, Superseded, Unhealthy
from freshness.report.steps import Steps


def ticking() -> Steps:
    """Steps whose clock goes on by one second whenever it is asked."""
    seconds: Iterator[int] = iter(range(1000))
    return Steps(clock=lambda: float(next(seconds)))


def test_a_step_that_ends_well_passed_and_is_timed() -> None:
    steps = ticking()
    with steps.step(CheckName.BUILD, "an image") as step:
        step.got = "sha256:1"

    (check,) = steps.checks
    assert (check.name, check.result, check.got, check.expected) == (
        "build", CheckResult.PASSED, "sha256:1", "an image",
    )  # fmt: skip
    assert (check.seconds, check.verdict, steps.exit_status) == (1.0, Verdict.FRESH, 0)


@pytest.mark.parametrize(
    ("error", "result", "verdict", "status"),
    [
        (Stale("got", "do"), CheckResult.FAILED, Verdict.STALE, 1),
        (Unhealthy("got", "do"), CheckResult.FAILED, Verdict.UNHEALTHY, 1),
        (Superseded("got", "do"), CheckResult.FAILED, Verdict.SUPERSEDED, 1),
        (SettingsError("got", "do"), CheckResult.ERROR, Verdict.ERROR, 2),
        (EngineError("got", "do"), CheckResult.ERROR, Verdict.ERROR, 3),
    ],
)
def test_an_error_is_recorded_and_goes_on(
    error: FreshnessError, result: CheckResult, verdict: Verdict, status: int
) -> None:
    """I5. Breaks when a step swallows the error that ended it."""
    steps = ticking()
    with pytest.raises(FreshnessError) as raised, steps.step(CheckName.OWNER, "free"):
        raise error

    (check,) = steps.checks
    assert raised.value is error
    assert (check.result, check.verdict, check.got, check.remedy) == (result, verdict, "got", "do")
    assert steps.exit_status == status


def test_an_interrupt_records_nothing_and_goes_on() -> None:
    """Breaks when an interrupted step is recorded as passed."""
    steps = ticking()
    with pytest.raises(Interrupted), steps.step(CheckName.BUILD, "an image"):
        raise Interrupted(15)

    assert steps.checks == []
