"""How a service is asked besides the path: by its headers, over TLS, with the statuses that count."""

import contextlib
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from freshness.core.answer import AnswerKind
from freshness.core.question import Question, host_alone
from freshness.engine.address import Address
from freshness.engine.http_probe import ask
from tests.support.certificates import Authority


class Server(ThreadingHTTPServer):
    """Answers 200 to `Host: shop.example`, else 404, and keeps the headers of each request."""

    seen: list[list[tuple[str, str]]]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        self.server.seen.append([(name, value) for name, value in self.headers.items() if name != "Connection"])
        self.send_response(200 if self.headers["Host"].startswith("shop.example") else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextlib.contextmanager
def serving(certificate: Path | None = None) -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.seen = []
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def address(server: Server) -> Address:
    return Address(host="127.0.0.1", port=server.server_port)


def test_a_header_that_is_given_wins_and_the_others_stay() -> None:
    """Fails when `Question.sent` leaves the address in `Host`: a service behind a proxy knows itself by name."""
    headers = (("Host", "shop.example"), ("X-Forwarded-Proto", "https"), ("user-agent", "probe"))
    with serving() as server:
        assert ask(address(server), "/", 5, Question(headers=headers)).is_good
        assert ask(address(server), "/", 5).status == 404

    assert server.seen[0] == [
        ("Host", "shop.example"),
        ("Accept-Encoding", "identity"),
        ("X-Forwarded-Proto", "https"),
        ("user-agent", "probe"),
    ]


def test_only_the_statuses_that_are_named_are_good() -> None:
    """Fails when `Answer.is_good` looks at 2xx alone."""
    with serving() as server:
        assert ask(address(server), "/", 5, Question(statuses={401, 404})).is_good
        assert not ask(address(server), "/", 5, Question(headers=(("Host", "shop.example"),), statuses={404})).is_good


@pytest.mark.parametrize(
    ("host", "verifies", "is_good"), [("shop.example", False, True), ("shop.example", True, False)]
)
def test_a_certificate_that_nobody_knows_is_no_answer_unless_any_is_taken(
    host: str, *, verifies: bool, is_good: bool, tmp_path: Path
) -> None:
    """Fails when `secured` switches the verification off by itself."""
    certificate = Authority.new(tmp_path / "ca").issue("shop", "subjectAltName=DNS:shop.example")
    with serving(certificate) as server:
        question = Question(headers=(("Host", host),), https=True, verifies=verifies)
        answer = ask(address(server), "/", 5, question)

    assert answer.is_good is is_good
    if not is_good:
        assert answer.kind is AnswerKind.NOT_HTTP
        assert "its certificate is not valid" in answer.got


def test_a_valid_certificate_has_the_name_that_the_host_header_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails when the name is not verified, or is that of the address."""
    authority = Authority.new(tmp_path / "ca")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.folder / "ca.pem"))
    certificate = authority.issue("shop", "subjectAltName=DNS:shop.example")
    with serving(certificate) as server:
        ours = ask(address(server), "/", 5, Question(headers=(("Host", "shop.example:443"),), https=True))
        other = ask(address(server), "/", 5, Question(headers=(("Host", "other.example"),), https=True))

    assert ours.is_good, ours.got
    assert "Hostname mismatch" in other.got


def test_plain_http_is_no_https() -> None:
    with serving() as server:
        answer = ask(address(server), "/", 5, Question(https=True, verifies=False))

    assert not answer.is_good
    assert answer.got.startswith("no HTTPS from https://127.0.0.1:")


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        ("a.b", "a.b"),
        ("a.b:443", "a.b"),
        ("::1", "::1"),
        ("[::1]:443", "::1"),
        ("[::1]", "::1"),
        ("1.2.3.4", "1.2.3.4"),
    ],
)
def test_a_host_is_named_without_its_port(host: str, alone: str) -> None:
    assert host_alone(host) == alone


def test_what_counts_is_said_in_words() -> None:
    assert str(Question()) == "HTTP 2xx"
    assert str(Question(https=True, statuses={401, 200})) == "HTTPS 200 or 401"
    assert str(Question(statuses=frozenset(range(200, 400)))) == "HTTP 200 or 201 or 202 or 203 or 204 or more"
