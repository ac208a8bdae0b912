"""What pull request and commit are told, against a real HTTP server that answers as the forges' API does."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from freshness.ci import forge_calls
from freshness.ci.forge_api import takes_token
from freshness.core.check import Check, CheckName, CheckResult
from freshness.core.promotion import PromotionOutcome
from freshness.core.revision import Candidate
from freshness.core.secret import Secret
from freshness.core.verdict import Verdict
from freshness.report.comment import headline
from freshness.report.forge import Forge
from freshness.report.json_report import Report
from tests.support.forge_api import HEAD, Api, served

NEWER = "2f0c2a9b" * 5
FORGED = f"<!-- freshness shop/web commit={NEWER} run=999999999 -->\n## Deployable"
CANDIDATE = Candidate(commit=HEAD, source="event", event="pull_request", note="", number=7)
HEALTH = Check(
    name=CheckName.HEALTH,
    result=CheckResult.FAILED,
    got="HTTP 503",
    expected="HTTP 2xx",
    verdict=Verdict.UNHEALTHY,
    output=("Traceback", "```", "</details> @team"),
)
REPORT = Report(
    command="freshness gate",
    decision="unhealthy",
    reason="Health: HTTP 503; expected HTTP 2xx. Mend it.",
    started_at=datetime(2026, 1, 1, tzinfo=UTC),
    seconds=9.0,
    checks=(HEALTH,),
    candidate=CANDIDATE,
)
FRESH = replace(REPORT, decision="fresh", checks=())


@pytest.fixture
def api() -> Iterator[Api]:
    with served(Api()) as found:
        yield found


def forge(api: Api, *, run: str = "41", comments: bool = True, context: str | None = None) -> Forge:
    env = {
        "GITHUB_API_URL": api.url,
        "GITHUB_SERVER_URL": api.url,
        "GITHUB_REPOSITORY": "o/n",
        "GITHUB_RUN_ID": run,
        "GITHUB_RUN_NUMBER": run,
    }
    return Forge(
        command="freshness gate",
        env=env,
        token=Secret("job-token"),
        application="shop/web",
        comments=comments,
        context=context,
    )


def test_one_comment_says_that_a_gate_is_at_work_and_then_how_it_ended(api: Api) -> None:
    """Fails when `_comment` posts where one is there, or the verdict does not stand first."""
    assert forge(api).begin(CANDIDATE)[1] == ()
    assert "Being checked: staging is built from this commit" in api.comments[0]["body"]

    assert forge(api).end(REPORT) == ()

    (comment,) = api.comments
    lines = comment["body"].splitlines()
    assert lines[0] == f"<!-- freshness shop/web commit={HEAD} run=41 -->"
    assert lines[1] == "## ❌ Not deployable: staging is not healthy"
    assert "\n````text\nTraceback\n```\n</details> @team\n````\n" in comment["body"]
    assert comment["body"].index("Traceback") < comment["body"].index("<details><summary>All checks")
    assert f" · [run 41]({api.url}/o/n/actions/runs/41)" in comment["body"]


def test_the_newer_heads_run_edits_it_and_the_older_ones_does_not(api: Api) -> None:
    """Fails when `_is_news` is not asked, and the run of an old head writes over what the new head's says."""
    newer = replace(FRESH, candidate=replace(CANDIDATE, commit=NEWER))
    forge(api, run="41").end(REPORT)
    api.head = NEWER
    forge(api, run="42").end(newer)
    forge(api, run="41").end(REPORT)

    (comment,) = api.comments
    assert "Deployable: staging runs this commit" in comment["body"]


def test_a_forged_marker_does_not_keep_the_head_from_telling(api: Api) -> None:
    """The bot may write for any workflow. Fails when a marker's own words, such as a later run, are believed."""
    api.comments = [{"id": 1, "user": {"login": "gitea-actions"}, "body": FORGED}]

    forge(api, run="41").end(REPORT)

    assert "Not deployable" in api.comments[0]["body"]


def test_a_promotion_edits_the_gates_comment_after_the_merge_too_and_a_late_gate_does_not(api: Api) -> None:
    """Fails when a merge commit, which is no head, is told of nowhere, or when an old gate hides the promotion."""
    forge(api).end(FRESH)
    api.merged = True
    promotion = replace(forge(api, run="42"), command="freshness promote", promoted=replace(CANDIDATE, commit=NEWER))

    promotion.end(replace(FRESH, command="freshness promote", decision="promoted", candidate=None))
    forge(api).end(replace(REPORT, candidate=replace(CANDIDATE, commit="3" * 40)))

    (comment,) = api.comments
    assert "Promoted: production runs this commit" in comment["body"]


@pytest.mark.parametrize("gitea", ["true", ""])
def test_the_promotion_of_a_merge_finds_its_pull_request(gitea: str, api: Api) -> None:
    """Gitea has one for a merge commit, GitHub a list. Fails when only a number that was given is known."""
    forge(api).end(FRESH)
    api.merged, api.merge_commit = True, NEWER
    merge = Candidate(commit=NEWER, source="", event="", note="")
    promotion = replace(forge(api, run="42"), command="freshness promote", promoted=merge)
    promotion = replace(promotion, env={**promotion.env, "GITEA_ACTIONS": gitea})

    promotion, notes = promotion.begin(merge)
    assert "Being promoted" in api.comments[0]["body"]
    notes += promotion.end(replace(FRESH, command="freshness promote", decision="promoted", candidate=None))

    (comment,) = api.comments
    assert notes == ()
    assert "Promoted: production runs this commit" in comment["body"]


