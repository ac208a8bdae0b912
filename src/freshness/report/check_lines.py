"""A line of the log for each check, short enough for a person; the report has the full ids."""

import re
from collections.abc import Iterable

from freshness.ci.log import Log
from freshness.core.check import Check, CheckName, CheckResult

MARKS = {CheckResult.PASSED: "✓", CheckResult.FAILED: "✗", CheckResult.ERROR: "!", CheckResult.NOT_RUN: "-"}
WAITING = frozenset(
    {
        CheckName.LOCK,
        CheckName.BUILD,
        CheckName.RECREATION,
        CheckName.HEALTH,
        CheckName.STAGING_CHECK,
        CheckName.HOLD,
        CheckName.REGISTRY,
        CheckName.OVERLAP,
        CheckName.RETIREMENT,
        CheckName.WAY_BACK,
    }
)
"""The checks that may take long, on which a terminal shows how long they have taken. They fork no process of ours."""
_ID = re.compile(r"(?<![0-9a-f])([0-9a-f]{12})[0-9a-f]{28,52}(?![0-9a-f])")


def tell_check(log: Log, check: Check) -> None:
    """How a check ended; one that did not pass stands out."""
    has_passed = check.result is CheckResult.PASSED
    line = f"{MARKS[check.result]} {check.name}: {with_short_ids(check.got)} ({check.seconds:.1f} s)"
    log.say(line, style="green" if has_passed else "bold red", loud=not has_passed)


def not_reached(checks: Iterable[Check]) -> str:
    """All checks that did not run, in one line; empty where there are none."""
    names = ", ".join(check.name for check in checks if check.result is CheckResult.NOT_RUN)
    return f"{MARKS[CheckResult.NOT_RUN]} not reached: {names}" if names else ""


def with_short_ids(text: str) -> str:
    """The first 12 digits of each full id."""
    return _ID.sub(r"\1", text)
