"""`freshness commit-status`: what another job's gate or promotion said, as a status, against a real HTTP server."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from freshness.cli.commit_status import set_commit_status
from freshness.errors import Refused, RepositoryError
from tests.support.engines import ROOT
from tests.support.forge_api import HEAD, Api, served

UNEVALUATED = "${{ steps.gate.outputs.verdict }}"
FRESH = {"VERDICT": "fresh", "GATE": "open", "GIT_SHA": HEAD, "REASON": "Every check passed."}
EVENT = ROOT / "tests/payloads/gitea-1.26/pull_request-opened.json"


@pytest.fixture
def api() -> Iterator[Api]:
    with served(Api()) as found:
        yield found


def told(api: Api, given: Mapping[str, str], event: Path | None = None) -> str:
    env = {
        "GITHUB_API_URL": api.url,
        "GITHUB_SERVER_URL": api.url,
        "GITHUB_REPOSITORY": "o/n",
        "GITHUB_RUN_ID": "41",
        "GITHUB_TOKEN": "job-token",
    }
    if event:
        payload = json.loads(event.read_text())
        env |= {"GITHUB_REPOSITORY": payload["repository"]["full_name"], "GITHUB_EVENT_PATH": str(event)}
        env |= {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_SHA": payload["pull_request"]["head"]["sha"]}
    return set_commit_status({}, {**env, **given}, {})


@pytest.mark.parametrize(
    ("given", "state", "words"),
    [
        (FRESH, "success", "fresh: Every check passed."),
        ({**FRESH, "VERDICT": "unhealthy", "GATE": "closed"}, "failure", "unhealthy: "),
        (
            {**FRESH, "REASON": f"Staging runs sha256:{'ab' * 32}. It"},
            "success",
            "fresh: Staging runs sha256:abababababab. It",
        ),
        ({**FRESH, "VERDICT": "error", "GATE": "closed"}, "error", "error: "),
        ({**FRESH, "VERDICT": "promoted", "GATE": ""}, "success", "promoted: "),
        ({**FRESH, "VERDICT": "pending", "REASON": ""}, "pending", "pending: at work"),
        ({**FRESH, "GATE": "closed"}, "error", "error: the verdict is fresh, and the gate 'closed'"),
        ({**FRESH, "GATE": UNEVALUATED}, "error", "error: the verdict is fresh, and the gate "),
        ({**FRESH, "VERDICT": UNEVALUATED}, "error", "error: the job that it is about did not say how it ended"),
        ({**FRESH, "VERDICT": ""}, "error", "error: the job that it is about did not say how it ended"),
    ],
)
def test_the_status_is_a_success_only_where_that_was_said(
    given: Mapping[str, str], state: str, words: str, api: Api
) -> None:
    """A stopped runner hands on nothing, a skipped job the text of an expression. Fails where either is a success."""
    assert f"is {state} on {HEAD}" in told(api, given)

    ((commit, status),) = api.statuses
    assert (commit, status["state"], status["context"]) == (HEAD, state, "freshness/gate")
    assert status["description"].startswith(words)
    assert status["target_url"] == f"{api.url}/o/n/actions/runs/41"


@pytest.mark.parametrize("verdict", ["disabled", "out-of-scope"])
def test_what_proves_nothing_sets_nothing(verdict: str, api: Api) -> None:
    assert "proves nothing" in told(api, {**FRESH, "VERDICT": verdict})
    assert api.seen == []


@pytest.mark.parametrize("revision", ["", "main", UNEVALUATED])
def test_without_the_gates_commit_it_is_the_head_that_the_event_names(revision: str, api: Api) -> None:
    """Fails when a branch's name goes into the address, on which Gitea sets the status of whatever it points to."""
    told(api, {"VERDICT": "pending", "GIT_SHA": revision}, EVENT)

    assert [commit for commit, _ in api.statuses] == [json.loads(EVENT.read_text())["pull_request"]["head"]["sha"]]


def test_a_success_needs_the_gates_own_commit(api: Api) -> None:
    """Fails when a head that nobody gated is called fresh."""
    with pytest.raises(Refused, match="expected the full id of the commit"):
        told(api, {**FRESH, "GIT_SHA": ""}, EVENT)
    assert api.statuses == []


def test_without_any_commit_it_says_what_to_give(api: Api) -> None:
    with pytest.raises(Refused):
        told(api, {"VERDICT": "pending"})


def test_a_comments_event_names_no_head_and_no_setting_of_another_command(api: Api) -> None:
    """Only the server knows that head. Fails when the gate's `recheck-head` is named, which this command has not."""
    comment = EVENT.with_name("issue_comment-pull-created.json")
    env = {"GITHUB_EVENT_NAME": "issue_comment", "GITHUB_EVENT_PATH": str(comment)}
    with pytest.raises(Refused, match="expected the full id of the commit") as refusal:
        told(api, {"VERDICT": "pending", **env})
    assert "pull_request" in refusal.value.remedy


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (301, "register the runner"),
        (401, "the token: it is missing, expired, or of a cancelled run"),
        (403, "contents: write"),
        (404, "contents: write"),
        (422, "contents: write"),
        (429, "HTTP 429"),
        (500, "HTTP 500"),
    ],
)
def test_what_the_forge_refuses_fails_this_job_alone_and_says_why(status: int, said: str, api: Api) -> None:
    """Fails when nobody sees that a status which protection requires was never set."""
    api.failing = [status, status]
    with pytest.raises(RepositoryError, match=f"HTTP {status}") as unset:
        told(api, FRESH)
    assert said in str(unset.value)
    assert ("contents: write" in str(unset.value)) == (said == "contents: write")


def test_a_page_in_place_of_the_forges_answer_sets_no_status(api: Api) -> None:
    """Fails when a proxy's login page, which comes with 200, is called a success."""
    api.is_a_page = True
    with pytest.raises(RepositoryError, match="HTTP 200 without JSON"):
        told(api, FRESH)


def test_a_forge_that_is_gone_is_a_sentence(api: Api) -> None:
    gone = Api(url="http://127.0.0.1:1")
    with pytest.raises(RepositoryError, match="was not set: ConnectionError") as unset:
        told(gone, FRESH)
    assert "contents: write" not in str(unset.value)
