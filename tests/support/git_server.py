"""A real Git server on loopback: `git http-backend` behind an HTTP server that demands credentials as a forge does."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support.git import isolated_environment


class GitServer(ThreadingHTTPServer):
    """Serves every repository under `root` at `url`; `seen` holds each request's Authorization, or None.

    `answers` are those of the forge's API, status and JSON by path; `asked` are the requests to them, with the method.
    """

    daemon_threads = True

    def __init__(self, root: Path, *, authorization: str | None, redirect_to: str | None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.root = root
        self.authorization = authorization
        self.redirect_to = redirect_to
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.seen: list[str | None] = []
        self.answers: dict[str, tuple[int, object]] = {}
        self.asked: list[str] = []


@contextmanager
def serve_git(root: Path, *, authorization: str | None = None, redirect_to: str | None = None) -> Iterator[GitServer]:
    """Serves `root` until the block ends, demanding the exact `authorization`; with `redirect_to` it only redirects."""
    with GitServer(root, authorization=authorization, redirect_to=redirect_to) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Handler(BaseHTTPRequestHandler):
    """Answers one request by the CGI program, unless it redirects or refuses it."""

    server: GitServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer(b"")

    def do_POST(self) -> None:
        self.answer(self.read_body())

    def log_message(self, *_: object) -> None:
        """Says nothing: the test's output is the test's."""

    def answer(self, body: bytes) -> None:
        got = self.headers.get("Authorization")
        path = self.path.partition("?")[0]
        if path in self.server.answers:
            status, found = self.server.answers[path]
            self.server.asked.append(f"{self.command} {path} {got}")
            self.reply(status, [("Content-Type", "application/json")], json.dumps(found).encode())
            return
        self.server.seen.append(got)
        if self.server.redirect_to is not None:
            self.reply(HTTPStatus.MOVED_PERMANENTLY, [("Location", self.server.redirect_to + self.path)])
            return
        if self.server.authorization not in {None, got}:
            self.reply(HTTPStatus.UNAUTHORIZED, [("WWW-Authenticate", 'Basic realm="git"')])
            return
        self.reply(*run_backend(self.server.root, self, body))

    def reply(self, status: int, headers: list[tuple[str, str]], content: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body


def run_backend(root: Path, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, headers and content that `git http-backend`, a CGI program, gives for the request."""
    path, _, query = request.path.partition("?")
    environment = {
        **isolated_environment(),
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REQUEST_METHOD": request.command,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "REMOTE_ADDR": "127.0.0.1",
    }
    done = subprocess.run(
        ["git", "http-backend"], cwd=os.sep, env=environment, input=body, capture_output=True, check=False
    )
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    headers = [(name, value) for name, _, value in (line.partition(": ") for line in head.decode().split("\r\n"))]
    status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
    return status, [(name, value) for name, value in headers if name != "Status"], content
