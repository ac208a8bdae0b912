"""The Docker Engines that scenarios run on: the machine's own, and a private one with the containerd image store."""

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import docker
import docker.errors

ROOT = Path(__file__).resolve().parent.parent
UNPACKED = ROOT / ".cache/debian13/engine"
BASE_IMAGE = "python:3.13-slim"
CLONE_NEWNET = 0x40000000
DAEMON_CONFIG = '{"features": {"containerd-snapshotter": true}}'
START_SECONDS = 30


@dataclass(frozen=True)
class Engine:
    """A running Docker Engine. `network` is the file of its network namespace, None where that is the host's own."""

    label: str
    host: str
    network: Path | None = None

    @cached_property
    def docker(self) -> docker.DockerClient:
        return docker.DockerClient(base_url=self.host, timeout=60)

    def answers(self) -> bool:
        asked = subprocess.run(["docker", "--host", self.host, "version"], capture_output=True, check=False)
        return asked.returncode == 0

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """The ports that the Engine publishes on 127.0.0.1 are seen by this thread and all that it starts."""
        if self.network is None:
            yield
            return
        with Path("/proc/thread-self/ns/net").open("rb") as outside, self.network.open("rb") as inside:
            _set_namespace(inside.fileno())
            try:
                yield
            finally:
                _set_namespace(outside.fileno())


def _set_namespace(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns into the private Engine's network")


@dataclass(frozen=True)
class Sandbox:
    """One test's corner of an Engine: everything that the test makes there bears `name`, and goes when it ends.

    Projects, image repositories and containers are called `name` or begin with it; images without a tag carry the label
    `freshness.test=<name>`.
    """

    engine: Engine
    name: str

    @property
    def docker(self) -> docker.DockerClient:
        return self.engine.docker

    def run(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 120,
    ) -> subprocess.CompletedProcess[str]:
        """Runs the command, with `env` on top of the test's environment, and leaves its exit status to the caller."""
        return subprocess.run(
            [str(word) for word in command],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )

    def cli(self, *arguments: str) -> str:
        """The output of `docker ARGUMENTS`, stripped. Fails the test, with Docker's own words, where docker fails."""
        done = self.run(["docker", *arguments])
        assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()

    def get(self, port: int, path: str = "/", *, timeout: float = 5) -> tuple[int, str]:
        """Status and body of what answers on 127.0.0.1:`port`; OSError or HTTPException where nothing does."""
        connection = HTTPConnection("127.0.0.1", port, timeout=timeout)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()

    def wait_for(self, port: int, path: str = "/", *, seconds: float = 20) -> str:
        """The body of the first 200 answer."""
        deadline = time.monotonic() + seconds
        seen: object = "nothing asked"
        while time.monotonic() < deadline:
            try:
                seen = self.get(port, path, timeout=1)
            except (OSError, HTTPException) as error:
                seen = error
            else:
                if seen[0] == 200:
                    return seen[1]
            pause()
        raise AssertionError(f"127.0.0.1:{port}{path} did not answer 200 within {seconds} s: {seen!r}")

    def free_port(self) -> int:
        """A port that nothing listens on, on the Engine's side."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
            return port

    def image_id(self, reference: str) -> str | None:
        try:
            return self.docker.images.get(reference).id
        except docker.errors.ImageNotFound:
            return None

    def clean(self) -> None:
        """Removes what bears the test's name, and nothing else."""
        client = self.docker
        for container in client.containers.list(all=True, ignore_removed=True):
            project = container.labels.get("com.docker.compose.project", "")
            if self.name in f"{project} {container.name}":
                container.remove(force=True, v=True)
        for network in client.networks.list(filters={"name": self.name}):
            network.remove()
        for volume in client.volumes.list(filters={"name": self.name}):
            volume.remove()
        # Not client.images.list(), which asks for each image again, and fails when one goes meanwhile.
        tags = [tag for image in client.api.images() for tag in image["RepoTags"] or () if self.name in tag]
        labelled = client.api.images(filters={"label": f"freshness.test={self.name}"})
        for reference in (*tags, *(image["Id"] for image in labelled)):
            with contextlib.suppress(docker.errors.ImageNotFound):
                client.images.remove(reference, force=True)


def pause() -> None:
    """Yields the processor for a moment where there is nothing to wait on but a real port or process."""
    time.sleep(0.02)


def new_sandbox(engine: Engine) -> Sandbox:
    return Sandbox(engine=engine, name=f"t{uuid.uuid4().hex[:10]}")


@contextlib.contextmanager
def machine_engine(host: str) -> Iterator[Engine]:
    """The Engine that the machine has. None there is an error: without Docker no scenario proves anything."""
    engine = Engine(label="machine", host=host)
    yield engine
    engine.docker.close()


def why_no_private_engine() -> str | None:
    """Why a private Engine cannot be started here, or None."""
    if os.geteuid() != 0:
        return "a private Engine needs root"
    if not (UNPACKED / ".complete").exists():
        return f"{UNPACKED.relative_to(ROOT)} is missing; `make test` puts it there where apt has a Debian mirror"
    return None


@contextlib.contextmanager
def private_engine(machine: Engine) -> Iterator[Engine]:
    """Debian 13's Engine with the containerd image store, in a network of its own without a way out.

    It has the base image, taken from the machine's Engine. It ends with the block, or with this process.
    """
    folder = Path(tempfile.mkdtemp(prefix="freshness-engine-"))
    (folder / "daemon.json").write_text(DAEMON_CONFIG)
    socket_file = folder / "docker.sock"
    daemon = _start(folder, socket_file)
    try:
        engine = Engine("containerd", f"unix://{socket_file}", Path(f"/proc/{daemon.pid}/ns/net"))
        _wait_until_it_answers(daemon, engine, folder / "log")
        _copy_image(BASE_IMAGE, machine, engine)
        yield engine
        engine.docker.close()
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path, socket_file: Path) -> subprocess.Popen[bytes]:
    """Starts dockerd in a new network namespace, which goes with it; so does it with us, however we end."""
    binaries = ":".join(str(UNPACKED / place) for place in ("usr/sbin", "usr/bin"))
    options = [
        f"--config-file={folder / 'daemon.json'}",
        f"--data-root={folder / 'data'}",
        f"--exec-root={folder / 'exec'}",
        f"--pidfile={folder / 'pid'}",
        f"--host=unix://{socket_file}",
        "--bip=10.214.0.1/24",
    ]
    script = 'ip link set lo up && exec dockerd "$@"'
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "unshare", "--net", "sh", "-c", script, "dockerd", *options],
            env={"PATH": f"{binaries}:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _wait_until_it_answers(daemon: subprocess.Popen[bytes], engine: Engine, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and daemon.poll() is None:
        if engine.answers():
            return
        pause()
    raise AssertionError(f"the private Engine did not start:\n{log.read_text(errors='replace')[-2000:]}")


def _copy_image(reference: str, source: Engine, target: Engine) -> None:
    save = ["docker", "--host", source.host, "save", reference]
    load = ["docker", "--host", target.host, "load", "--quiet"]
    with subprocess.Popen(save, stdout=subprocess.PIPE) as saving:
        loaded = subprocess.run(load, stdin=saving.stdout, capture_output=True, check=False)
    assert saving.returncode == 0, f"{reference} is not on the machine's Engine; run `make base-image`"
    assert loaded.returncode == 0, loaded.stderr.decode()
