"""What counts as an answer to the question for health: all of it, in time, in HTTP; else it is told what came."""

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator

import pytest

from freshness.core.answer import Answer, AnswerKind
from freshness.engine.address import Address
from freshness.engine.http_probe import LONGEST_BODY, LONGEST_HEAD, ask

OK, MOVED, NO = b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 302 Found\r\n", b"HTTP/1.1 503 No\r\n"
SECONDS = 0.6
ROOM = 5.0
"""Seconds that a busy machine may take on top."""

Serve = Callable[[Iterable[bytes]], Address]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves one connection with these pieces of bytes, a moment apart where there are several, and closes it."""
    with contextlib.ExitStack() as ends:
        over = threading.Event()

        def start(pieces: Iterable[bytes]) -> Address:
            server = ends.enter_context(socket.create_server(("127.0.0.1", 0)))

            def run() -> None:
                with contextlib.suppress(OSError):
                    connection, _ = server.accept()
                    with connection:
                        connection.recv(4096)
                        for piece in pieces:
                            connection.sendall(piece)
                            if over.wait(0.02):
                                return

            thread = threading.Thread(target=run)
            thread.start()
            ends.callback(thread.join)
            ends.callback(over.set)
            return Address(host="127.0.0.1", port=server.getsockname()[1])

        yield start


def for_ever(piece: bytes, *before: bytes) -> Iterable[bytes]:
    return itertools.chain(before, itertools.repeat(piece))


def ask_within(address: Address) -> Answer:
    """Fails where the answer takes longer than it may, whatever the other end does."""
    began = time.monotonic()
    answer = ask(address, "/health", SECONDS)
    assert time.monotonic() - began < SECONDS + ROOM
    return answer


WHOLE = {
    "counted": [OK + b"Content-Length: 2\r\n\r\nup"],
    "in small pieces": [OK[:5], OK[5:9], OK[9:16], OK[16:] + b"\r", b"\n"],
    "to the end of the connection": [OK + b"\r\nup"],
    "in pieces": [OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nup\r\n0\r\n\r\n"],
    "without a body": [b"HTTP/1.1 204 No Content\r\n\r\n"],
    "of HTTP/1.0": [b"HTTP/1.0 200\r\n\r\nup"],
    "after an interim answer": [b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n"],
    "with more of a body than is read": for_ever(b"x" * 4096, OK + b"\r\n"),
}


@pytest.mark.parametrize("how", WHOLE)
def test_a_whole_answer_of_success_is_good(how: str, serve: Serve) -> None:
    """Fails when `_Exchange.go` waits for an end that this kind of answer has not."""
    answer = ask_within(serve(WHOLE[how]))

    assert answer.is_good, answer


CUT: dict[str, Iterable[bytes]] = {
    "headers that drip for ever": for_ever(b"x", OK + b"X-Slow: "),
    "headers line by line for ever": for_ever(b"X-More: 1\r\n", OK),
    "a status line that drips for ever": for_ever(b" ", b"HTTP/1.1 200"),
    "an end within the headers": [OK + b"Content-Type: text/plain\r\n"],
    "an end within a header": [OK + b"Content-Ty"],
    "a status line alone": [OK],
    "half a status line": [b"HTTP/1.1 200"],
    "interim answers for ever": for_ever(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a flood of interim answers": for_ever(b"HTTP/1.1 102 Processing\r\n\r\n" * 2000),
    "an interim answer alone": [b"HTTP/1.1 100 Continue\r\n\r\n"],
    "a flood of headers": for_ever(b"X-More: 1\r\n" * 1000, OK),
    "one header without end": for_ever(b"x" * LONGEST_HEAD, OK + b"X-Long: "),
    "a body shorter than it says": [OK + b"Content-Length: 100\r\n\r\nup"],
    "a body that drips for ever": for_ever(b"x", OK + b"\r\n"),
    "a counted body that drips for ever": for_ever(b"x", OK + b"Content-Length: 9999\r\n\r\n"),
    "pieces without a last one": [OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nup\r\n"],
    "pieces that never end": for_ever(b"1\r\nx\r\n", OK + b"Transfer-Encoding: chunked\r\n\r\n"),
    "pieces that are none": [OK + b"Transfer-Encoding: chunked\r\n\r\nup"],
    "two lengths": [OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nup"],
    "a length that is none": [OK + b"Content-Length: -1\r\n\r\nup"],
    "another protocol from here on": [b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nup"],
    "HTTP/0.9": [b"<html>up</html>"],
    "another protocol": [b"SSH-2.0-OpenSSH_9.2\r\n"],
    "a header that is none": [OK + b"<html>\r\n\r\n"],
    "a status that is none": [b"HTTP/1.1 2000 OK\r\n\r\n"],
    "nothing": [],
    "nothing for ever": for_ever(b""),
}


@pytest.mark.parametrize("how", CUT)
def test_what_is_cut_short_or_is_no_http_is_never_good(how: str, serve: Serve) -> None:
    """Fails when `ask` takes an end of the connection, or its own deadline, for the end of the answer."""
    answer = ask_within(serve(CUT[how]))

    assert not answer.is_good, answer
    assert answer.got


@pytest.mark.parametrize("status", [301, 302, 304, 400, 404, 429, 500, 503])
def test_another_status_is_not_good(status: int, serve: Serve) -> None:
    """Fails when SUCCESS holds more than 2xx."""
    answer = ask_within(serve([f"HTTP/1.1 {status} So\r\nContent-Length: 0\r\n\r\n".encode()]))

    assert not answer.is_good


SAID: dict[str, tuple[bytes, str]] = {
    "a status": (NO + b'Content-Length: 13\r\n\r\n{"db":"down"}', 'HTTP 503 from @, which says: {"db":"down"}'),
    "a redirect": (MOVED + b"Location: /in\r\nContent-Length: 0\r\n\r\n", "HTTP 302 from @, a redirect to /in"),
    "a page": (NO + b"\r\n<html>\n<title>\n Bad\tGateway</title>", "HTTP 503 from @, which says: Bad Gateway"),
    "half a body": (
        OK + b"Content-Length: 9\r\n\r\nup",
        "HTTP 200 from @, whose body broke off: it closed the connection, which says: up",
    ),
    "half the headers": (OK + b"A: b\r\n", "no whole answer from @: it closed the connection before its headers ended"),
    "nothing": (b"", "no answer from @: it closed the connection"),
    "another protocol": (b"SSH-2.0-x\x1b[31m\r\n", "no HTTP from @: its answer begins 'SSH-2.0-x [31m'"),
    "broken HTTP": (b"HTTP/1.1 2000 OK\r\n\r\n", "broken HTTP from @: its answer begins 'HTTP/1.1 2000 OK'"),
    "TLS": (b"\x15\x03\x01\x00\x02\x02\x16", "TLS from @: it speaks HTTPS, but the probe uses HTTP"),
    "foreign text": (
        NO + b"\r\n\n\x1b[2J\xe2\x80\xaeno\x00w\xff\n" + b"x" * 999,
        "HTTP 503 from @, which says: [2J no w\ufffd",
    ),
}


@pytest.mark.parametrize("what", SAID)
def test_it_is_told_what_was_seen(what: str, serve: Serve) -> None:
    """Fails when `first_line`, `_redirect` or an end of `_Exchange` says less, or repeats control characters."""
    said, words = SAID[what]
    address = serve([said])

    assert ask_within(address).got == words.replace("@", f"{address}/health")


def test_a_long_first_line_is_cut(serve: Serve) -> None:
    """Fails when `printable` no longer cuts."""
    answer = ask_within(serve([b"HTTP/1.1 500 No\r\n\r\n" + b"x" * (2 * LONGEST_BODY)]))

    assert answer.got.endswith("xxx…")
    assert len(answer.got) < 200


def test_nothing_that_listens_is_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = Address(host="127.0.0.1", port=closed.getsockname()[1])

    answer = ask(address, "/health", SECONDS)

    assert (answer.kind, answer.got) == (
        AnswerKind.NO_CONNECTION,
        f"no answer from {address}/health: Connection refused",
    )


def test_silence_is_told_with_its_time(serve: Serve) -> None:
    address = serve(for_ever(b""))

    answer = ask(address, "/health", SECONDS)

    assert (answer.kind, answer.got) == (AnswerKind.NO_ANSWER, f"no answer from {address}/health within 0.6 s")


@pytest.mark.parametrize(("said", "seconds"), [("3", 3.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None)])
def test_retry_after_is_read_where_it_counts_seconds(said: str, seconds: float | None, serve: Serve) -> None:
    answer = ask_within(serve([f"HTTP/1.1 429 No\r\nRetry-After: {said}\r\nContent-Length: 0\r\n\r\n".encode()]))

    assert (answer.status, answer.retry_after) == (429, seconds)


def test_the_question_is_one_get_that_ends_the_connection() -> None:
    """Fails when `_Exchange.go` asks otherwise, or names the host in a form that no server takes."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        heard: list[bytes] = []

        def run() -> None:
            connection, _ = server.accept()
            with connection:
                heard.append(connection.recv(4096))
                connection.sendall(OK + b"Content-Length: 0\r\n\r\n")

        thread = threading.Thread(target=run)
        thread.start()
        port = server.getsockname()[1]
        assert ask(Address(host="::1", port=port), "/health?a=%20b", SECONDS).is_good
        thread.join()

    request, *headers = heard[0].decode().rstrip().split("\r\n")
    assert request == "GET /health?a=%20b HTTP/1.1"
    assert {line.lower() for line in headers} == {
        f"host: [::1]:{port}", "user-agent: freshness", "accept-encoding: identity", "connection: close"
    }  # fmt: skip
