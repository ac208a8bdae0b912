"""Hostile content, text and neighbours: what leaves the commit, commands a runner, or answers in staging's place."""

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import AF_INET6

import pytest

from tests.applications import behave
from tests.engines import BASE_IMAGE
from tests.git import GitRepo, Link
from tests.promotions import FIRST, SECOND, SHORT, Production
from tests.runner import Ended, Runner

HOSTILE = "".join(
    f"{before}{command}\n"
    for before in ("", " \t", "text\r", "\x1b[2K", "%0A", "\u2028")
    for command in (
        "::set-output name=outcome::promoted",
        "::set-env name=ORCH_IMAGE_FRESHNESS_ENABLED::false",
        "##[set-output name=outcome]promoted",
        "outcome=promoted",
    )
)
OWN_COMMANDS = ("::error ", "::warning ", "::group::", "::endgroup::")


class Anything(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()


class OnIpv6(ThreadingHTTPServer):
    address_family = AF_INET6


@pytest.fixture
def listener(runner: Runner) -> Iterator[None]:
    """Answers 200 on [::1] at staging's port, where a client that resolves `localhost` comes first."""
    with OnIpv6(("::1", runner.app.staging_port), Anything) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield
        server.shutdown()
        thread.join()


def test_a_listener_on_ipv6_does_not_answer_for_staging(listener: None, runner: Runner) -> None:
    """I3. Fails when `_published_address` in engine/vantage.py gives `localhost`."""
    runner.app.repo.commit(behave(health=503))

    ended = runner.gate(**SHORT)

    assert ended.decision == ("closed", "unhealthy", 1), ended.log
    assert f"HTTP 503 from 127.0.0.1:{runner.app.staging_port}" in ended.reason


def test_a_planted_object_is_refused_before_anything_is_built(runner: Runner) -> None:
    """I1. Fails when `verify_hash` in repository/objects.py compares nothing: libgit2 gives out what was planted."""
    repo = runner.app.repo
    plant(repo, repo.head("HEAD:server.py"), repo.write_object("blob", b"planted"))
    assert repo.git("cat-file", "blob", "HEAD:server.py") == "planted"

    ended = runner.gate()

    assert ended.decision == ("closed", "refused", 1), ended.log
    assert "holds content whose hash is" in ended.reason
    assert runner.built() is None


def plant(repo: GitRepo, victim: str, other: str) -> None:
    """Puts the content of one loose object where another is kept."""
    there, here = (repo.path / ".git/objects" / name[:2] / name[2:] for name in (victim, other))
    there.chmod(0o644)
    there.write_bytes(here.read_bytes())


def test_links_out_of_the_context_bring_nothing_into_the_image(runner: Runner, tmp_path: Path) -> None:
    """I1. Fails when the export in repository/write.py follows links in place of writing them."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "key").write_text("the host's own")
    (outside / "ignored").write_text("server.py\n")
    dockerfile = (runner.app.repo.path / "Dockerfile").read_text()
    links = {"by-path": outside, "by-dots": os.path.relpath(outside, "/a/b"), ".dockerignore": outside / "ignored"}
    runner.app.repo.commit(
        {
            **{name: Link(str(target)) for name, target in links.items()},
            "Dockerfile": f"{dockerfile}RUN test -f server.py && ! cat by-path/key && ! cat by-dots/key\n",
        }
    )
    assert runner.gate().decision == ("open", "fresh", 0)
    runner.app.repo.commit({"Dockerfile": f"{dockerfile}COPY by-path/key /key\n"})

    ended = runner.gate()

    assert ended.decision == ("closed", "build-failed", 1), ended.log


def assert_commands_nothing(ended: Ended) -> None:
    """No line of the log is a command but our own, and each output is set once, by us, after it was closed."""
    commands = [line for line in ended.log.splitlines() if line.lstrip().startswith("::")]
    assert [line for line in commands if not line.startswith(OWN_COMMANDS)] == []
    assert not [text for text in ("##[", "\x1b", "\u2028") if text in ended.log + ended.written + ended.summary]
    names = [line.partition("=")[0] for line in ended.written.splitlines()]
    assert sorted(names) == sorted(["outcome", "image-id", "previous-image-id", "outcome", "reason", "report-path"])


def test_no_label_commands_the_runner(production_here: Production) -> None:
    """I5. Fails when a reason reaches GITHUB_OUTPUT without `one_line`, or the log without `_annotate`'s escapes."""
    production, image = production_here, production_here.build(SECOND, label=HOSTILE)
    port = f"127.0.0.1:{production.app.production_port}:8000"
    run = {"GITHUB_ACTIONS": "true", "GITHUB_REF": f"refs/heads/{HOSTILE}", "GITHUB_ACTOR": HOSTILE}

    candidate = production.promote(image, **run)
    labels = ("--label", f"com.docker.compose.project={HOSTILE}", "--label", f"com.docker.compose.service={HOSTILE}")
    named = ("--init", "--name", f"{production.sandbox.name}-foreign", "--publish", port)
    production.sandbox.cli("run", "--detach", *named, *labels, BASE_IMAGE, "sleep", "99")
    neighbour = production.promote(production.build(SECOND), **run)

    for ended in (candidate, neighbour):
        assert ended.end == (1, "refused"), ended.log
        assert "set-output" in ended.reason, "the text did not get there: this test looks at nothing"
        assert_commands_nothing(ended)


def test_no_line_of_productions_log_commands_the_runner(production_here: Production) -> None:
    """I5. Fails when `_show_log` in promote.py prints what a container says as a sentence of ours."""
    production = production_here
    production.deploy(production.build(FIRST))
    image = production.build(SECOND, {"log": HOSTILE, "exit_after": 0})

    ended = production.promote(image, GITHUB_ACTIONS="true")

    assert ended.end == (4, "rolled-back"), ended.log
    assert "│ outcome=promoted" in ended.log, "the text did not get there: this test looks at nothing"
    assert_commands_nothing(ended)
