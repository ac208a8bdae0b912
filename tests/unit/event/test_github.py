"""Which commit an event of GitHub's means, by the shapes that its documentation gives."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest

from freshness.core.event import choose, interpret
from freshness.core.fork import DELETED
from freshness.core.revision import Candidate, Question
from freshness.errors import Refused, Superseded
from tests.payloads import load, names

HEAD = "1f0c2a9b7d6e4f3a8b5c9d0e1f2a3b4c5d6e7f80"
MERGE = "9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b"
BASE = "0123456789abcdef0123456789abcdef01234567"
OTHER = "b" * 40


def decide(name: str, **changes: str) -> Candidate:
    event, payload, env = load(name)
    return choose(event, payload, env | changes, None)


def damaged(**changes: object) -> tuple[Mapping[str, object], dict[str, str]]:
    """An open pull request of GitHub's whose named fields of `pull_request` are replaced."""
    _, payload, env = load("github/pull_request-opened")
    body: dict[str, Any] = deepcopy(dict(payload))
    body["pull_request"].update(changes)
    return body, env


# Each written payload: the field that names the commit, and the pull request's number.
FIELDS = {
    "create-tag": ("GITHUB_SHA", None),
    "merge_group": ("event.merge_group.head_sha", None),
    "pull_request-closed-merged": ("event.pull_request.head.sha", 7),
    "pull_request-closed-unmerged": ("event.pull_request.head.sha", 7),
    "pull_request-deleted-fork": ("event.pull_request.head.sha", 7),
    "pull_request-from-fork": ("event.pull_request.head.sha", 7),
    "pull_request-opened": ("event.pull_request.head.sha", 7),
    "pull_request_review-submitted": ("event.pull_request.head.sha", 7),
    "pull_request_review_comment-created": ("event.pull_request.head.sha", 7),
    "pull_request_target-from-fork": ("event.pull_request.head.sha", 7),
    "pull_request_target-opened": ("event.pull_request.head.sha", 7),
    "push-branch": ("GITHUB_SHA", None),
    "push-tag-annotated": ("GITHUB_SHA", None),
    "release-published": ("GITHUB_SHA", None),
    "schedule": ("GITHUB_SHA", None),
    "workflow_dispatch": ("GITHUB_SHA", None),
    "workflow_run": ("event.workflow_run.head_sha", 7),
    "workflow_run-deleted-fork": ("event.workflow_run.head_sha", None),
    "workflow_run-from-fork": ("event.workflow_run.head_sha", None),
}
OTHERS = {"delete-branch", "issue_comment-issue", "issue_comment-pull", "push-deleted"}


def test_every_written_payload_is_judged() -> None:
    assert names("github") == sorted(f"github/{name}" for name in {*FIELDS, *OTHERS})


@pytest.mark.parametrize("name", FIELDS)
def test_an_event_names_the_head_by_its_field(name: str) -> None:
    """Fails where GITHUB_SHA, a merge or a base branch's tip, is taken."""
    candidate = decide(f"github/{name}")
    assert (candidate.commit, candidate.source, candidate.number) == (HEAD, *FIELDS[name])
    assert ("is not it" in candidate.note) == (candidate.source != "GITHUB_SHA" and name != "merge_group")


