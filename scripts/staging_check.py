"""The staging check of the board: asks a running one what it is, and says which answer was wrong.

    python3 scripts/staging_check.py --mode stub --base-url http://localhost:8000 --expect-revision COMMIT

`stub` asserts health and the revision served: fast, always the same, no cost. `full` asserts the page, its headers, a
wrong address and many answers in a row too. The gate gives the expected revision in the variable GIT_SHA.
Exit status: 0 all passed, 1 something did not, 2 wrong use. Standard library only, Python 3.9 or newer.
"""

import argparse
import http.client
import json
import os
import re
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

TIMEOUT = 5.0  # seconds for one answer
REPEATS = 50
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


class Wrong(Exception):
    """One expectation that did not hold: got what, expected what."""


class Board:
    """A board's answers, asked for without proxies or redirects."""

    def __init__(self, base_url: str) -> None:
        self._address = urlsplit(base_url).netloc

    def get(self, path: str) -> "tuple[int, http.client.HTTPMessage, str]":
        """Status, headers and body of one GET; Wrong when nothing answers."""
        connection = http.client.HTTPConnection(self._address, timeout=TIMEOUT)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise Wrong(f"no answer from http://{self._address}{path}: {error}") from error
        finally:
            connection.close()

    def json(self, path: str) -> "dict[str, object]":
        """The JSON object of a 200 answer."""
        status, _headers, body = self.get(path)
        _expect(f"GET {path}: status", status, 200)
        try:
            content = json.loads(body)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise Wrong(f"GET {path}: got {body[:80]!r}, expected a JSON object")
        return content


def _expect(what: str, got: object, expected: object) -> None:
    if got != expected:
        raise Wrong(f"{what}: got {got!r}, expected {expected!r}")


def _expect_in(what: str, text: str, part: str) -> None:
    if part not in text:
        raise Wrong(f"{what}: got {text[:80]!r}, expected {part!r} in it")


def check_health(board: Board, _revision: str) -> str:
    _expect("GET /health: status", board.json("/health").get("status"), "ok")
    return "it says ok"


def check_revision(board: Board, revision: str) -> str:
    _expect("the revision served", board.json("/version").get("revision"), revision)
    return f"it serves {revision}"


def check_page(board: Board, revision: str) -> str:
    status, headers, body = board.get("/")
    _expect("GET /: status", status, 200)
    _expect("GET /: content type", headers.get_content_type(), "text/html")
    _expect_in("the page", body, revision)
    _expect_in("the end of the page", body[-20:], "</html>")
    return "it is whole and names the revision"


def check_headers(board: Board, _revision: str) -> str:
    _status, headers, _body = board.get("/")
    for name, value in HEADERS.items():
        _expect(name, headers.get(name), value)
    _expect_in("the page's policy", headers.get("Content-Security-Policy", ""), "default-src 'none'")
    return "no cache, no sniffing, no referrer, nothing fetched"


def check_wrong_address(board: Board, _revision: str) -> str:
    _expect("GET /nothing-here: status", board.get("/nothing-here")[0], 404)
    return "it says 404"


def check_repeats(board: Board, revision: str) -> str:
    for turn in range(1, REPEATS + 1):
        _expect(f"the revision served, answer {turn}", board.json("/version").get("revision"), revision)
    return f"{REPEATS} answers, one revision"


STUB = (check_health, check_revision)
FULL = (*STUB, check_page, check_headers, check_wrong_address, check_repeats)


def run_checks(mode: str, base_url: str, revision: str) -> "Iterator[tuple[str, bool, str]]":
    """Name, whether it passed and a sentence for each check of the mode; a failed one does not stop the others."""
    board = Board(base_url)
    for check in STUB if mode == "stub" else FULL:
        name = check.__name__[len("check_") :].replace("_", " ")
        try:
            yield name, True, check(board, revision)
        except Wrong as wrong:
            yield name, False, str(wrong)


def read_arguments(argv: "list[str] | None" = None) -> argparse.Namespace:
    """The arguments, or exit status 2: nothing expected is never fine."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mode", choices=("stub", "full"), required=True)
    parser.add_argument("--base-url", required=True, help="such as http://localhost:8000")
    parser.add_argument("--expect-revision", help="full commit id (default: $GIT_SHA)")
    arguments = parser.parse_args(argv)
    if arguments.expect_revision is None:
        arguments.expect_revision = os.environ.get("GIT_SHA", "")
    if not re.fullmatch(r"[0-9a-f]{40}([0-9a-f]{24})?", arguments.expect_revision):
        parser.error(
            f"got {arguments.expect_revision!r} as the revision, expected a full lowercase commit id: "
            "give --expect-revision or set GIT_SHA"
        )
    if not re.fullmatch(r"http://[^/?#@\s]+/?", arguments.base_url):
        parser.error(f"got {arguments.base_url!r} as the base URL, expected http://HOST:PORT")
    return arguments


def main() -> int:
    arguments = read_arguments()
    failed = 0
    for name, passed, sentence in run_checks(arguments.mode, arguments.base_url, arguments.expect_revision):
        failed += not passed
        print(f"{'ok    ' if passed else 'FAILED'} {name}: {sentence}", flush=True)
    print(f"staging check, mode {arguments.mode}: {f'{failed} failed' if failed else 'passed'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
