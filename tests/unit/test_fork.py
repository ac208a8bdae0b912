"""Which switches let a fork's commit be built, under which event."""

import pytest

from freshness.core.event.rules import RULES
from freshness.core.fork import UNKNOWN_REPOSITORY, refuse_fork
from freshness.core.revision import Candidate
from freshness.errors import Refused

WITHOUT_SECRETS = ("pull_request", "pull_request_review", "pull_request_review_comment")


def candidate(event: str, fork: str | None = "eve/app") -> Candidate:
    return Candidate(commit="a" * 40, source="event.pull_request.head.sha", event=event, note="", fork=fork)


@pytest.mark.parametrize("event", ["", *RULES])
def test_a_fork_is_refused_unless_it_is_allowed(event: str) -> None:
    for fork in ("eve/app", UNKNOWN_REPOSITORY):
        with pytest.raises(Refused, match=f"comes from {fork}, not from this repository"):
            refuse_fork(candidate(event, fork), allowed=False, allowed_with_secrets=True)
    refuse_fork(candidate(event, None), allowed=False, allowed_with_secrets=False)


@pytest.mark.parametrize(("event", "is_taken"), [("workflow_dispatch", True), ("", True), ("issue_comment", False)])
def test_a_merged_head_whose_branch_is_gone_has_another_way_where_there_is_one(event: str, *, is_taken: bool) -> None:
    """Whose it is, is asked for `revision` alone. Fails where that is advised on an event that takes none."""
    with pytest.raises(Refused, match="restore it") as refusal:
        refuse_fork(candidate(event, UNKNOWN_REPOSITORY), allowed=False, allowed_with_secrets=False)
    assert ("give its commit in `revision`" in refusal.value.remedy) == is_taken


@pytest.mark.parametrize("event", WITHOUT_SECRETS)
def test_one_switch_is_enough_where_forges_withhold_secrets(event: str) -> None:
    refuse_fork(candidate(event), allowed=True, allowed_with_secrets=False)


@pytest.mark.parametrize("event", [event for event in ("", *RULES) if event not in WITHOUT_SECRETS])
def test_where_secrets_are_at_hand_it_takes_two_switches(event: str) -> None:
    """Fails where pull_request_target, workflow_run or issue_comment counts as pull_request."""
    with pytest.raises(Refused, match="`allow-forks` alone is not enough"):
        refuse_fork(candidate(event), allowed=True, allowed_with_secrets=False)
    refuse_fork(candidate(event), allowed=True, allowed_with_secrets=True)
