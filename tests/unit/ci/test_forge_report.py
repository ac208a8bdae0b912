"""What pull request and commit are told, against a real HTTP server that answers as the forges' API does."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from freshness.ci.forge_api import takes_token
from freshness.core.check import Check, CheckName, CheckResult
from freshness.core.promotion import PromotionOutcome
from freshness.core.revision import Candidate
from freshness.core.secret import Secret
from freshness.core.verdict import Verdict
from freshness.report import forge as forge_module
from freshness.report.comment import headline
from freshness.report.forge import Forge
from freshness.report.json_report import Report

HEAD, NEWER = "1f0c2a9b" * 5, "2f0c2a9b" * 5
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


@dataclass(slots=True, kw_only=True)
class Api:
    """A forge: `failing` are the statuses of its next answers, `pages` whether it knows of pages, as GitHub does."""

    url: str = ""
    login: str = "gitea-actions"
    comments: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    failing: list[int] = field(default_factory=list)
    pages: bool = False
    hangs: threading.Event | None = None

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        self.seen.append(f"{method} {path}")
        if self.hangs:
            self.hangs.wait(60)
        if self.failing:
            return self.failing.pop(0), {"message": ""}
        path, _, query = path.partition("?")
        parts = path.strip("/").split("/")[3:]
        match (method, parts):
            case ("GET", ["issues", "7", "comments"]):
                return 200, self.page(query)
            case ("POST", ["issues", "7", "comments"]):
                self.comments.append({"id": len(self.comments) + 1, "user": {"login": self.login}, **body})
                return 201, self.comments[-1]
            case ("PATCH", ["issues", "comments", number]):
                self.comments[int(number) - 1].update(body)
                return 200, self.comments[int(number) - 1]
            case ("POST", ["statuses", commit]):
                self.statuses.append((commit, body))
                return 201, body
        return (200, {"login": "ann"}) if path == "/user" else (404, {})

    def page(self, query: str) -> list[dict[str, Any]]:
        if not self.pages:
            return self.comments
        given = dict(pair.split("=") for pair in query.split("&"))
        size, number = int(given["per_page"]), int(given["page"])
        return self.comments[size * (number - 1) : size * number]


@pytest.fixture
def api() -> Iterator[Api]:
    with served(Api()) as found:
        yield found


@contextmanager
def served(api: Api) -> Iterator[Api]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            assert self.headers["Authorization"] == "token job-token"
            status, found = api.answer(self.command, self.path, json.loads(self.rfile.read(size) or b"null"))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

        do_POST = do_PATCH = do_GET  # noqa: N815 -- http.server's names

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    api.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield api
    finally:
        if api.hangs:
            api.hangs.set()
        server.shutdown()
        server.server_close()


def forge(api: Api, *, run: str = "41", comments: bool = True, context: str | None = None) -> Forge:
    env = {
        "GITHUB_API_URL": api.url,
        "GITHUB_SERVER_URL": api.url,
        "GITHUB_REPOSITORY": "o/n",
        "GITHUB_RUN_ID": run,
        "GITHUB_RUN_NUMBER": run,
    }
    return Forge(
        command="freshness-gate",
        env=env,
        token=Secret("job-token"),
        application="shop/web",
        comments=comments,
        context=context,
    )


def test_one_comment_says_that_a_gate_is_at_work_and_then_how_it_ended(api: Api) -> None:
    """Fails when `_comment` posts where one is there, or the verdict does not stand first."""
    assert forge(api).tell_beginning(CANDIDATE) == ()
    assert "A gate is at work" in api.comments[0]["body"]

    assert forge(api).tell_end(REPORT) == ()

    (comment,) = api.comments
    lines = comment["body"].splitlines()
    assert lines[0] == f"<!-- freshness-gate shop/web commit={HEAD} run=41 -->"
    assert lines[1] == "## ❌ Not deployable: staging is not healthy"
    assert "\n````text\nTraceback\n```\n</details> @team\n````\n" in comment["body"]
    assert comment["body"].index("Traceback") < comment["body"].index("<details><summary>All checks")
    assert f"[\\#41]({api.url}/o/n/actions/runs/41)" in comment["body"]


def test_a_later_run_of_the_same_application_edits_it_and_an_earlier_one_does_not(api: Api) -> None:
    """Fails when `is_newer` is passed over, and the run of an old head writes over what the new head's says."""
    newer = replace(FRESH, candidate=replace(CANDIDATE, commit=NEWER))
    forge(api, run="41").tell_end(REPORT)
    forge(api, run="42").tell_end(newer)
    forge(api, run="41").tell_end(REPORT)

    (comment,) = api.comments
    assert "Deployable: staging runs this commit" in comment["body"]


@pytest.mark.parametrize("pages", [True, False])
def test_it_is_found_behind_many_comments_and_nobody_elses_is_edited(pages: bool, api: Api) -> None:  # noqa: FBT001
    """Fails when `find_ours` goes by the marker alone, or only the first page is read."""
    api.pages = pages
    marker = f"<!-- freshness-gate shop/web commit={HEAD} run=1 -->\nmine"
    api.comments = [{"id": n + 1, "user": {"login": "bob"}, "body": marker if n == 3 else "hi"} for n in range(150)]
    forge(api, run="41").tell_end(REPORT)
    forge(api, run="42").tell_end(FRESH)

    assert len(api.comments) == 151
    assert api.comments[3]["body"] == marker
    assert "Deployable" in api.comments[150]["body"]


def test_the_owner_of_a_personal_token_has_a_comment_too(api: Api) -> None:
    """Fails when nobody is asked who the token is, and each run leaves one more comment."""
    api.login = "ann"
    forge(api, run="41").tell_end(REPORT)
    forge(api, run="42").tell_end(FRESH)

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
    told.tell_beginning(CANDIDATE)
    told.tell_end(replace(REPORT, decision=decision, checks=(long,)))

    (pending, ended) = api.statuses
    assert (pending[0], pending[1]["state"]) == (HEAD, "pending")
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
    assert forge(api, comments=False, context="freshness/gate").tell_end(replace(FRESH, decision=decision)) == ()
    assert api.statuses == []


@pytest.mark.parametrize(
    ("statuses", "note"),
    [
        ([401], ""),
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
    """Fails when what the forge answers gets out as an error, or a dead token is worth a word."""
    api.failing = list(statuses)
    told = forge(api).tell_end(REPORT)

    assert api.failing == []
    if note is None:
        assert (told, len(api.comments)) == ((), 1)
    elif note:
        assert len(told) == 1
        assert note in told[0]
    else:
        assert told == ()


def test_a_forge_that_hangs_or_is_gone_costs_seconds(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails when a call has no deadline, or comment and status have one each."""
    monkeypatch.setattr(forge_module, "CALL_SECONDS", 0.2)
    monkeypatch.setattr(forge_module, "ALL_SECONDS", 0.3)
    api.hangs = threading.Event()
    began = time.monotonic()

    told = forge(api, context="freshness/gate").tell_end(REPORT)

    assert time.monotonic() - began < 5
    assert [note for note in told if "did not answer within seconds" in note] == list(told)
    assert len(told) == 2
    gone = replace(api, url="http://127.0.0.1:1")
    assert "ConnectionError" in forge(gone).tell_end(REPORT)[0]


def test_without_a_pull_request_nobody_is_asked(api: Api) -> None:
    assert forge(api).tell_end(replace(REPORT, candidate=replace(CANDIDATE, number=None))) == ()
    assert forge(api).tell_end(replace(REPORT, candidate=None)) == ()
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
