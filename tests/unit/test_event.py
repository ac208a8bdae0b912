"""Which commit an event means, held against recordings of a real forge and against damaged payloads."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.core.event import choose
from freshness.core.hexid import is_full_id
from freshness.core.revision import Candidate
from freshness.errors import Refused, Superseded
from tests.payloads import load, names

GITEA = "gitea-1.26"
HEAD = "1f0c2a9b7d6e4f3a8b5c9d0e1f2a3b4c5d6e7f80"
OTHER = "b" * 40

# What the forge said of refs/pull/N/head and of the pull request once the run had ended: the ground truth.
COMMITS = {
    "docker-pull_request-opened": "b2012abd08",
    "docker-workflow_dispatch": "3bfc1c3586",
    "pull_request-assigned": "8f7ad079f2",
    "pull_request-edited-base": "430a517a95",
    "pull_request-edited-title": "8f7ad079f2",
    "pull_request-labeled": "8f7ad079f2",
    "pull_request-labeled-from-fork": "4a065435cf",
    "pull_request-opened": "2ef4a4d649",
    "pull_request-opened-agit": "9535573c22",
    "pull_request-opened-draft": "e7577f89f5",
    "pull_request-opened-from-fork": "93bac61a78",
    "pull_request-reopened": "8f7ad079f2",
    "pull_request-synchronize": "a784486f40",
    "pull_request-synchronize-head-is-merge-commit": "c43c37e578",
    # A rerun has the old payload. That its commit is no longer the head is seen by asking the forge, not here.
    "pull_request-synchronize-rerun-after-head-moved": "a784486f40",
    "push-by-merge": "499d740c97",
    "push-main": "2e3ea9f518",
    "push-merge-made-by-hand": "1e9bb5416f",
    "push-new-branch": "2ef4a4d649",
    "push-race-1": "2f042328f5",
    "push-tag-lightweight": "2e3ea9f518",
    "push-to-branch-of-closed-pull": "6b87d6b6e4",
    "workflow_dispatch-branch-no-inputs": "8f7ad079f2",
    "workflow_dispatch-inputs": "2e3ea9f518",
}
DISAGREEING = {
    "pull_request-reopened-branch-moved": ("6b87d6b6e4", "e7e6204326"),
    "pull_request-synchronize-race-1": ("1357998753", "2f042328f5"),
}
FORKS = {"pull_request-labeled-from-fork": "eve/app", "pull_request-opened-from-fork": "eve/app"}


def decide(name: str, **changes: str) -> Candidate:
    event, payload, env = load(name)
    return choose(event, payload, env | changes, None)


def damaged(**changes: object) -> tuple[Mapping[str, object], dict[str, str]]:
    """An open pull request of GitHub's whose named fields of `pull_request` are replaced."""
    _, payload, env = load("github/pull_request-opened")
    body: dict[str, Any] = deepcopy(dict(payload))
    body["pull_request"].update(changes)
    return body, env


@pytest.mark.parametrize("name", sorted(COMMITS))
def test_a_recording_of_gitea_gives_the_right_commit(name: str) -> None:
    candidate = decide(f"{GITEA}/{name}")
    assert candidate.commit.startswith(COMMITS[name])
    assert candidate.fork == FORKS.get(name)
    assert candidate.commit in candidate.note


@pytest.mark.parametrize("name", sorted(DISAGREEING))
def test_a_pull_request_of_which_gitea_is_of_two_minds_is_superseded(name: str) -> None:
    with pytest.raises(Superseded) as refusal:
        decide(f"{GITEA}/{name}")
    assert all(commit in str(refusal.value) for commit in DISAGREEING[name])


@pytest.mark.parametrize("name", [name for name in names(GITEA) if name.split("/")[1] not in COMMITS | DISAGREEING])
def test_every_other_recording_is_refused_by_name(name: str) -> None:
    event, _, _ = load(name)
    with pytest.raises(Refused) as refusal:
        decide(name)
    assert event in str(refusal.value) or "Pull request #" in str(refusal.value)
    assert refusal.value.remedy


def test_githubs_merge_commit_is_not_the_validated_commit() -> None:
    candidate = decide("github/pull_request-opened")
    assert candidate == Candidate(
        commit=HEAD,
        source="event.pull_request.head.sha",
        event="pull_request",
        number=7,
        note=candidate.note,
    )
    assert "9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b" in candidate.note
    assert "merge" in candidate.note


@pytest.mark.parametrize(
    ("name", "fork"), [("from-fork", "eve/app"), ("deleted-fork", "a deleted repository"), ("opened", None)]
)
def test_a_fork_is_told_by_comparing_repositories(name: str, fork: str | None) -> None:
    assert decide(f"github/pull_request-{name}").fork == fork


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target", "pull_request_review"])
def test_a_revision_does_not_hide_that_the_pull_request_is_a_forks(event: str) -> None:
    _, payload, env = load("github/pull_request-from-fork")
    assert choose(event, payload, env, HEAD).fork == "eve/app"


def test_a_repository_of_the_forks_name_with_another_id_is_a_fork() -> None:
    payload, env = damaged(head={"sha": HEAD, "repo": {"full_name": "acme/app", "id": 202}})
    assert choose("pull_request", payload, env, None).fork == "acme/app"


