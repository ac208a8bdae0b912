"""The Docker Engines that scenarios run on: the machine's own, and private ones, of which tests may break some."""

import contextlib
import ctypes
import os
import random
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import docker
import docker.errors

from tests.support.daemon import Daemon, Version, running_daemon

ROOT = Path(__file__).resolve().parents[2]
UNPACKED = ROOT / ".cache/debian13/engine"
CONTAINERD = Version(
    programs=(UNPACKED / "usr/sbin", UNPACKED / "usr/bin"), config='{"features": {"containerd-snapshotter": true}}'
)
"""Debian 13's, with the containerd image store."""
CLASSIC = Version(programs=(Path("/usr/sbin"), Path("/usr/bin")))
"""The machine's own, with the classic image store."""
_SID = tuple(ROOT / ".cache/sid/engine" / folder for folder in ("usr/sbin", "usr/bin"))
_BUILT = (ROOT / ".cache/engine29", *_SID)
_OFF = '{"features": {"containerd-snapshotter": false}}'
ELSEWHERE = {
    "26": CONTAINERD,
    "28": Version(programs=_SID, config=CONTAINERD.config),
    "28-classic": Version(programs=_SID, config=_OFF),
    "29": Version(programs=_BUILT),
    "29-classic": Version(programs=_BUILT, config=_OFF),
}
"""What the private Engine may be: Debian 13's, Debian sid's, or one that was built with Go, each with either store."""
BASE_IMAGE = "python:3.13-slim"
CLONE_NEWNET = 0x40000000
START_SECONDS = 30


@dataclass(frozen=True)
class Engine:
    """A running Docker Engine. `network` is the file of its network namespace, None where that is the host's own.

    `daemon` is there where tests may break it.
    """

    label: str
    host: str
    network: Path | None = None
    daemon: Daemon | None = None

    @cached_property
    def docker(self) -> docker.DockerClient:
        return docker.DockerClient(base_url=self.host, timeout=60)

    def answers(self) -> bool:
        """Asked at its own socket: a `docker` for each question would take the time that a start needs."""
        with socket.socket(socket.AF_UNIX) as asked, contextlib.suppress(OSError):
            asked.settimeout(START_SECONDS)
            asked.connect(self.host.removeprefix("unix://"))
            asked.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return asked.recv(64).startswith((b"HTTP/1.0 200", b"HTTP/1.1 200"))
        return False

    def wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            assert time.monotonic() < deadline, self.daemon.log[-2000:] if self.daemon else f"{self.host} is silent"
            pause()

    def mend(self) -> None:
        """Undoes what a test did to the daemon."""
        if self.daemon is None:
            return
        if not self.daemon.is_up:
            self.daemon.start()
        self.daemon.go_on()
        self.wait_until_it_answers()

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
        """The output of `docker ARGUMENTS`, stripped. Fails the test, with Docker's own words, where docker fails.

        A build that BuildKit's race with the removal of images ends (moby/buildkit issue 6521) is run again.
        """
        done = self.run(["docker", *arguments])
        if "parent snapshot" in done.stderr:
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
                with contextlib.suppress(docker.errors.NotFound):  # a runner takes its job's away by itself
                    container.remove(force=True, v=True)
        for network in client.networks.list(filters={"name": self.name}):
            network.remove()
        for volume in client.volumes.list(filters={"name": self.name}):
            volume.remove()
        # Not client.images.list(), which asks for each image again, and fails when one goes meanwhile.
        names = [
            name for image in client.api.images() for kind in ("RepoTags", "RepoDigests") for name in image[kind] or ()
        ]
        tags = [name for name in names if self.name in name]
        labelled = client.api.images(filters={"label": f"freshness.test={self.name}"})
        for reference in (*tags, *(image["Id"] for image in labelled)):
            with contextlib.suppress(docker.errors.ImageNotFound):
                client.images.remove(reference, force=True)


def _ports() -> Iterator[int]:
    """Below those that the kernel gives to whoever asks for any, each one once, and none of another worker's."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    ports = list(range(10_000 + worker, 32_768, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))))
    random.shuffle(ports)
    yield from ports


_PORTS = _ports()


def free_port() -> int:
    """A port that nothing listens on, and that no other test is given."""
    for port in _PORTS:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("all ports are given away")


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


def why_no_private_engine(version: Version = CONTAINERD) -> str | None:
    """Why a private Engine cannot be started here, or None."""
    if os.geteuid() != 0:
        return "a private Engine needs root"
    if any((folder / "dockerd").exists() for folder in version.programs):
        return None
    how = "`make test` and `make test-elsewhere` put Engines into .cache where apt has a Debian mirror"
    return f"there is no dockerd in {version.programs[0]}; {how}"


@contextlib.contextmanager
def private_engine(
    machine: Engine, version: Version = CONTAINERD, *, label: str = "containerd", megabytes: int | None = None
) -> Iterator[Engine]:
    """An Engine in a network of its own without a way out, on a data root of that size where one is given.

    It has the base image, taken from the machine's Engine. It ends with the block, or with this process.
    """
    with running_daemon(version, megabytes=megabytes) as daemon:
        engine = Engine(label, daemon.host, daemon.network, daemon)
        engine.wait_until_it_answers()
        copy_base_image(machine, engine)
        yield engine
        engine.docker.close()


def copy_base_image(source: Engine, target: Engine) -> None:
    """Takes the base image from one Engine to the other."""
    _copy_image(BASE_IMAGE, source, target)


def _copy_image(reference: str, source: Engine, target: Engine) -> None:
    save = ["docker", "--host", source.host, "save", reference]
    load = ["docker", "--host", target.host, "load", "--quiet"]
    with subprocess.Popen(save, stdout=subprocess.PIPE) as saving:
        loaded = subprocess.run(load, stdin=saving.stdout, capture_output=True, check=False)
    assert saving.returncode == 0, f"{reference} is not on the machine's Engine; run `make base-image`"
    assert loaded.returncode == 0, loaded.stderr.decode()