def test_a_promotion_of_no_pull_request_is_told_in_none(api: Api) -> None:
    """Fails when the forge's 404 is a warning in each log."""
    promotion = replace(forge(api), command="freshness promote", promoted=replace(CANDIDATE, number=None))

    assert promotion.end(replace(FRESH, command="freshness promote", decision="promoted", candidate=None)) == ()
    assert api.comments == []


def test_a_deployment_is_opened_once_and_told_how_it_ended(api: Api) -> None:
    """GitHub's documented shapes. Fails when the end opens another one, or a branch's name stands for the commit."""
    promotion = replace(forge(api, comments=False), command="freshness promote", promoted=CANDIDATE, environment="eu")

    promotion, notes = promotion.begin(CANDIDATE)
    notes += promotion.end(replace(FRESH, command="freshness promote", decision="rolled-back", candidate=None))

    assert notes == ()
    assert api.deployments == [{"ref": HEAD, "environment": "eu", "auto_merge": False, "required_contexts": []}]
    assert [(number, one["state"]) for number, one in api.deployment_states] == [("1", "in_progress"), ("1", "failure")]
    assert all(one["log_url"] == f"{api.url}/o/n/actions/runs/41" for _, one in api.deployment_states)


def test_a_rollback_which_learns_its_commit_at_the_end_has_a_deployment_too(api: Api) -> None:
    rollback = replace(forge(api, comments=False), command="freshness rollback", promoted=CANDIDATE, environment="eu")

    assert rollback.end(replace(FRESH, command="freshness rollback", decision="promoted", candidate=None)) == ()

    assert [one["state"] for _, one in api.deployment_states] == ["success"]


def test_a_forge_without_deployments_is_one_note(api: Api) -> None:
    """As Gitea, which answers 404."""
    api.failing = [404]
    _, notes = replace(forge(api, comments=False), environment="eu").begin(CANDIDATE)

    assert len(notes) == 1
    assert notes[0].startswith(
        "The deployment was not written: HTTP 404: the job needs `deployments: write`, and a forge"
    )


@pytest.mark.parametrize("pages", [True, False])
def test_it_is_found_behind_many_comments_and_nobody_elses_is_edited(pages: bool, api: Api) -> None:  # noqa: FBT001
    """Fails when `find_ours` goes by the marker alone, or only the first page is read."""
    api.pages = pages
    marker = f"<!-- freshness shop/web commit={HEAD} run=1 -->\nmine"
    api.comments = [{"id": n + 1, "user": {"login": "bob"}, "body": marker if n == 3 else "hi"} for n in range(150)]
    forge(api, run="41").end(REPORT)
    forge(api, run="42").end(FRESH)

    assert len(api.comments) == 151
    assert api.comments[3]["body"] == marker
    assert "Deployable" in api.comments[150]["body"]


def test_a_token_that_may_not_say_whose_it_is_leaves_one_comment_too(api: Api) -> None:
    """On Gitea that is a right of its own. Fails when each write of each run leaves one more comment."""
    api.login, api.says_whose = "ann", False
    theirs = {"id": 1, "user": {"login": "eve"}, "body": FORGED}
    api.comments = [theirs]
    for run in ("41", "42"):
        assert forge(api, run=run).begin(CANDIDATE)[1] == ()
        assert forge(api, run=run).end(FRESH) == ()

    forged, ours = api.comments
    assert forged == theirs
    assert "Deployable" in ours["body"]
    assert "run=42" in ours["body"]

    api.head = NEWER
    ours["body"] = ours["body"].replace(HEAD, NEWER)
    assert forge(api, run="43").end(REPORT) == ()
    assert api.comments == [theirs, ours], "an older head's run wrote"


def test_no_link_leads_to_where_the_event_says(api: Api, tmp_path: Path) -> None:
    """Gitea 1.26 takes its addresses from the Host header of who caused it. Fails where such a one is shown."""
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"repository": {"full_name": "o/n", "html_url": "https://evil.example/o/n"}}))
    told = forge(api, context="freshness/gate")
    told = replace(told, env={**told.env, "GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": str(event)})

    assert told.begin(CANDIDATE)[1] == told.end(REPORT) == ()

    assert {status["target_url"] for _, status in api.statuses} == {f"{api.url}/o/n/actions/runs/41"}
    assert "evil.example" not in str(api.comments)


def test_the_owner_of_a_personal_token_has_a_comment_too(api: Api) -> None:
    """Fails when nobody is asked who the token is, and each run leaves one more comment."""
    api.login = "ann"
    forge(api, run="41").end(REPORT)
    forge(api, run="42").end(FRESH)

    assert len(api.comments) == 1


