"""Whose a pull request is, asked of a real HTTP server that answers as the forges' API does."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from freshness.ci import forge_api
from freshness.ci.forge_api import _origin, is_own_pull_request
from freshness.core.secret import Secret
from freshness.errors import Refused, RepositoryError
from tests.payloads import load

TOKEN = Secret("job-token")


@contextmanager
def api(status: int, body: object, seen: list[tuple[str, str | None]]) -> Iterator[str]:
    """Serves one answer on loopback; `seen` gets each request's path and Authorization."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((self.path, self.headers["Authorization"]))
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def endless_api(head: bytes, piece: bytes, pause: float) -> Iterator[str]:
    """Serves `head`, and then `piece` again and again, until the client goes or the block is left."""
    is_over = threading.Event()

    class Endless(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(OSError):
                self.wfile.write(head)
                while not is_over.wait(pause):
                    self.wfile.write(piece)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Endless)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        is_over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def ask(recording: str, seen: list[tuple[str, str | None]], *, elsewhere: bool = False) -> bool:
    _, payload, env = load(recording)
    repository = env["GITHUB_REPOSITORY"]
    with api(200, payload["pull_request"], seen) as server:
        own = "https://forge.example" if elsewhere else server
        return is_own_pull_request(f"{server}/api/v1", repository, 7, own, TOKEN)


def test_a_head_in_this_repository_is_its_own_also_when_the_branch_is_gone() -> None:
    seen: list[tuple[str, str | None]] = []
    assert ask("gitea-1.26/pull_request-closed-by-deleting-head-branch", seen)
    assert len(seen) == 1
    assert seen[0][0].endswith("/pulls/7")


@pytest.mark.parametrize("recording", ["pull_request-opened-from-fork", "pull_request-labeled-fork-deleted"])
def test_a_forks_head_is_not(recording: str) -> None:
    """Breaks when `is_own_pull_request` looks at `head.repo.fork`, or takes null for our own."""
    assert not ask(f"gitea-1.26/{recording}", [])


def test_the_token_goes_to_the_servers_own_host_only() -> None:
    """Breaks when the header is set whatever the host."""
    own: list[tuple[str, str | None]] = []
    other: list[tuple[str, str | None]] = []
    ask("gitea-1.26/pull_request-opened", own)
    ask("gitea-1.26/pull_request-opened", other, elsewhere=True)
    assert (own[0][1], other[0][1]) == ("token job-token", None)


@pytest.mark.parametrize(
    ("api_url", "server_url", "own"),
    [
        ("http://forge.example/api/v1", "https://forge.example", False),
        ("http://forge.example:443/api/v1", "https://forge.example", False),
        ("https://forge.example:8443/api/v1", "https://forge.example", False),
        ("https://forge.example:443/api/v1", "https://Forge.example", True),
        ("http://forge.example/git/api/v1", "http://forge.example:80/git", True),
    ],
)
def test_the_servers_own_is_told_by_scheme_host_and_port(api_url: str, server_url: str, own: bool) -> None:  # noqa: FBT001
    """Fails when the scheme is not compared: the token would go over the wire in the clear."""
    assert (_origin(api_url) == _origin(server_url)) is own


def test_a_netrc_never_replaces_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails when requests may authorize by itself."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login ann password hunter2\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    own: list[tuple[str, str | None]] = []
    other: list[tuple[str, str | None]] = []
    ask("gitea-1.26/pull_request-opened", own)
    ask("gitea-1.26/pull_request-opened", other, elsewhere=True)
    assert (own[0][1], other[0][1]) == ("token job-token", None)


@pytest.mark.parametrize(("status", "body"), [(404, {}), (302, {}), (200, []), (200, "text")])
def test_an_answer_that_names_no_pull_request_is_an_error_without_the_token(status: int, body: object) -> None:
    with api(status, body, []) as server, pytest.raises(RepositoryError, match="pull-requests: read") as caught:
        is_own_pull_request(server, "acme/app", 7, server, TOKEN)
    assert "job-token" not in str(caught.value)


def test_where_no_token_is_sent_no_permission_of_it_is_the_remedy() -> None:
    """GitHub's API is on another host than its server."""
    with api(404, {}, []) as server, pytest.raises(RepositoryError, match="or tag it") as caught:
        is_own_pull_request(server, "acme/app", 7, "https://forge.example", TOKEN)
    assert "github-token" not in str(caught.value)


def test_a_pull_request_that_does_not_say_whose_it_is_is_refused() -> None:
    with api(200, {"head": {"repo": {"full_name": 1}}}, []) as server, pytest.raises(Refused, match="full_name"):
        is_own_pull_request(server, "acme/app", 7, server, TOKEN)


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nX-Drip: ", b"x"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b" "),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["headers", "body", "interim answers"],
)
def test_an_answer_that_drips_is_given_up_as_a_whole(
    head: bytes, piece: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails when the time is for each read alone, and not for the whole answer."""
    monkeypatch.setattr(forge_api, "TIMEOUT_SECONDS", 0.5)
    with (
        endless_api(head, piece, pause=0.05) as server,
        pytest.raises(RepositoryError, match=r"no whole answer within 0\.5 s.*pull-requests: read"),
    ):
        is_own_pull_request(server, "acme/app", 7, server, TOKEN)


def test_an_answer_without_end_is_cut_at_a_size() -> None:
    """Fails when the body is read however large it is."""
    piece = b" " * 65536
    with (
        endless_api(b"HTTP/1.1 200 OK\r\n\r\n", piece, pause=0) as server,
        pytest.raises(RepositoryError, match=f"more than {forge_api.LARGEST} bytes"),
    ):
        is_own_pull_request(server, "acme/app", 7, server, TOKEN)