def test_a_comment_on_a_pull_request_is_a_question_to_the_server() -> None:
    event, payload, env = load("github/issue_comment-pull")
    question = interpret(event, payload, env)
    assert question == Question(number=7, event="issue_comment", asker="event.issue.number", sha=BASE)
    with pytest.raises(Refused, match="Only the server knows the head of pull request #7"):
        choose(event, payload, env, None)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("issue_comment-issue", "on issue #8, which names no commit"),
        ("delete-branch", "The event 'delete' names no commit"),
        ("push-deleted", "The push deleted its branch or tag"),
    ],
)
def test_what_names_no_commit_is_refused_by_name(name: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        decide(f"github/{name}")


@pytest.mark.parametrize(
    "event", ["repository_dispatch", "check_run", "deployment", "fork", "workflow_call", "page_build", "x\n::error::"]
)
def test_every_other_event_is_refused_by_name(event: str) -> None:
    with pytest.raises(Refused) as refusal:
        interpret(event, {}, {"GITHUB_SHA": HEAD})
    assert repr(event) in str(refusal.value)


def test_a_remedy_names_a_revision_only_where_one_is_taken() -> None:
    """Fails where a refusal sends its reader to a setting that the same event refuses."""
    refused = []
    for event in ("delete", "issues", "issue_comment", "workflow_run", "workflow_call", "x", "repository_dispatch", ""):
        with pytest.raises(Refused) as refusal:
            choose(event, {}, {"GITHUB_SHA": HEAD}, None)
        refused.append(("`revision`" in refusal.value.remedy or "--revision" in refusal.value.remedy, event))
    assert [event for named, event in refused if named] == ["repository_dispatch", ""]
    with pytest.raises(Refused) as refusal:
        choose("issue_comment", {"issue": {"number": 7, "pull_request": {}}}, {}, None)
    assert "`revision`" not in refusal.value.remedy
    with pytest.raises(Refused, match=r"`--offline`\), or set `revision` to the commit"):
        choose("workflow_dispatch", {}, {}, None, 7)


def test_a_question_that_nobody_can_be_asked_names_what_is_not_set() -> None:
    with pytest.raises(Refused, match="GITHUB_REPOSITORY must say where it is") as refusal:
        choose("", {}, {"GITHUB_SERVER_URL": "https://forge.example"}, None, 7)
    assert "GITHUB_SERVER_URL" not in str(refusal.value)
    with pytest.raises(Refused, match="set GITHUB_SERVER_URL and GITHUB_REPOSITORY"):
        choose("", {}, {}, None, 7)
    with pytest.raises(Refused, match=r"it was not asked\. Allow the request \(`recheck-head: true`"):
        choose("", {}, {"GITHUB_SERVER_URL": "https://forge.example", "GITHUB_REPOSITORY": "a/b"}, None, 7)


def test_a_merge_group_without_github_sha_is_its_head() -> None:
    """In a shell there is none; a runner always sets it."""
    assert decide("github/merge_group", GITHUB_SHA="").commit == HEAD


def test_two_numbers_for_one_pull_request_are_refused() -> None:
    payload, env = damaged(number=5)
    with pytest.raises(Refused, match=r"event\.number is 7 and event\.pull_request\.number is 5"):
        interpret("pull_request", payload, env)


def test_a_revision_says_that_github_sha_is_another_commit() -> None:
    assert f"GITHUB_SHA '{OTHER}'" in choose("push", {}, {"GITHUB_SHA": OTHER}, HEAD).note
    for env in ({"GITHUB_SHA": HEAD.upper()}, {}):
        assert "GITHUB_SHA" not in choose("push", {}, env, HEAD).note


def test_a_merge_group_of_which_github_is_of_two_minds_is_superseded() -> None:
    with pytest.raises(Superseded, match=f"{HEAD}.*{OTHER}"):
        decide("github/merge_group", GITHUB_SHA=OTHER)


@pytest.mark.parametrize("action", ["deleted", "unpublished"])
def test_a_release_that_is_taken_back_names_no_commit(action: str) -> None:
    event, payload, env = load("github/release-published")
    with pytest.raises(Refused, match=action):
        interpret(event, {**payload, "action": action}, env)


@pytest.mark.parametrize(
    ("name", "fork"),
    [("workflow_run", None), ("workflow_run-from-fork", "eve/app"), ("workflow_run-deleted-fork", DELETED)],
)
def test_a_run_for_a_forks_commit_is_told_by_its_head_repository(name: str, fork: str | None) -> None:
    assert decide(f"github/{name}").fork == fork


def test_a_pull_request_is_given_by_its_number_where_no_event_names_one() -> None:
    question = Question(number=9, event="workflow_dispatch", asker="the setting `pr`")
    assert interpret("workflow_dispatch", {}, {}, pr=9) == question
    for event in ("pull_request", "pull_request_target", "issue_comment", "workflow_run"):
        with pytest.raises(Refused, match=f"`pr` is 9, but the event '{event}'"):
            interpret(event, {}, {}, pr=9)


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


@pytest.mark.parametrize("state", ["locked", "", 7, None, ["open"], {}])
def test_a_state_that_no_forge_sends_is_refused(state: object) -> None:
    payload, env = damaged(state=state)
    with pytest.raises(Refused, match=r"event\.pull_request\.state"):
        choose("pull_request", payload, env, None)


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


@pytest.mark.parametrize("event", ["push", "pull_request", "workflow_run"])
def test_a_sha256_repository_is_named_as_what_it_is(event: str) -> None:
    """Fails where another way to write the id is asked for: no such repository can be read."""
    sha = "ab" * 32
    payloads: dict[str, Mapping[str, object]] = {
        "push": {"after": sha},
        "pull_request": damaged(head={"sha": sha, "repo": {"full_name": "acme/app", "id": 101}})[0],
        "workflow_run": {"workflow_run": {"event": "push", "head_sha": sha}},
    }
    with pytest.raises(Refused, match="SHA-256 repository") as refusal:
        choose(event, payloads[event], {"GITHUB_SHA": sha}, None)
    assert "`revision`" not in refusal.value.remedy


@pytest.mark.parametrize("repo", ["acme/app", 7, {}, {"full_name": None}, {"full_name": "a/b\n::set-output"}])
def test_a_payload_that_does_not_say_whose_commit_it_is_is_refused(repo: object) -> None:
    payload, env = damaged(head={"sha": HEAD, "repo": repo})
    with pytest.raises(Refused, match="full_name"):
        choose("pull_request", payload, env, None)
