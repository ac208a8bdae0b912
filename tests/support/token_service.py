"""A token service as registries have one beside them: it gives whoever has the password a signed token for a scope."""

import json
import re
import subprocess
import threading
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

SERVICE, ISSUER = "registry.tests", "tokens.tests"


class TokenService(ThreadingHTTPServer):
    """Serves tokens at `url` to whoever sends the `authorization`; `asked` are the scopes that it was asked for."""

    daemon_threads = True
    issuer = ISSUER

    def __init__(self, folder: Path, authorization: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.authorization = authorization
        self.url = f"http://127.0.0.1:{self.server_port}/token"
        self.asked: list[str] = []
        folder.mkdir()
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "1", "-subj", "/CN=tokens",
             "-keyout", folder / "key.pem", "-out", self.certificate],
            check=True, capture_output=True,
        )  # fmt: skip

    @property
    def certificate(self) -> Path:
        return self.folder / "cert.pem"

    def issue(self, scopes: Iterable[str]) -> str:
        """A token that is good for five minutes: https://distribution.github.io/distribution/spec/auth/jwt/."""
        found = filter(None, (re.fullmatch(r"repository:([^:]+):(\S+)", scope) for scope in scopes))
        access = [{"type": "repository", "name": one[1], "actions": one[2].split(",")} for one in found]
        der = re.sub(r"-----[^-]+-----|\s", "", self.certificate.read_text())
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": "tests", "aud": SERVICE, "exp": now + 300, "nbf": now - 10, "iat": now,
                  "jti": str(now), "access": access}  # fmt: skip
        signed = f"{_encode({'typ': 'JWT', 'alg': 'RS256', 'x5c': [der]})}.{_encode(claims)}"
        signature = subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", self.folder / "key.pem"],
            input=signed.encode(), check=True, capture_output=True,
        ).stdout  # fmt: skip
        return f"{signed}.{_urlsafe(signature)}"


@contextmanager
def serve_tokens(folder: Path, user: str, password: str) -> Iterator[TokenService]:
    authorization = "Basic " + b64encode(f"{user}:{password}".encode()).decode()
    with TokenService(folder, authorization) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: TokenService

    def do_GET(self) -> None:
        scopes = parse_qs(urlsplit(self.path).query).get("scope", [""])
        self.server.asked += scopes
        if self.headers.get("Authorization") != self.server.authorization:
            self.send_error(401)
            return
        body = json.dumps({"token": self.server.issue(scopes)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """As many a real one: containerd asks by OAuth first, and by GET where that is not allowed."""
        self.send_error(405)

    def log_message(self, *_: object) -> None:
        """Says nothing: the test's output is the test's."""


def _encode(value: object) -> str:
    return _urlsafe(json.dumps(value).encode())


def _urlsafe(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
