"""HTTP to one registry: whom it trusts, where it may be redirected, and that no question takes for ever.

With requests, which comes with docker-py: it has connections that are kept, proxies, and TLS; no client of registries
for Python puts a Docker manifest back byte for byte.
"""

from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests
from msgspec import Struct
from msgspec.structs import replace

from freshness.core.registry_name import Repository, is_loopback
from freshness.process.deadline import within
from freshness.process.trust import Trusting

SECONDS = 30  # from a question to the end of its answer
LARGEST = 4 * 1024 * 1024  # bytes: the most that registries take for a manifest; a configuration is smaller
_REDIRECTS = 5
_REDIRECTING = frozenset({301, 302, 303, 307, 308})
_PORTS = {"https": 443, "http": 80}
_CERTIFICATES = Path("/etc/docker/certs.d")  # https://docs.docker.com/engine/security/certificates/


class TooLarge(Exception):
    """The answer is larger than any that we ask for."""


class Misdirected(Exception):
    """The registry redirects to where no question may go."""


class Reply(Struct, frozen=True, kw_only=True):
    """A whole answer; the names of its headers are found in any case.

    `elsewhere` is another host, to which the registry redirected; empty where the registry itself answers.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    elsewhere: str = ""


class Transport:
    """Connections to one registry's host."""

    def __init__(self, repository: Repository, seconds: float = SECONDS) -> None:
        self._is_local = repository.is_local
        self._seconds = seconds
        self._host = repository.api_host
        self._base = ""
        self._trusted, self._is_trusting = repository.host, False
        self._session = requests.Session()
        if self._is_local:  # as Docker does: a proxy's loopback is another one
            self._session.trust_env = False

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> Reply:
        """Asks for a path of the registry's API. Raises TooLarge, Misdirected, TimeoutError, and what requests raises.

        A redirection is followed by GET alone, with the Authorization only to the same scheme, host and port.
        """
        return within(self._seconds, self._follow, method, path, headers, body)

    def get(self, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None = None) -> Reply:
        """As `ask`, of a whole address such as a token's; with a `form` it is a POST. No redirection is followed."""
        self._require_safe(url)
        return within(self._seconds, self._send, "POST" if form else "GET", url, headers, form)

    def _follow(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        self._base = self._base or self._find_base()
        url = self._base + path
        for _ in range(_REDIRECTS):
            reply = self._send(method, url, headers, body)
            if reply.status not in _REDIRECTING or method != "GET":
                is_own = _origin(url) == _origin(self._base)
                return reply if is_own else replace(reply, elsewhere=urlsplit(url).netloc.rpartition("@")[2])
            target = urljoin(url, reply.headers.get("Location", ""))
            self._require_safe(target)
            if _origin(target) != _origin(url):
                headers = {name: value for name, value in headers.items() if name != "Authorization"}
            url = target
        raise Misdirected(f"more than {_REDIRECTS} redirections")

    def _find_base(self) -> str:
        """https; on loopback http, where what listens there takes it: a server with TLS answers 400, or hangs up."""
        if self._is_local:
            with suppress(requests.exceptions.ConnectionError):
                if self._send("GET", f"http://{self._host}/v2/", {}, None).status != HTTPStatus.BAD_REQUEST:
                    return f"http://{self._host}"
        return f"https://{self._host}"

    def _require_safe(self, url: str) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        is_ours = parts.scheme == "http" and self._is_local and is_loopback(host)
        if not host or not (parts.scheme == "https" or is_ours):
            raise Misdirected(f"{parts.scheme}://{host}")

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | Mapping[str, str] | None) -> Reply:
        content = bytearray()
        if not self._is_trusting and url.startswith("https:"):  # reading whom the machine trusts takes 25 ms
            self._session.mount("https://", Trusting(sorted((_CERTIFICATES / self._trusted).glob("*.crt"))))
            self._is_trusting = True
        with self._session.request(
            method, url, headers={"Accept-Encoding": "identity", **headers}, data=body, auth=_as_it_is,
            timeout=self._seconds, allow_redirects=False, stream=True,
        ) as answer:  # fmt: skip
            for piece in answer.iter_content(64 * 1024):
                content += piece
                if len(content) > LARGEST:
                    raise TooLarge
        return Reply(status=answer.status_code, headers=answer.headers, body=bytes(content))


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Adds nothing: where requests is given no way to authorize, it takes one from `.netrc`, in place of Docker's."""
    return request


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
