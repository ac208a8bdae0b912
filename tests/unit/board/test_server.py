"""A real board, asked over HTTP and ended by signals."""

import json
import os
import signal
import socket
import time
from collections.abc import Iterator

import pytest

from freshness.board.server import HEADERS, serve
from freshness.errors import SettingsError
from tests.unit.board.running import RunningBoard, running_board

COMMIT = "6147797436430ffca19e9c3c288de2a446da7b59"


@pytest.fixture(scope="module")
def board() -> Iterator[RunningBoard]:
    with running_board({"BOARD_REVISION": COMMIT, "BOARD_TARGET": "production"}) as running:
        yield running


def test_the_board_says_where_it_listens_and_what_it_is(board: RunningBoard) -> None:
    assert board.line.startswith(f"The board of revision {COMMIT} listens on http://127.0.0.1:")


def test_health_is_ok(board: RunningBoard) -> None:
    status, _headers, body = board.get("/health")

    assert (status, json.loads(body)) == (200, {"status": "ok"})


def test_version_is_the_revision_it_was_built_from(board: RunningBoard) -> None:
    status, headers, body = board.get("/version")
    version = json.loads(body)

    assert (status, headers.get_content_type()) == (200, "application/json")
    assert (version["revision"], version["target"]) == (COMMIT, "production")
    assert version["started"].endswith("+00:00")


def test_the_page_is_html_with_the_revision(board: RunningBoard) -> None:
    status, headers, body = board.get("/")

    assert (status, headers.get_content_type(), headers.get_content_charset()) == (200, "text/html", "utf-8")
    assert COMMIT in body


@pytest.mark.parametrize("path", ["/", "/version", "/health", "/nothing-here"])
def test_every_answer_has_the_headers_that_protect_it(board: RunningBoard, path: str) -> None:
    _status, headers, _body = board.get(path)

    assert {name: headers.get_all(name) for name, _value in HEADERS} == {name: [value] for name, value in HEADERS}
    assert "Server" not in headers


def test_a_board_that_does_not_know_its_revision_claims_none_and_stays_healthy() -> None:
    with running_board({"BOARD_REVISION": ""}) as unknown:
        status, _headers, body = unknown.get("/version")

        assert (status, json.loads(body)["revision"]) == (503, None)
        assert unknown.get("/health")[0] == 200
        assert "cannot say which commit it holds" in unknown.get("/")[2]
        assert "(unknown)" in unknown.line


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_board_at_once_even_while_a_client_is_connected(number: signal.Signals) -> None:
    with running_board({}) as running:
        host, port = running.address.split(":")
        with socket.create_connection((host, int(port)), timeout=10) as client:
            client.sendall(b"GET /health HTTP/1.1\r\nHost: board\r\n\r\n")
            assert client.recv(12) == b"HTTP/1.1 200"
            began = time.monotonic()
            running.process.send_signal(number)
            running.process.wait(timeout=10)

        assert time.monotonic() - began < 5, "a busy machine takes its time; a board that waits for clients never ends"


def test_a_port_that_is_taken_is_one_sentence(board: RunningBoard) -> None:
    host, port = board.address.split(":")

    with pytest.raises(SettingsError, match=rf"cannot listen on 127\.0\.0\.1, port {port}: .*in use.* --port"):
        serve(host, int(port), os.environ)
