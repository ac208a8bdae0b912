"""A line of the log for each check, and what is left to say at the end."""

from collections.abc import Iterable

from freshness.ci.log import Log
from freshness.core.check import Check, CheckName, CheckResult
from freshness.core.decision import what_failed

MARKS = {CheckResult.PASSED: "✓", CheckResult.FAILED: "✗", CheckResult.ERROR: "!", CheckResult.NOT_RUN: "-"}
WAITING = frozenset(
    {
        CheckName.LOCK,
        CheckName.BUILD,
        CheckName.RECREATION,
        CheckName.ROLLOUT,
        CheckName.HEALTH,
        CheckName.STAGING_CHECK,
        CheckName.HOLD,
        CheckName.REGISTRY,
        CheckName.OVERLAP,
        CheckName.REMOVAL,
        CheckName.ROLLBACK,
    }
)
"""The checks that may take long, on which a terminal shows how long they have taken. They fork no process of ours."""
FOLDED = frozenset({CheckName.BUILD})
"""The checks whose output a terminal shows only where they did not pass: a build prints hundreds of lines."""
_WORTH_TELLING = 0.05  # seconds


def tell_check(log: Log, check: Check) -> None:
    """How a check ended; one that did not pass stands out."""
    if check.result is CheckResult.PASSED:
        log.say(f"{MARKS[check.result]} {check.name}: {check.got}{took(check)}", style="green")
        return
    failed = what_failed(check).removesuffix(".")
    log.say(f"{MARKS[check.result]} {check.name}: {failed}{took(check)}", style="bold red", loud=True)


def took(check: Check) -> str:
    """How long, in parentheses; nothing where it took no time."""
    return f" ({check.seconds:.1f} s)" if check.seconds >= _WORTH_TELLING else ""


def left_to_say(reason: str, checks: Iterable[Check]) -> str:
    """The reason without what the lines of the failed checks have said: what to do, and what it comes to."""
    for check in checks:
        if check.result in {CheckResult.FAILED, CheckResult.ERROR}:
            before, _, after = reason.partition(f"{check.name.capitalize()}: {what_failed(check)}")
            reason = f"{before}{after.lstrip()}"
    return reason.strip()


def not_reached(checks: Iterable[Check]) -> str:
    """All checks that did not run, in one line; empty where there are none."""
    names = ", ".join(check.name for check in checks if check.result is CheckResult.NOT_RUN)
    return f"{MARKS[CheckResult.NOT_RUN]} not reached: {names}" if names else ""