def test_a_forked_project_may_take_pull_requests_from_itself() -> None:
    payload, env = damaged(head={"sha": HEAD, "repo": {"full_name": "Acme/App", "id": 101, "fork": True}})
    assert choose("pull_request", payload, env, None).fork is None


@pytest.mark.parametrize("event", ["issue_comment", "workflow_run", "workflow_call", "anything"])
def test_a_revision_is_refused_on_events_that_do_not_tell_forks(event: str) -> None:
    with pytest.raises(Refused, match=event):
        choose(event, {}, {}, HEAD)


def test_a_revision_on_a_pull_request_event_without_payload_is_refused() -> None:
    with pytest.raises(Refused, match=r"event\.pull_request is nothing"):
        choose("pull_request", {}, {"ACT": "true"}, HEAD)


@pytest.mark.parametrize("event", ["", "push", "workflow_dispatch", "schedule", "release"])
def test_a_revision_wins_over_the_event(event: str) -> None:
    candidate = choose(event, {}, {"GITHUB_SHA": OTHER}, HEAD)
    assert (candidate.commit, candidate.source) == (HEAD, "revision")


def test_a_merged_pull_request_is_refused_even_though_its_head_is_known() -> None:
    with pytest.raises(Refused, match="#7 is merged"):
        decide("github/pull_request-closed-merged")


def test_a_push_that_deletes_is_refused() -> None:
    with pytest.raises(Refused, match="deleted"):
        decide("github/push-deleted")


def test_the_tag_object_of_an_annotated_tag_is_not_the_commit() -> None:
    candidate = decide("github/push-tag-annotated")
    assert candidate.commit == HEAD
    assert "aaaabbbb" in candidate.note


def test_a_dispatch_gates_the_tip_that_it_was_started_on() -> None:
    candidate = decide("github/workflow_dispatch")
    assert (candidate.commit, candidate.source) == (HEAD, "GITHUB_SHA")


def test_without_event_and_revision_there_is_nothing_to_gate() -> None:
    with pytest.raises(Refused, match="no event and no `revision`") as refusal:
        choose("", {}, {}, None)
    assert "git rev-parse" in refusal.value.remedy


def test_act_without_an_event_file_is_told_how_to_give_one() -> None:
    with pytest.raises(Refused, match=r"act pull_request -e event\.json"):
        choose("pull_request", {}, {"ACT": "true", "GITHUB_SHA": OTHER}, None)


def test_acts_local_head_is_not_the_pull_requests_head() -> None:
    candidate = decide("github/pull_request-opened", ACT="true", GITHUB_SHA=OTHER)
    assert candidate.commit == HEAD
    assert "local HEAD" in candidate.note


def test_gitea_sets_act_as_well_and_is_still_gitea() -> None:
    with pytest.raises(Superseded):
        decide("github/pull_request-opened", ACT="true", GITEA_ACTIONS="true")


@pytest.mark.parametrize("sha", [None, 7, "", "main", HEAD[:12], "0" * 40, HEAD + "\n", ["x"], {"a": 1}, "x" * 10**6])
def test_a_head_that_is_no_full_id_is_refused_in_one_short_line(sha: object) -> None:
    payload, env = damaged(head={"sha": sha, "repo": {"full_name": "acme/app"}})
    with pytest.raises(Refused) as refusal:
        choose("pull_request", payload, env, None)
    assert "event.pull_request.head.sha" in str(refusal.value)
    assert len(str(refusal.value)) < 800
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("repo", ["acme/app", 7, {}, {"full_name": None}, {"full_name": "a/b\n::set-output"}])
def test_a_payload_that_does_not_say_whose_commit_it_is_is_refused(repo: object) -> None:
    payload, env = damaged(head={"sha": HEAD, "repo": repo})
    with pytest.raises(Refused, match="full_name"):
        choose("pull_request", payload, env, None)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([HEAD, "open", "acme/app"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
_PATHS = st.lists(
    st.sampled_from(
        [
            "pull_request",
            "head",
            "base",
            "repo",
            "sha",
            "state",
            "merged",
            "number",
            "full_name",
            "id",
            "repository",
            "after",
            "deleted",
        ]
    ),
    min_size=1,
    max_size=4,
)


def _replace(value: Any, path: list[str], new: object) -> Any:
    if not path or not isinstance(value, dict):
        return new
    return {**value, path[0]: _replace(value.get(path[0]), path[1:], new)}


@given(
    event=st.sampled_from(["pull_request", "push", "workflow_dispatch"]),
    path=_PATHS,
    new=_JSON,
    sha=st.text() | st.just(HEAD),
)
def test_a_damaged_payload_is_a_commit_or_a_refusal_and_never_a_crash(
    event: str, path: list[str], new: object, sha: str
) -> None:
    _, payload, env = load("github/pull_request-opened")
    try:
        candidate = choose(event, _replace(payload, path, new), env | {"GITHUB_SHA": sha}, None)
    except Refused as refusal:
        said, commit = str(refusal), HEAD
    else:
        said, commit = candidate.note, candidate.commit
    assert "\n" not in said
    assert is_full_id(commit)
