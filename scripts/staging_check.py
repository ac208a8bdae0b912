"""The staging check of the board: asks a running one what it is, and says which answer was wrong.

    python3 scripts/staging_check.py --mode stub --base-url http://localhost:8000 --expect-revision <full commit id>

`stub` asserts health and the revision served: fast, the same answer each time, no cost. `full` also asserts the page, its
headers, what happens on a wrong address, and that many answers in a row agree. The gate gives the expected revision in the
variable GIT_SHA. Exit status: 0 all passed, 1 something did not, 2 wrong use. Standard library only, Python 3.9 or newer.
"""

import argparse
import json
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator

TIMEOUT = 5.0  # seconds for one answer
REPEATS = 50
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


class Wrong(Exception):
    """One expectation that did not hold: got what, expected what."""


class Board:
    """A board's answers; it knows no proxy, and an error status is an answer like any other."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def get(self, path: str) -> "tuple[int, dict[str, str], str]":
        """Status, headers and body of one GET; Wrong when nothing answers."""
        url = self._base_url + path
        try:
            with self._opener.open(url, timeout=TIMEOUT) as answer:
                return answer.status, dict(answer.headers), answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read().decode()
        except (OSError, ValueError) as error:
            raise Wrong(f"no answer from {url}: {error}") from error

    def json(self, path: str) -> object:
        """The JSON of a 200 answer."""
        status, _headers, body = self.get(path)
        _expect(f"GET {path}: status", status, 200)
        try:
            return json.loads(body)
        except ValueError as error:
            raise Wrong(f"GET {path}: got {body[:80]!r}, expected JSON") from error


def _expect(what: str, got: object, expected: object) -> None:
    if got != expected:
        raise Wrong(f"{what}: got {got!r}, expected {expected!r}")


def _revision(board: Board) -> object:
    version = board.json("/version")
    return version.get("revision") if isinstance(version, dict) else None


def check_health(board: Board, _revision_expected: str) -> str:
    _expect("/health", board.json("/health"), {"status": "ok"})
    return "it says ok"


def check_revision(board: Board, revision: str) -> str:
    _expect("the revision served", _revision(board), revision)
    return revision


def check_page(board: Board, revision: str) -> str:
    status, _headers, body = board.get("/")
    _expect("GET /: status", status, 200)
    _expect("the page names the revision", revision in body, True)
    _expect("the page is whole", body.rstrip().endswith("</html>"), True)
    return f"{len(body)} characters that name the revision"


def check_headers(board: Board, _revision_expected: str) -> str:
    _status, headers, _body = board.get("/")
    for name, value in HEADERS.items():
        _expect(name, headers.get(name), value)
    policy = headers.get("Content-Security-Policy", "")
    _expect("the policy lets the page fetch nothing", "default-src 'none'" in policy, True)
    return "no cache, no sniffing, no referrer, nothing fetched"


def check_unknown_address(board: Board, _revision_expected: str) -> str:
    _expect("GET /nothing-here: status", board.get("/nothing-here")[0], 404)
    return "404"


def check_repeats(board: Board, revision: str) -> str:
    for turn in range(1, REPEATS + 1):
        _expect(f"the revision served, answer {turn}", _revision(board), revision)
    return f"{REPEATS} answers, one revision"


STUB = (("health", check_health), ("revision", check_revision))
FULL = (*STUB, ("page", check_page), ("headers", check_headers), ("unknown address", check_unknown_address), ("repeats", check_repeats))


def results(mode: str, base_url: str, revision: str) -> "Iterator[tuple[str, bool, str]]":
    """Name, whether it passed and a sentence for each check of the mode; a failed one does not stop the others."""
    board = Board(base_url)
    for name, check in STUB if mode == "stub" else FULL:
        try:
            yield name, True, check(board, revision)
        except Wrong as wrong:
            yield name, False, str(wrong)


def _arguments(argv: "list[str] | None") -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mode", choices=("stub", "full"), required=True)
    parser.add_argument("--base-url", required=True, help="such as http://localhost:8000")
    parser.add_argument("--expect-revision", default=os.environ.get("GIT_SHA", ""), help="full commit id; default: GIT_SHA")
    arguments = parser.parse_args(argv)
    if not re.fullmatch(r"[0-9a-f]{40}([0-9a-f]{24})?", arguments.expect_revision):
        parser.error(
            f"got {arguments.expect_revision!r} as the expected revision, expected a full lowercase commit id: "
            "give --expect-revision or set GIT_SHA"
        )
    if not re.match(r"https?://[^/]", arguments.base_url):
        parser.error(f"got {arguments.base_url!r} as the base URL, expected http://HOST:PORT")
    return arguments


def main(argv: "list[str] | None" = None) -> int:
    arguments = _arguments(argv)
    failed = 0
    for name, passed, sentence in results(arguments.mode, arguments.base_url, arguments.expect_revision):
        failed += not passed
        print(f"{'ok  ' if passed else 'FAIL'} {name}: {sentence}", flush=True)
    print(f"staging check ({arguments.mode}): {f'{failed} failed' if failed else 'passed'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
