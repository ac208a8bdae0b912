"""Of which pull request a workflow run was, and that its head is no other by now."""

from typing import Any

import pytest

from freshness.core.agreement import settle
from freshness.core.event import interpret
from freshness.core.revision import Candidate
from freshness.errors import Refused, Superseded
from freshness.git.resolve_commit import needs_forge
from tests.payloads import load

HEAD = "1f0c2a9b7d6e4f3a8b5c9d0e1f2a3b4c5d6e7f80"
OTHER = "b" * 40
BY_PULLS = ("pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment")


def decide(**changes: object) -> Candidate:
    event, payload, env = load("github/workflow_run")
    run: Any = payload["workflow_run"]
    chosen = interpret(event, {**payload, "workflow_run": {**run, **changes}}, env)
    assert isinstance(chosen, Candidate)
    return chosen


def pull(number: object, sha: object) -> dict[str, object]:
    return {"number": number, "head": {"ref": "feature", "sha": sha}}


@pytest.mark.parametrize("event", BY_PULLS)
@pytest.mark.parametrize("pulls", [[pull(7, HEAD)], [pull(7, HEAD.upper())], [pull(8, OTHER), pull(7, HEAD)]])
def test_a_run_is_of_the_pull_request_whose_head_it_ran_for(event: str, pulls: object) -> None:
    """Fails where only `pull_request`, or a list of one, is looked at."""
    candidate = decide(event=event, pull_requests=pulls)
    assert (candidate.commit, candidate.number, candidate.unnumbered) == (HEAD, 7, False)


@pytest.mark.parametrize("event", BY_PULLS)
def test_a_run_whose_pull_requests_have_other_heads_is_superseded_without_asking(event: str) -> None:
    """Fails where a head that the payload itself calls old counts as a commit of no pull request."""
    with pytest.raises(Superseded, match=rf"head_sha says '{HEAD}', its pull request #7 says '{OTHER}', .* #9 says"):
        decide(event=event, pull_requests=[pull(7, OTHER), pull(9, "c" * 40)])


@pytest.mark.parametrize(
    "wrong", [7, None, {}, {"number": 7}, pull("7", HEAD), pull([7], HEAD), pull(7, HEAD[:12]), pull(7, None)]
)
def test_a_damaged_entry_is_refused_although_another_one_agrees(wrong: object) -> None:
    for pulls in ([wrong], [pull(7, HEAD), wrong]):
        with pytest.raises(Refused, match=r"event\.workflow_run\.pull_requests") as refusal:
            decide(pull_requests=pulls)
        assert not isinstance(refusal.value, Superseded)
    with pytest.raises(Refused, match="expected a list"):
        decide(pull_requests=wrong or "x")


@pytest.mark.parametrize("pulls", [[], None])
@pytest.mark.parametrize("event", BY_PULLS)
def test_a_run_that_names_no_pull_request_is_held_against_every_head(event: str, pulls: object) -> None:
    """GitHub leaves the list empty for forks and for closed ones. Fails where an old head is not asked about."""
    candidate = decide(event=event, pull_requests=pulls)
    assert (candidate.number, candidate.unnumbered, needs_forge(candidate)) == (None, True, True)
    refs = {"refs/heads/feature": HEAD, "refs/pull/6/head": OTHER, "refs/pull/6/merge": HEAD}
    with pytest.raises(Superseded, match=f"says {HEAD}, but no refs/pull/N/head"):
        settle(candidate, refs)
    settled = settle(candidate, refs | {"refs/pull/7/head": HEAD})
    assert (settled.commit, settled.number, settled.unnumbered) == (HEAD, 7, False)


@pytest.mark.parametrize("event", ["push", "schedule", "workflow_dispatch", "merge_group", None, 7])
def test_a_run_of_another_event_is_of_no_pull_request(event: object) -> None:
    """GitHub lists open pull requests of the branch for a push as well."""
    candidate = decide(event=event, pull_requests=[pull(7, OTHER)])
    assert (candidate.number, candidate.unnumbered) == (None, False)


def test_on_gitea_the_number_stands_in_the_path() -> None:
    candidate = decide(path="ci.yml@refs/pull/12/head", pull_requests=None)
    assert (candidate.number, candidate.unnumbered) == (12, False)
