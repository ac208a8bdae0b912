"""The forge's own address of the repository: the only place that commits are fetched from and a token is sent to."""

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit

from msgspec import Struct

from freshness.core.proxy import http_proxy_of
from freshness.core.run import Run
from freshness.core.secret import Secret

OWNER_AND_NAME = re.compile(r"(?!\.{1,2}/)[\w.-]+/(?!\.{1,2}$)[\w.-]+", re.ASCII)
DEFAULT_PORTS = {"http": 80, "https": 443}
NOT_TRUSTED = "its certificate is not trusted (or is for another host, or expired)"
TRUST_IT = (
    "Let this machine trust its authority: add that certificate with `update-ca-certificates`, or name its file in"
    " SSL_CERT_FILE."
)


class ForgeAddress(Struct, frozen=True, kw_only=True):
    """Where the forge serves the repository, and the job's token for it.

    `server_url` is the address that the runner knows the forge by (`GITHUB_SERVER_URL`), `repository` is `owner/name`;
    `runner_temp` is where actions/checkout leaves a deploy key. `proxy` is the variable that names a proxy for it,
    empty where none does: libgit2 passes it by.
    """

    server_url: str
    repository: str
    token: Secret | None = None
    runner_temp: str | None = None
    proxy: str = ""

    @classmethod
    def from_environment(cls, env: Mapping[str, str], token: Secret | None) -> Self | None:
        """What the CI says, or None where it names no forge: outside CI, or act with a repository that has no owner."""
        run = Run.of(env)
        if not is_web_address(run.server_url) or not OWNER_AND_NAME.fullmatch(run.repository):
            return None
        return cls(
            server_url=run.server_url.rstrip("/"),
            repository=run.repository,
            token=token,
            runner_temp=run.temp or None,
            proxy=http_proxy_of(run.server_url, env),
        )

    @property
    def places(self) -> dict[str, str]:
        """Where folders of our own may be, as the environment names it."""
        return {"RUNNER_TEMP": self.runner_temp or ""}

    @property
    def url(self) -> str:
        """The address that Git fetches from."""
        return f"{self.server_url}/{self.repository}"

    @property
    def host(self) -> str:
        return urlsplit(self.server_url).hostname or ""

    @property
    def origin(self) -> str:
        """Scheme, host and port as a browser writes them: actions/checkout keys its credentials by it."""
        parts = urlsplit(self.server_url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        port = "" if parts.port in {None, DEFAULT_PORTS[parts.scheme]} else f":{parts.port}"
        return f"{parts.scheme}://{host}{port}"

    @property
    def authorization(self) -> Secret | None:
        """The header that both forges take a job's token in, as actions/checkout sends it."""
        if self.token is None:
            return None
        pair = b64encode(f"x-access-token:{self.token.reveal()}".encode()).decode()
        return Secret(f"Authorization: Basic {pair}")


def is_web_address(url: str) -> bool:
    """Whether `url` is an http or https address of a host, with nothing in it that a forge's address has not."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return False
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    return parts.scheme in DEFAULT_PORTS and bool(parts.hostname) and plain and url.isprintable() and " " not in url
