"""Real registries on loopback: Debian's distribution 2.8, and version 3 where `make test-registries` has built it."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from ssl import create_default_context

from tests.support.engines import ROOT, START_SECONDS, free_port, pause
from tests.support.token_service import SERVICE, TokenService

DEBIAN = shutil.which("docker-registry", path=f"{os.environ['PATH']}:{ROOT / '.cache/docker-registry/usr/bin'}")
VERSION_3 = ROOT / ".cache/registries/registry"
USER, PASSWORD = "deployer", "a-password-of-tests"
HTPASSWD = f"{USER}:$2y$05$abcdefghijklmnopqrstuueA.5djcjiTIZGfiZPkCs0FT7mnizswe\n"
"""bcrypt of the password, which is the only kind that the registry knows."""
MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """A registry that runs; `certificates` has `ca.pem` where it speaks TLS. `owner` is whose its repositories are."""

    port: int
    folder: Path
    certificates: Path | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""

    def repository(self, name: str) -> str:
        """In full."""
        return "/".join(filter(None, (self.host, self.owner, name)))

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body, asked as a stranger who has the password would."""
        if self.certificates:
            context = create_default_context(cafile=str(self.certificates / "ca.pem"))
            connection: HTTPConnection = HTTPSConnection("127.0.0.1", self.port, timeout=10, context=context)
        else:
            connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers={"Accept": MANIFESTS, **self.headers})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def why_no_registry(name: str) -> str | None:
    """Why the registry of this name (`debian` or `v3`) cannot be started, or None."""
    if name == "debian":
        return None if DEBIAN else "there is no docker-registry; `make test` puts it into .cache where apt has it"
    return None if VERSION_3.exists() else "distribution v3 is not built; `make test-registries` builds it"


@contextmanager
def running_registry(
    folder: Path,
    name: str = "debian",
    *,
    password: bool = False,
    tokens: TokenService | None = None,
    certificates: Path | None = None,
    port: int = 0,
) -> Iterator[Registry]:
    """A registry whose data lie in `folder`, for as long as the block lasts.

    A second one with the folder and port of the first, in another network, is the same one for whoever asks there.
    It demands the `password`, or one of the `tokens`; `certificates` are a folder that an Authority has issued.
    """
    folder.mkdir(exist_ok=True)
    port, auth = port or free_port(), {}
    if password:
        (folder / "htpasswd").write_text(HTPASSWD)
        auth = {"auth": {"htpasswd": {"realm": "tests", "path": str(folder / "htpasswd")}}}
    if tokens:
        auth = {"auth": {"token": {"realm": tokens.url, "service": SERVICE, "issuer": tokens.issuer,
                                   "rootcertbundle": str(tokens.certificate)}}}  # fmt: skip
    tls = {"certificate": str(certificates / "cert.pem"), "key": str(certificates / "key.pem")} if certificates else {}
    storage = {"filesystem": {"rootdirectory": str(folder / "data")}, "delete": {"enabled": True}}
    http = {"addr": f"127.0.0.1:{port}", "secret": "of tests", **({"tls": tls} if tls else {})}
    (folder / "config.yml").write_text(json.dumps({"version": "0.1", "storage": storage, "http": http, **auth}))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                "setpriv",
                "--pdeathsig=KILL",
                str(DEBIAN if name == "debian" else VERSION_3),
                "serve",
                folder / "config.yml",
            ],
            env={"PATH": os.environ["PATH"], "OTEL_TRACES_EXPORTER": "none"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    registry = Registry(port=port, folder=folder, certificates=certificates)
    try:
        _wait_for(registry)
        yield registry
    finally:
        process.terminate()
        process.wait()


def _wait_for(registry: Registry) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            registry.get("/v2/")
        except (OSError, HTTPException):
            assert time.monotonic() < deadline, registry.log
            pause()
        else:
            return
