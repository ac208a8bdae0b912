"""Every recording of a real Gitea, with what the forge said of the pull request once the run had ended."""

import re
from pathlib import Path

import pytest

from freshness.core.agreement import settle
from freshness.core.event import interpret
from freshness.core.fork import AGIT, UNKNOWN_REPOSITORY
from freshness.core.revision import Candidate, Question
from freshness.errors import Refused, Superseded
from tests import payloads
from tests.payloads import load, names

FORGE = "gitea-1.26"

# The event alone names this commit, and the server had nothing against it: `refs/pull/N/head` said the same.
AGREED = {
    "create-branch": "2ef4a4d649",
    "create-tag-lightweight": "2e3ea9f518",
    "docker-pull_request-opened": "b2012abd08",
    "docker-workflow_dispatch": "3bfc1c3586",
    "pull_request-assigned": "8f7ad079f2",
    "pull_request-closed-by-deleting-fork": "4a065435cf",
    "pull_request-closed-by-deleting-head-branch": "4e5a0f2a53",
    "pull_request-closed-merged-fast-forward": "b35231ee10",
    "pull_request-closed-merged-merge": "b5516f4357",
    "pull_request-closed-merged-rebase": "fb98f73f7a",
    "pull_request-closed-unmerged": "8f7ad079f2",
    "pull_request-edited-base": "430a517a95",
    "pull_request-edited-title": "8f7ad079f2",
    "pull_request-labeled": "8f7ad079f2",
    "pull_request-labeled-after-merge": "b5516f4357",
    "pull_request-labeled-fork-deleted": "4a065435cf",
    "pull_request-labeled-from-fork": "4a065435cf",
    "pull_request-opened": "2ef4a4d649",
    "pull_request-opened-agit": "9535573c22",
    "pull_request-opened-draft": "e7577f89f5",
    "pull_request-opened-from-fork": "93bac61a78",
    "pull_request-reopened": "8f7ad079f2",
    "pull_request-synchronize": "a784486f40",
    "pull_request-synchronize-head-is-merge-commit": "c43c37e578",
    "pull_request_review-approved": "8f7ad079f2",
    "pull_request_review-comment": "8f7ad079f2",
    "pull_request_review_comment-created": "8f7ad079f2",
    "pull_request_target-closed-by-deleting-fork": "4a065435cf",
    "pull_request_target-closed-merged-merge": "b5516f4357",
    "pull_request_target-closed-unmerged": "8f7ad079f2",
    "pull_request_target-edited-base": "430a517a95",
    "pull_request_target-labeled": "8f7ad079f2",
    "pull_request_target-opened": "2ef4a4d649",
    "pull_request_target-opened-from-fork": "93bac61a78",
    "push-by-merge": "499d740c97",
    "push-main": "2e3ea9f518",
    "push-merge-made-by-hand": "1e9bb5416f",
    "push-new-branch": "2ef4a4d649",
    "push-race-1": "2f042328f5",
    "push-tag-lightweight": "2e3ea9f518",
    "push-to-branch-of-closed-pull": "6b87d6b6e4",
    "release-published": "2e3ea9f518",
    "schedule": "b236b58e15",
    "workflow_dispatch-branch-no-inputs": "8f7ad079f2",
    "workflow_dispatch-inputs": "2e3ea9f518",
    "workflow_run-completed-after-pull_request": "2ef4a4d649",
}

# What the event says, and what `refs/pull/N/head` said afterwards: seen only by asking.
MOVED = {
    "pull_request-synchronize-rerun-after-head-moved": ("a784486f40", "430a517a95"),
    "pull_request_target-labeled-closed-branch-moved": ("6b87d6b6e4", "e7e6204326"),
    "pull_request_target-synchronize-race": ("1357998753", "96cdaf2d3c"),
}

# The payload and GITHUB_SHA name two commits: superseded without asking.
OF_TWO_MINDS = {
    "pull_request-labeled-closed-branch-moved": ("6b87d6b6e4", "e7e6204326"),
    "pull_request-reopened-branch-moved": ("6b87d6b6e4", "e7e6204326"),
    "pull_request-synchronize-race-1": ("1357998753", "2f042328f5"),
}

# Only the server knows: the pull request, and its head.
ASKED = {
    "issue_comment-pull-created": (1, "8f7ad079f2"),
    "issue_comment-pull-edited": (1, "8f7ad079f2"),
    "issue_comment-pull-from-fork": (7, "4a065435cf"),
    "issue_comment-pull-head-branch-deleted": (8, "4e5a0f2a53"),
    "issue_comment-pull-merged": (3, "b5516f4357"),
}

REFUSED = {
    "delete-branch": "The event 'delete' names no commit",
    "issue_comment-issue-created": "issue_comment is on issue #2",
    "issues-opened": "The event 'issues' names no commit",
}

FORKS = {
    "pull_request-closed-by-deleting-fork": "eve/app",
    "pull_request-labeled-fork-deleted": "a deleted repository",
    "pull_request-labeled-from-fork": "eve/app",
    "pull_request-opened-agit": AGIT,
    "pull_request-opened-from-fork": "eve/app",
    "pull_request_target-closed-by-deleting-fork": "eve/app",
    "pull_request_target-opened-from-fork": "eve/app",
    "workflow_run-completed-after-pull_request": UNKNOWN_REPOSITORY,
}


