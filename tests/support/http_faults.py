"""A real HTTP proxy before a server: it passes everything on, but for the requests that a test wants to go wrong."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http import HTTPStatus
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_OF_CONNECTION = frozenset({"connection", "transfer-encoding", "content-length", "keep-alive"})
_CODES = {401: "UNAUTHORIZED", 403: "DENIED", 429: "TOOMANYREQUESTS"}


@dataclass(slots=True, kw_only=True)
class Fault:
    """What happens to the first `times` requests that match, such as `PUT /v2/*/manifests/*`.

    `status` answers in the server's place, `cut` sends half of its answer, `alter` changes the answer's body. With
    `wait` all of that comes so many seconds later.
    """

    what: str
    times: int = 1
    status: int = 0
    cut: bool = False
    alter: Callable[[bytes], bytes] | None = None
    wait: float = 0


class FaultyProxy(ThreadingHTTPServer):
    """Stands before 127.0.0.1:`behind`. `seen` are the requests, as `METHOD /path`, with their Authorization."""

    daemon_threads = True

    def __init__(self, behind: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = behind
        self.host = f"127.0.0.1:{self.server_port}"
        self.faults: list[Fault] = []
        self.seen: list[str] = []
        self._lock = threading.Lock()

    def fault_of(self, request: str) -> Fault | None:
        with self._lock:
            self.seen.append(request)
            for fault in self.faults:
                if fault.times > 0 and fnmatchcase(request, fault.what):
                    fault.times -= 1
                    return fault
        return None


@contextmanager
def faulty_proxy(behind: int, *faults: Fault) -> Iterator[FaultyProxy]:
    with FaultyProxy(behind) as proxy:
        proxy.faults += faults
        thread = threading.Thread(target=proxy.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


class _Handler(BaseHTTPRequestHandler):
    server: FaultyProxy
    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"
    """What is no HTTP gets an answer with a status, as from Go's servers: containerd tries TLS first."""

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def __getattr__(self, name: str) -> Callable[[], None]:
        """`do_GET`, `do_PUT` and so on are all the same."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def log_message(self, *_: object) -> None:
        """Says nothing: the test's output is the test's."""

    def _serve(self) -> None:
        body = self._read_body()
        fault = self.server.fault_of(f"{self.command} {self.path.partition('?')[0]}")
        if fault:
            time.sleep(fault.wait)
        if fault and fault.status:
            # Since Engine 28 the containerd store repeats the message alone.
            told = {
                "code": _CODES.get(fault.status, "UNKNOWN"),
                "message": f"as the test wants: {HTTPStatus(fault.status).phrase}",
            }
            self._reply(_Answer(fault.status, body=json.dumps({"errors": [told]}).encode()))
            return
        answer = self._ask(body)
        if fault and fault.alter:
            answer = _Answer(answer.status, answer.headers, fault.alter(answer.body))
        self._reply(answer, cut=bool(fault and fault.cut))

    def _ask(self, body: bytes) -> _Answer:
        connection = HTTPConnection("127.0.0.1", self.server.behind, timeout=30)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OF_CONNECTION}
        try:
            connection.request(self.command, self.path, body=body or None, headers=headers)
            answer = connection.getresponse()
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in _OF_CONNECTION]
            length = answer.getheader("Content-Length") or ""
            content = answer.read()
            return _Answer(answer.status, [*kept, *([("X-Length", length)] if self.command == "HEAD" else ())], content)
        finally:
            connection.close()

    def _reply(self, answer: _Answer, *, cut: bool = False) -> None:
        self.send_response(answer.status)
        length = str(len(answer.body))
        for name, value in answer.headers:
            if name == "X-Length":
                length = value
            else:
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[: len(answer.body) // 2] if cut else answer.body)
        if cut:
            self.close_connection = True

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body