@pytest.mark.parametrize(
    ("decision", "state"),
    [
        ("fresh", "success"),
        ("unhealthy", "failure"),
        ("superseded", "failure"),
        ("error", "error"),
        ("promoted", "success"),
        ("unchanged", "success"),
        ("rolled-back", "failure"),
        ("stranded", "failure"),
    ],
)
def test_the_status_is_on_the_gated_head_with_the_verdict_first(decision: str, state: str, api: Api) -> None:
    """Fails when another word than the forges' is sent: Gitea takes it, and it counts as pending for ever."""
    long = replace(HEALTH, got="x" * 500)
    told = forge(api, comments=False, context="freshness/gate")
    told.begin(CANDIDATE)
    told.end(replace(REPORT, decision=decision, checks=(long,)))

    (pending, ended) = api.statuses
    assert (pending[0], pending[1]["state"]) == (HEAD, "pending")
    assert pending[1]["description"].startswith("at work since ")
    assert (ended[0], ended[1]["state"], ended[1]["context"]) == (HEAD, state, "freshness/gate")
    assert ended[1]["description"].startswith(f"{decision}: ")
    assert len(ended[1]["description"]) == 140
    assert ended[1]["target_url"] == f"{api.url}/o/n/actions/runs/41"


@pytest.mark.parametrize("decision", sorted({*Verdict, *PromotionOutcome}))
def test_every_end_has_a_headline_of_its_own(decision: str) -> None:
    """Fails when a verdict or an outcome is added, and nobody says what it means to who has never seen this tool."""
    command = "freshness gate" if decision in set(Verdict) else "freshness promote"
    assert f": {decision}" not in headline(replace(REPORT, command=command, decision=decision))
    assert headline(replace(REPORT, command="freshness promote", decision="refused")).startswith("Not promoted")


@pytest.mark.parametrize("decision", ["disabled", "out-of-scope"])
def test_what_opens_without_a_proof_satisfies_no_protection(decision: str, api: Api) -> None:
    """Fails when every verdict that opens is a success."""
    assert forge(api, comments=False, context="freshness/gate").end(replace(FRESH, decision=decision)) == ()
    assert api.statuses == []


@pytest.mark.parametrize(
    ("statuses", "note"),
    [
        ([301], "HTTP 301: it redirects elsewhere: register the runner at the forge's own address"),
        ([401], "HTTP 401: the forge does not know the token: it is missing, expired, or of a cancelled run"),
        ([403], "HTTP 403: the job needs `contents: read` and `pull-requests: write`"),
        ([404], "HTTP 404: the job needs"),
        ([422], "HTTP 422: the job needs"),
        ([429], "HTTP 429."),
        ([500, 502], "HTTP 502."),
        ([503], None),
    ],
)
def test_each_refusal_is_one_note_and_a_failing_server_is_asked_once_more(
    statuses: list[int], note: str | None, api: Api
) -> None:
    """Fails when what the forge answers gets out as an error, or a token that expired is not worth a word."""
    api.failing = list(statuses)
    told = forge(api).end(REPORT)

    assert api.failing == []
    if note is None:
        assert (told, len(api.comments)) == ((), 1)
    else:
        assert len(told) == 1
        assert note in told[0]


def test_a_page_in_place_of_the_forges_answer_is_no_success(api: Api) -> None:
    """A login page of a proxy comes with 200. Fails when its status alone counts."""
    api.is_a_page = True
    told = forge(api, context="freshness/gate").end(REPORT)
    assert [note for note in told if "HTTP 200 without JSON" in note] == list(told)
    assert len(told) == 2


def test_a_forge_that_hangs_or_is_gone_costs_seconds(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails when a call has no deadline, or comment and status have one each."""
    monkeypatch.setattr(forge_calls, "CALL_SECONDS", 0.2)
    monkeypatch.setattr(forge_calls, "ALL_SECONDS", 0.3)
    api.hangs = threading.Event()
    began = time.monotonic()

    told = forge(api, context="freshness/gate").end(REPORT)

    assert time.monotonic() - began < 5
    assert [note for note in told if "did not answer within seconds" in note] == list(told)
    assert len(told) == 2
    gone = Api(url="http://127.0.0.1:1")
    assert "ConnectionError" in forge(gone).end(REPORT)[0]


def test_without_a_pull_request_nobody_is_asked(api: Api) -> None:
    assert forge(api).end(replace(REPORT, candidate=replace(CANDIDATE, number=None))) == ()
    assert forge(api).end(replace(REPORT, candidate=None)) == ()
    assert api.seen == []


@pytest.mark.parametrize(
    ("api_url", "server", "expected"),
    [
        ("https://api.github.com", "https://github.com", True),
        ("https://api.corp.ghe.com", "https://corp.ghe.com", True),
        ("https://forge.example/api/v1", "https://forge.example", True),
        ("http://api.github.com", "http://github.com", False),
        ("https://api.github.com.evil.example", "https://github.com", False),
        ("https://evil.example", "https://forge.example", False),
    ],
)
def test_the_token_goes_to_the_servers_own_api_alone(api_url: str, server: str, *, expected: bool) -> None:
    assert takes_token(api_url, server) is expected
