"""How a gate ended is one value, made from what its run told."""

import sys
from copy import copy
from functools import partial

import pytest

from freshness.ci.log import Log
from freshness.core.check import CheckName, CheckResult
from freshness.core.decision import REQUIRED
from freshness.core.verdict import Verdict
from freshness.errors import EngineError, FreshnessError, Interrupted, MachineError, Stale
from freshness.gate.request import Result
from freshness.report.run_log import RunLog
from freshness.report.steps import Found

CONTAINER = {"name": "web-1", "id": "c" * 64, "image_id": "sha256:1"}


def run_through(*names: CheckName, **bad: Verdict) -> RunLog:
    """A run whose checks had these names; `bad` are the verdicts of those that failed, by their members' names."""
    run = RunLog(log=Log(sys.stdout, actions=False))
    for name in names:
        found = Found(value=None, got="this", verdict=bad.get(name.name, Verdict.FRESH), remedy="Mend it.")
        run.check(name, "that", partial(copy, found))
    return run


def break_off(run: RunLog, name: CheckName, error: BaseException) -> None:
    """The run's next check raises this."""

    def find() -> Found[None]:
        raise error

    with pytest.raises(type(error)):
        run.check(name, "that", find)


def test_all_checks_passed_opens() -> None:
    result = Result.decided(run_through(*REQUIRED))

    assert (result.verdict, result.exit_status) == (Verdict.FRESH, 0)
    assert result.reason == "Staging runs this. It is healthy (this) and passed its check (this). Commit: this."


def test_a_later_error_does_not_make_an_error_of_what_failed() -> None:
    """Fails when `_result` takes the exit status of another error than the verdict's."""
    run = run_through(*REQUIRED[:9], HEALTH=Verdict.UNHEALTHY)
    error = EngineError("it hangs.", "Restart it.")
    break_off(run, CheckName.HEAD, error)

    result = Result.ended(run, error)

    assert (result.verdict, result.exit_status) == (Verdict.UNHEALTHY, 1)
    assert "Health: this" in result.reason
    assert "Head: it hangs" in result.reason
    assert {check.name for check in result.checks if check.result is CheckResult.NOT_RUN} == {
        CheckName.STAGING_CHECK, CheckName.SAME_CONTAINER, CheckName.HOLD,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("error", "verdict", "status"),
    [(EngineError("a", "b"), Verdict.ERROR, 3), (Stale("a", "b"), Verdict.STALE, 1)],
)
def test_the_error_that_ended_a_check_is_the_end(error: FreshnessError, verdict: Verdict, status: int) -> None:
    run = run_through(*REQUIRED[:3])
    break_off(run, CheckName.OWNER, error)

    result = Result.ended(run, error)

    assert (result.verdict, result.exit_status) == (verdict, status)


def test_an_error_outside_of_every_check_is_told() -> None:
    """Fails when `ended` tells only which checks did not run."""
    result = Result.ended(run_through(), MachineError("No space left.", "Make room."))

    assert (result.verdict, result.reason, result.exit_status) == (Verdict.ERROR, "No space left. Make room.", 3)


@pytest.mark.parametrize(
    ("at", "container", "words"),
    [
        (CheckName.BUILD, None, "Staging was not touched"),
        (CheckName.RECREATION, None, "Compose was recreating staging"),
        (CheckName.RECREATION, CONTAINER, "Staging runs sha256:1 in the container web-1; it was not proven."),
        (CheckName.HEALTH, CONTAINER, "Staging runs sha256:1 in the container web-1; it was not proven."),
    ],
)
def test_an_interrupt_says_what_state_staging_is_in(at: CheckName, container: object, words: str) -> None:
    """Fails when `_state_of_staging` forgets what was begun, or takes the beginning for the end."""
    run = run_through(*REQUIRED[: REQUIRED.index(at)])
    if container:
        run.found["container"] = container
    break_off(run, at, Interrupted(15))

    result = Result.ended(run, Interrupted(15))

    assert (result.verdict, result.exit_status) == (Verdict.ERROR, 143)
    assert result.reason.startswith(f"The gate was interrupted. {words}")
