"""What leaves the commit's tree, is planted in it, or answers in staging's place, does not get through the gate."""

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import AF_INET6

import pytest

from tests.support.applications import behave
from tests.support.git import GitRepo, Link
from tests.support.promotions import SHORT
from tests.support.runner import Runner


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
    """I3. Fails when `_on_the_host` in engine/address.py gives `localhost`."""
    runner.app.repo.commit(behave(health=503))

    ended = runner.gate(**SHORT)

    assert ended.decision == ("closed", "unhealthy", 1), ended.log
    assert f"HTTP 503 from 127.0.0.1:{runner.app.staging_port}" in ended.reason


def test_a_planted_object_is_refused_before_anything_is_built(runner: Runner) -> None:
    """I1. Fails when `verify_hash` in git/objects.py compares nothing: libgit2 gives out what was planted."""
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
    """I1. Fails when the export in git/write.py follows links in place of writing them."""
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
