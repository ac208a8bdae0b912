"""From checks to a verdict: only all of them, all passed, are fresh, and every reason is told."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.core.check import Check, CheckName, CheckResult
from freshness.core.decision import REQUIRED, decide, explain, not_run
from freshness.core.verdict import Verdict

OPENING = {Verdict.FRESH, Verdict.DISABLED, Verdict.OUT_OF_SCOPE}
NOT_PASSED = [result for result in CheckResult if result is not CheckResult.PASSED]


def passed(name: CheckName) -> Check:
    return Check(name=name, result=CheckResult.PASSED, got="fine", expected="fine")


def failed(name: CheckName, verdict: Verdict, result: CheckResult = CheckResult.FAILED) -> Check:
    return Check(name=name, result=result, got="this", expected="that", remedy="Mend it.", verdict=verdict)


ALL = tuple(passed(name) for name in REQUIRED)


def test_all_checks_passed_is_fresh() -> None:
    assert decide(ALL) is Verdict.FRESH
    assert explain(ALL) == "Every check passed."
    assert not_run(ALL) == ()


@pytest.mark.parametrize("checks", [(), [], iter(())])
def test_no_checks_are_an_error(checks: Sequence[Check]) -> None:
    """I12. Breaks when `decide` is `all(...)` over what it was given."""
    assert decide(checks) is Verdict.ERROR


@pytest.mark.parametrize("name", REQUIRED)
def test_each_required_check_that_never_ran_keeps_the_gate_closed(name: CheckName) -> None:
    """I12. Breaks when the name is taken out of REQUIRED."""
    rest = tuple(check for check in ALL if check.name != name)

    assert decide(rest) is Verdict.ERROR
    assert explain(rest) == f"These checks did not run: {name}."
    assert [(check.name, check.result) for check in not_run(rest)] == [(name, CheckResult.NOT_RUN)]


def test_the_required_checks_are_those_of_the_gate() -> None:
    assert set(REQUIRED) == {
        "commit", "service", "build context", "owner", "build", "mounts", "lock", "recreation", "health",
        "staging check", "same container", "hold", "head",
    }  # fmt: skip


def test_the_first_check_that_did_not_pass_names_the_verdict() -> None:
    bad = (failed(CheckName.HEALTH, Verdict.UNHEALTHY), failed(CheckName.SAME_CONTAINER, Verdict.STALE))

    assert decide((*ALL[:6], *bad)) is Verdict.UNHEALTHY
    assert decide((*ALL[:6], *reversed(bad))) is Verdict.STALE


def test_every_reason_is_told_with_its_remedy() -> None:
    """Breaks when `explain` stops at the first reason."""
    bad = (
        failed(CheckName.HEALTH, Verdict.UNHEALTHY),
        failed(CheckName.SAME_CONTAINER, Verdict.STALE, CheckResult.ERROR),
    )

    assert explain((*ALL[:6], *bad)) == (
        "Health: this; expected that. Mend it. Same container: this; expected that. Mend it."
    )


def test_what_was_expected_is_not_said_twice() -> None:
    check = Check(name=CheckName.BUILD, result=CheckResult.FAILED, got="status 1, expected 0.", expected="an image")

    assert explain([check]) == "Build: status 1, expected 0."


checks = st.builds(
    Check,
    name=st.sampled_from(CheckName),
    result=st.sampled_from(CheckResult),
    got=st.text(),
    expected=st.text(),
    verdict=st.sampled_from(Verdict),
)


@given(st.lists(checks))
def test_nothing_but_all_checks_passed_ever_opens(some: list[Check]) -> None:
    """I5, I12. Breaks when a check that did not pass, but says `fresh`, is taken at its word."""
    whole = set(REQUIRED) <= {check.name for check in some} and all(
        check.result is CheckResult.PASSED for check in some
    )

    assert (decide(some) in OPENING) == whole


@given(st.lists(checks), st.sampled_from(NOT_PASSED), st.sampled_from(Verdict))
def test_one_check_that_did_not_pass_closes_whatever_else_passed(
    more: list[Check], result: CheckResult, verdict: Verdict
) -> None:
    """I4, I5. Breaks when `not-run` or `error` is passed over."""
    bad = failed(CheckName.HEALTH, verdict, result)

    assert decide((*ALL, bad, *more)) not in OPENING


@pytest.mark.parametrize("verdict", Verdict)
def test_only_three_verdicts_open(verdict: Verdict) -> None:
    """I10. Breaks when `opens` is written as "none of the bad ones", and a new verdict opens."""
    assert verdict.opens == (verdict in OPENING)
