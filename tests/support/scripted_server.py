"""An HTTP server on loopback that answers each path as the test says, and remembers what it was asked."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`unless` is an Authorization that is answered with 200 and the body, whatever `status` says."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    unless: str = ""
    drips: bool = False


class ScriptedServer(ThreadingHTTPServer):
    """`asked` are the requests: path without the query, and Authorization."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.host = f"127.0.0.1:{self.server_port}"
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, str]] = []
        self.released = threading.Event()

    def authorizations(self) -> set[str]:
        """What it was sent, of all requests but those that Docker's own first question is."""
        return {authorization for path, authorization in self.asked if path != "/v2/"}


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer()

    def log_message(self, *_: object) -> None:
        """Says nothing: the test's output is the test's."""

    def _answer(self) -> None:
        path, authorization = self.path.partition("?")[0], self.headers.get("Authorization", "")
        self.server.asked.append((path, authorization))
        answer = self.server.answers.get(path, Answer(status=404))
        is_in = not answer.unless or authorization == answer.unless
        body = answer.body if is_in else b""
        self.send_response(200 if answer.unless and is_in else answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) + answer.drips))
        self.end_headers()
        self.wfile.write(body)
        if answer.drips:
            self.wfile.flush()
            self.server.released.wait(20)
            self.close_connection = True
