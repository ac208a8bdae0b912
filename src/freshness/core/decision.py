"""Decides from the checks of a gate: the verdict, and the reason in words."""

from collections.abc import Iterable, Sequence

from freshness.core.check import Check, CheckName, CheckResult
from freshness.core.verdict import Verdict

# What must have passed, in this order, before anything may be called fresh.
REQUIRED = (
    CheckName.COMMIT,
    CheckName.SERVICE,
    CheckName.BUILD_CONTEXT,
    CheckName.OWNER,
    CheckName.BUILD,
    CheckName.MOUNTS,
    CheckName.LOCK,
    CheckName.RECREATION,
    CheckName.HEALTH,
    CheckName.STAGING_CHECK,
    CheckName.SAME_CONTAINER,
    CheckName.HOLD,
    CheckName.HEAD,
)


def decide(checks: Iterable[Check]) -> Verdict:
    """The verdict: that of the first check that did not pass. A check that never ran leaves the gate closed.

    No checks at all are an error: nothing found is never fine.
    """
    seen = tuple(checks)
    bad = next((check for check in seen if check.result is not CheckResult.PASSED), None)
    if bad is not None:
        return Verdict.ERROR if bad.verdict.opens else bad.verdict
    passed = {check.name for check in seen}
    return Verdict.FRESH if all(name in passed for name in REQUIRED) else Verdict.ERROR


def explain(checks: Sequence[Check]) -> str:
    """Every reason, not the first: for each check that failed what was got, what was expected, and what to do."""
    bad = [check for check in checks if check.result in {CheckResult.FAILED, CheckResult.ERROR}]
    if not bad:
        missing = [name for name in REQUIRED if name not in {check.name for check in checks}]
        return f"These checks did not run: {', '.join(missing)}." if missing else "Every check passed."
    return " ".join(_sentence(check) for check in bad)


def not_run(checks: Sequence[Check]) -> tuple[Check, ...]:
    """A check for each required name that is missing, so that the report shows what was not reached."""
    seen = {check.name for check in checks}
    return tuple(
        Check(name=name, result=CheckResult.NOT_RUN, got="not reached", expected="passed", verdict=Verdict.ERROR)
        for name in REQUIRED
        if name not in seen
    )


def what_failed(check: Check) -> str:
    """What was got and what was expected, in a sentence."""
    told = not check.expected or "expected" in check.got
    return f"{check.got.rstrip('.')}{'' if told else f'; expected {check.expected}'}."


def _sentence(check: Check) -> str:
    return f"{check.name.capitalize()}: {what_failed(check)} {check.remedy}".strip()
