"""A real HTTP server that answers as the forges' API does: comments, statuses, deployments."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HEAD = "1f0c2a9b" * 5


@dataclass(slots=True, kw_only=True)
class Api:
    """A forge: `failing` are the statuses of its next answers, `pages` whether it knows of pages, as GitHub does.

    `says_whose` is whether the token may ask whose it is, `is_a_page` whether a page stands for each answer.
    """

    url: str = ""
    login: str = "gitea-actions"
    says_whose: bool = True
    is_a_page: bool = False
    comments: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    failing: list[int] = field(default_factory=list)
    pages: bool = False
    hangs: threading.Event | None = None
    head: str = HEAD
    merged: bool = False
    merge_commit: str = ""
    deployments: list[dict[str, Any]] = field(default_factory=list)
    deployment_states: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        self.seen.append(f"{method} {path}")
        if self.hangs:
            self.hangs.wait(60)
        if self.failing:
            return self.failing.pop(0), {"message": ""}
        path, _, query = path.partition("?")
        parts = path.strip("/").split("/")[3:]
        if method == "GET":
            known: dict[str, Any] = {"/repos/o/n/pulls/7": self.pull}
            if path == "/user":
                return (200, {"login": "ann"}) if self.says_whose else (403, {})
            if self.merge_commit:
                known[f"/repos/o/n/commits/{self.merge_commit}/pull"] = self.pull
                known[f"/repos/o/n/commits/{self.merge_commit}/pulls"] = [self.pull, {**self.pull, "merged_at": None}]
            found = self.page(query) if parts == ["issues", "7", "comments"] else known.get(path)
            return (404, {}) if found is None else (200, found)
        if method == "DELETE":
            self.comments = [one for one in self.comments if str(one["id"]) != parts[-1]]
            return 204, None
        return self.written(parts, body)

    @property
    def pull(self) -> dict[str, Any]:
        merge = {"merged": self.merged, "merged_at": "2026-01-01T00:00:00Z", "merge_commit_sha": self.merge_commit}
        return {"number": 7, "head": {"sha": self.head}, **merge}

    def written(self, parts: list[str], body: Any) -> tuple[int, Any]:
        match parts:
            case ["issues", "7", "comments"]:
                self.comments.append({"id": len(self.comments) + 1, "user": {"login": self.login}, **body})
                return 201, self.comments[-1]
            case ["issues", "comments", number]:
                self.comments[int(number) - 1].update(body)
                return 200, self.comments[int(number) - 1]
            case ["deployments"]:
                self.deployments.append(body)
                return 201, {"id": len(self.deployments)}
            case ["deployments", number, "statuses"]:
                self.deployment_states.append((number, body))
            case ["statuses", commit]:
                self.statuses.append((commit, body))
            case _:
                return 404, {}
        return 201, body

    def page(self, query: str) -> list[dict[str, Any]]:
        if not self.pages:
            return self.comments
        given = dict(pair.split("=") for pair in query.split("&"))
        size, number = int(given["per_page"]), int(given["page"])
        return self.comments[size * (number - 1) : size * number]


@contextmanager
def served(api: Api, certificate: Path | None = None) -> Iterator[Api]:
    """By https where there is a folder with `cert.pem` and `key.pem`."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            assert self.headers["Authorization"] == "token job-token"
            body = json.loads(self.rfile.read(size) or b"null")
            status, found = (200, None) if api.is_a_page else api.answer(self.command, self.path, body)
            self.send_response(status)
            self.end_headers()
            if api.is_a_page:
                self.wfile.write(b"<html>Log in</html>")
            elif status != 204:
                self.wfile.write(json.dumps(found).encode())

        do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 -- http.server's names

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    if certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    api.url = f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}"
    try:
        yield api
    finally:
        if api.hangs:
            api.hangs.set()
        server.shutdown()
        server.server_close()