@pytest.fixture(scope="module")
def full_ids() -> set[str]:
    """Every full id that stands in a recording."""
    folder = Path(payloads.__file__).parent / FORGE
    return {found for path in folder.iterdir() for found in re.findall(r"\b[0-9a-f]{40}\b", path.read_text())}


def the(short: str, full_ids: set[str]) -> str:
    """The recorded id that begins so; one that only the server named stands for itself."""
    return next((one for one in full_ids if one.startswith(short)), short.ljust(40, "0"))


def decide(name: str) -> Candidate | Question:
    event, payload, env = load(f"{FORGE}/{name}")
    return interpret(event, payload, env)


def test_every_recording_is_judged() -> None:
    judged = [*AGREED, *MOVED, *OF_TWO_MINDS, *ASKED, *REFUSED]
    assert sorted(f"{FORGE}/{name}" for name in judged) == names(FORGE)


@pytest.mark.parametrize("name", AGREED)
def test_an_event_names_the_commit_that_the_server_names(name: str, full_ids: set[str]) -> None:
    """Fails where GITHUB_SHA is taken on a merge or on pull_request_target."""
    candidate, commit = decide(name), the(AGREED[name], full_ids)
    assert isinstance(candidate, Candidate)
    assert (candidate.commit, candidate.fork) == (commit, FORKS.get(name))
    assert commit in candidate.note
    assert settle(candidate, {f"refs/pull/{candidate.number}/head": commit}) == candidate


@pytest.mark.parametrize("name", MOVED)
def test_a_head_that_moved_is_seen_by_asking(name: str, full_ids: set[str]) -> None:
    candidate = decide(name)
    assert isinstance(candidate, Candidate)
    said, server_says = (the(short, full_ids) for short in MOVED[name])
    assert candidate.commit == said
    with pytest.raises(Superseded, match=f"{said}.*refs/pull/{candidate.number}/head says '{server_says}'"):
        settle(candidate, {f"refs/pull/{candidate.number}/head": server_says})


@pytest.mark.parametrize("name", OF_TWO_MINDS)
def test_a_pull_request_of_which_gitea_is_of_two_minds_is_superseded(name: str) -> None:
    """Fails where either source alone is believed."""
    with pytest.raises(Superseded) as refusal:
        decide(name)
    assert all(commit in str(refusal.value) for commit in OF_TWO_MINDS[name])


@pytest.mark.parametrize("name", ASKED)
def test_a_comment_asks_the_server_for_the_head(name: str, full_ids: set[str]) -> None:
    number, short = ASKED[name]
    question = decide(name)
    assert isinstance(question, Question)
    assert (question.number, question.event, question.asker) == (number, "issue_comment", "event.issue.number")
    candidate = settle(question, {f"refs/pull/{number}/head": the(short, full_ids)})
    assert (candidate.commit, candidate.number, candidate.source) == (
        the(short, full_ids),
        number,
        f"refs/pull/{number}/head",
    )
    assert candidate.fork == UNKNOWN_REPOSITORY


@pytest.mark.parametrize("name", REFUSED)
def test_what_names_no_commit_is_refused_by_name(name: str) -> None:
    with pytest.raises(Refused, match=REFUSED[name]) as refusal:
        decide(name)
    assert refusal.value.remedy


@pytest.mark.parametrize("sha", ["", "0" * 40, "b5516f43575940d06141a810a75df14106394438"])
def test_a_merge_whose_commit_is_not_the_runs_is_superseded(sha: str) -> None:
    event, payload, env = load(f"{FORGE}/pull_request-closed-merged-merge")
    with pytest.raises(Superseded, match="merge_commit_sha says '499d740c97"):
        interpret(event, payload, env | {"GITHUB_SHA": sha})


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("pull_request_assign", "pull_request-assigned"),
        ("pull_request_comment", "issue_comment-pull-created"),
        ("pull_request_label", "pull_request-labeled"),
        ("pull_request_review_approved", "pull_request_review-approved"),
        ("pull_request_sync", "pull_request-synchronize"),
    ],
)
def test_giteas_own_words_are_read_as_the_event_whose_payload_they_have(word: str, name: str) -> None:
    """What stands in `on:` is what Gitea 1.26 says as the event's name, and it takes its own words there too."""
    event, payload, env = load(f"{FORGE}/{name}")
    assert interpret(word, payload, env) == interpret(event, payload, env)


def test_a_called_workflow_is_read_by_its_callers_payload() -> None:
    """Gitea 1.27 says `workflow_call` there. Fails where the base branch's workflow counts as without secrets."""
    for name in (
        "pull_request-opened",
        "pull_request_target-opened",
        "push-main",
        "create-branch",
        "workflow_dispatch-inputs",
    ):
        event, payload, env = load(f"{FORGE}/{name}")
        assert interpret("workflow_call", payload, env) == interpret(event, payload, env)
    for name in ("delete-branch", "issues-opened"):
        _, payload, env = load(f"{FORGE}/{name}")
        with pytest.raises(Refused, match="workflow_call"):
            interpret("workflow_call", payload, env)
