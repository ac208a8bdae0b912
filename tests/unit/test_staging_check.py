"""The staging check passes a right board, names what is wrong with others, and never passes on nothing."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.unit.board.running import RunningBoard, running_board

SCRIPT = Path(__file__).parents[2] / "scripts" / "staging_check.py"
COMMIT = "6147797436430ffca19e9c3c288de2a446da7b59"
OTHER = "cf23df2207d99a74fbe169e3eba035e633b65d94"


@pytest.fixture(scope="module")
def board() -> Iterator[RunningBoard]:
    with running_board({"BOARD_REVISION": COMMIT, "BOARD_TARGET": "staging"}) as running:
        yield running


def staging_check(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    surroundings = {"PATH": os.environ["PATH"], "http_proxy": "http://127.0.0.1:9", **(env or {})}
    return subprocess.run(
        [sys.executable, "-I", str(SCRIPT), *arguments],
        env=surroundings, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A server that gives one answer to every GET."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("mode", ["stub", "full"])
def test_the_board_of_the_expected_revision_passes(board: RunningBoard, mode: str) -> None:
    run = staging_check("--mode", mode, "--base-url", board.url, env={"GIT_SHA": COMMIT})

    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.endswith(f"staging check, mode {mode}: passed\n")
    assert f"ok     revision: it serves {COMMIT}\n" in run.stdout


@pytest.mark.parametrize("mode", ["stub", "full"])
def test_the_board_of_another_revision_fails_with_both_named(board: RunningBoard, mode: str) -> None:
    run = staging_check("--mode", mode, "--base-url", board.url, "--expect-revision", OTHER, env={"GIT_SHA": COMMIT})

    assert run.returncode == 1
    assert f"FAILED revision: the revision served: got '{COMMIT}', expected '{OTHER}'\n" in run.stdout


def test_a_board_without_a_revision_fails() -> None:
    with running_board({}) as unknown:
        run = staging_check("--mode", "stub", "--base-url", unknown.url, "--expect-revision", COMMIT)

    assert run.returncode == 1
    assert "FAILED revision: GET /version: status: got 503, expected 200\n" in run.stdout


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (500, b"{}", "GET /health: status: got 500, expected 200"),
        (302, b"{}", "GET /health: status: got 302, expected 200"),
        (200, b"hello", "GET /health: got 'hello', expected a JSON object"),
        (200, b"[]", "GET /health: got '[]', expected a JSON object"),
        (200, b'{"status": "starting"}', "GET /health: status: got 'starting', expected 'ok'"),
        (200, b"\xff\xfe", "expected a JSON object"),
    ],
)
def test_a_wrong_answer_is_named(status: int, body: bytes, sentence: str) -> None:
    with answering(status, body) as url:
        run = staging_check("--mode", "stub", "--base-url", url, "--expect-revision", COMMIT)

    assert run.returncode == 1
    assert sentence in run.stdout
    assert "Traceback" not in run.stderr


def test_full_sees_what_stub_does_not_look_at() -> None:
    body = f'{{"status": "ok", "revision": "{COMMIT}"}}'.encode()
    with answering(200, body) as url:
        stub = staging_check("--mode", "stub", "--base-url", url, "--expect-revision", COMMIT)
        full = staging_check("--mode", "full", "--base-url", url, "--expect-revision", COMMIT)

    assert (stub.returncode, full.returncode) == (0, 1)
    failed = [line.split(":")[0] for line in full.stdout.splitlines() if line.startswith("FAILED")]
    assert failed == ["FAILED page", "FAILED headers", "FAILED wrong address"]


def test_nothing_that_answers_is_a_failure() -> None:
    with answering(200, b"") as url:
        pass
    run = staging_check("--mode", "stub", "--base-url", url, "--expect-revision", COMMIT)

    assert run.returncode == 1
    assert "FAILED health: no answer from " in run.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "required: --mode, --base-url"),
        (("--mode", "quick", "--base-url", "http://localhost:1"), "invalid choice: 'quick'"),
        (("--mode", "stub", "--base-url", "http://localhost:1"), "got '' as the revision"),
        (("--mode", "stub", "--base-url", "http://localhost:1", "--expect-revision", COMMIT[:7]), "got '6147797'"),
        (("--mode", "stub", "--base-url", "localhost:1", "--expect-revision", COMMIT), "as the base URL"),
    ],
)
def test_wrong_use_is_exit_status_2_and_says_what_to_give(arguments: tuple[str, ...], sentence: str) -> None:
    run = staging_check(*arguments)

    assert run.returncode == 2
    assert sentence in run.stderr
