"""Code of forks: refused under every event, built where the owner says so, and with secrets only said twice."""

from collections.abc import Callable

import pytest

from tests.support.jobs import FORK, GITEA, NUMBER, Hosted

ONE = {"ALLOW_FORKS": "true"}
BOTH = {**ONE, "ALLOW_FORKS_WITH_SECRETS": "true"}


def of_pull_request(hosted: Hosted, head: str, name: str) -> dict[str, str]:
    return hosted.on_pull_request(head, name=name, repository=FORK)


def of_run(hosted: Hosted, head: str, _: str) -> dict[str, str]:
    """On Gitea: nothing names the head's repository."""
    run = {"head_sha": head, "event": "pull_request", "path": f"gate.yml@refs/pull/{NUMBER}/head"}
    return hosted.on("workflow_run", {"action": "completed", "workflow_run": run})


def of_comment(hosted: Hosted, *_: str) -> dict[str, str]:
    return hosted.on_comment()


def of_pr(hosted: Hosted, *_: str) -> dict[str, str]:
    return hosted.on_dispatch(PR=str(NUMBER))


Variables = Callable[[Hosted, str, str], dict[str, str]]
WITHOUT_SECRETS: dict[str, Variables] = {"pull_request": of_pull_request, "pull_request_review": of_pull_request}
WITH_SECRETS: dict[str, Variables] = {
    "pull_request_target": of_pull_request,
    "workflow_run": of_run,
    "issue_comment": of_comment,
    "workflow_dispatch": of_pr,
}
EVENTS = WITHOUT_SECRETS | WITH_SECRETS


def start(hosted: Hosted, name: str) -> dict[str, str]:
    """The variables of a run about a fork's head."""
    head, main = hosted.open_from_fork(), hosted.repo.head("main")
    sha = head if name in WITHOUT_SECRETS else main
    return {**hosted.job(GITEA, sha, hosted.check_out("refs/heads/main")), **EVENTS[name](hosted, head, name)}


@pytest.mark.parametrize("name", EVENTS)
def test_a_forks_commit_is_refused_under_every_event(name: str, hosted: Hosted) -> None:
    """Breaks when `refuse_fork` is not called, or an origin that the event leaves open is taken for our own."""
    ended = hosted.runner.gate(**start(hosted, name))

    assert ended.decision == ("closed", "refused", 1), ended.log
    assert "not from this repository" in ended.reason
    assert hosted.is_untouched()


@pytest.mark.parametrize("name", WITH_SECRETS)
def test_where_the_run_holds_secrets_one_switch_is_not_enough(name: str, hosted: Hosted) -> None:
    """Breaks when `_WITHOUT_SECRETS` in core/fork.py holds an event that has secrets for a fork's commit."""
    ended = hosted.runner.gate(**start(hosted, name), **ONE)

    assert ended.decision == ("closed", "refused", 1), ended.log
    assert "`allow-forks` alone is not enough" in ended.reason
    assert hosted.is_untouched()


@pytest.mark.parametrize(
    ("name", "switches"),
    [("pull_request", ONE), ("pull_request_target", BOTH), ("issue_comment", BOTH)],
    ids=["pull_request", "pull_request_target", "issue_comment"],
)
def test_a_fork_is_built_where_the_owner_wants_that(name: str, switches: dict[str, str], hosted: Hosted) -> None:
    """Breaks when a switch is ignored, or the fork's head cannot be fetched from the base repository."""
    ended = hosted.runner.gate(**start(hosted, name), **switches)

    assert ended.decision == ("open", "fresh", 0), ended.log
    head = hosted.repo.head("feature")
    assert ended.outputs["revision"] == head
    assert hosted.runner.sandbox.get(hosted.runner.app.staging_port, "/version") == (200, head)


def test_the_second_switch_alone_allows_nothing(hosted: Hosted) -> None:
    """Breaks when `refuse_fork` takes the second switch for the first."""
    ended = hosted.runner.gate(**start(hosted, "pull_request_target"), ALLOW_FORKS_WITH_SECRETS="true")

    assert ended.decision == ("closed", "refused", 1), ended.log
    assert hosted.is_untouched()
