"""One service of a Swarm, with images that behave as a test wants: people type `docker service`, or run `freshness`."""

import itertools
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from docker.models.containers import Container

from tests.support.applications import BUSYBOX, Application
from tests.support.engines import CLASSIC, ROOT, Sandbox, new_sandbox, pause, why_no_private_engine
from tests.support.git import GitRepo
from tests.support.promotions import LABEL, make_history
from tests.support.registries import why_no_registry
from tests.support.runner import Ended, Runner, Running, eventually
from tests.support.swarm import Node, Swarm

PROGRAMS = ("sh", "httpd", "wget", "sleep", "cat", "date")
HEALTHCHECK = 'HEALTHCHECK --interval=500ms --timeout=2s --retries=2 CMD ["sh", "/app/health"]'
DOCKERFILE = """\
FROM scratch
COPY bin /bin
COPY app /app
ENV PATH=/bin
{healthcheck}
CMD ["sh", "/app/serve"]
"""
SERVE = """\
cd /app
date +%s > started
{begin}
trap 'sleep {stop_seconds}; exit 0' TERM
httpd -f -p 8000 -h /app &
wait
"""
ANSWERS = "wget -q -O /dev/null http://127.0.0.1:8000/version"
NEVER_HEALTHY = "exit 1"
SICK_LATER = f'{ANSWERS} && [ "$(date +%s)" -lt "$(($(cat /app/started) + 10))" ]'
"""Healthy for ten seconds."""
CREATE = (
    "--endpoint-mode=dnsrr", "--replicas=3", "--update-parallelism=0", "--update-monitor=2s",
    "--update-failure-action=rollback", "--rollback-monitor=1s", "--stop-grace-period=3s", "--no-resolve-image",
)  # fmt: skip
"""How a service is created here, before what a test wants otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """An image in the registry by `repository@sha256:…`, labelled with the revision, which `/version` answers."""

    revision: str
    image: str

    @property
    def digest(self) -> str:
        return self.image.rpartition("@")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a promotion may change: the service's spec with its version, and its tasks that shall run."""

    version: int
    spec: str
    tasks: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The service called like its sandbox, or as its stack names it; it is not there at first."""

    swarm: Swarm
    runner: Runner
    name: str
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def sandbox(self) -> Sandbox:
        return self.runner.sandbox

    def build(
        self,
        revision: str,
        *,
        health: str | None = ANSWERS,
        begin: str = "",
        stop_seconds: int = 0,
        job: str = "",
        label: str | None = None,
    ) -> Release:
        """Built and pushed. `health` is its health check's script, None for none; `begin` comes before it serves.

        `job` is a script of its own, which nothing runs.
        """
        folder = self.runner.folder / f"build-{next(self.numbers)}"
        (folder / "bin").mkdir(parents=True)
        (folder / "app").mkdir()
        shutil.copy(BUSYBOX, folder / "bin/busybox")
        for program in PROGRAMS:
            (folder / "bin" / program).symlink_to("busybox")
        (folder / "app/serve").write_text(SERVE.format(begin=begin, stop_seconds=stop_seconds))
        (folder / "app/health").write_text(health or "")
        (folder / "app/job").write_text(job)
        (folder / "app/version").write_text(revision)
        (folder / "Dockerfile").write_text(DOCKERFILE.format(healthcheck=HEALTHCHECK if health else ""))
        tag = f"{self.swarm.registry.host}/{self.sandbox.name}:{folder.name}"
        labels = (
            f"--label={LABEL}={revision if label is None else label}",
            f"--label=freshness.test={self.sandbox.name}",
        )
        self.sandbox.cli("build", "--quiet", *labels, "--tag", tag, str(folder))
        self.sandbox.cli("push", "--quiet", tag)
        (image,) = self.sandbox.docker.images.get(tag).attrs["RepoDigests"]
        return Release(revision=revision, image=image)

    def by_id(self, release: Release) -> Release:
        """The same image by its ID, as the manager knows it."""
        image_id = self.sandbox.image_id(release.image)
        assert image_id is not None
        return Release(revision=release.revision, image=image_id)

    def create(self, release: Release, *options: str, published: int | None = None) -> None:
        """Creates it as a person would, and waits until all replicas run; `published` is its port on each node."""
        port = (f"--publish=mode=host,target=8000,published={published}",) if published else ()
        created = ("service", "create", "--detach", "--name", self.name, *CREATE, *port, *options, release.image)
        self.sandbox.cli(*created)
        self.wait_until_running(release)

    def update(self, *words: str) -> None:
        """`docker service update`, which is not waited for."""
        self.sandbox.cli("service", "update", "--detach", *words, self.name)

    def wait_until_running(self, release: Release, *, seconds: float = 60) -> None:
        replicas = self.spec["Mode"]["Replicated"]["Replicas"]
        wanted = [release.image] * replicas
        eventually(lambda: self.running() == wanted, f"{replicas} tasks of {release.image}", seconds=seconds)

    def wait_until(self, *states: str, seconds: float = 60) -> str:
        """The state of the update, as soon as it is one of these; the empty one is none."""
        eventually(lambda: self.update_state in states, f"update {states}", seconds=seconds)
        return self.update_state

    def promote(self, release: Release, *words: str, **variables: str) -> Ended:
        """From its start to its end."""
        return self.start(release, *words, **variables).end(150)

    def start(self, release: Release, *words: str, **variables: str) -> Running:
        told = {"SOURCE_IMAGE": release.image, "EXPECTED_REVISION": release.revision}
        return self.runner.start("promote", *words, **{**told, **variables})

    def run(self, *words: str, **variables: str) -> Ended:
        return self.runner.start(*words, **variables).end(150)

    @property
    def api(self) -> Any:
        """docker-py's API of the manager, most of which has no types."""
        return self.sandbox.docker.api

    @property
    def attrs(self) -> dict[str, Any]:
        attrs: dict[str, Any] = self.api.inspect_service(self.name)
        return attrs

    @property
    def spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = self.attrs["Spec"]
        return spec

    @property
    def image(self) -> str:
        """What the spec names."""
        return str(self.spec["TaskTemplate"]["ContainerSpec"]["Image"])

    @property
    def labels(self) -> Mapping[str, str]:
        labels: Mapping[str, str] = self.spec.get("Labels") or {}
        return labels

    @property
    def update_state(self) -> str:
        return str((self.attrs.get("UpdateStatus") or {}).get("State", ""))

    def tasks(self) -> list[dict[str, Any]]:
        """Those that shall run, by slot."""
        filters = {"service": self.name, "desired-state": "running"}
        return sorted(self.api.tasks(filters=filters), key=lambda task: task.get("Slot", 0))

    def running(self) -> list[str]:
        """The image of each task that runs, as it was told."""
        return [task["Spec"]["ContainerSpec"]["Image"] for task in self.tasks() if task["Status"]["State"] == "running"]

    def state(self) -> State:
        """To compare before and after."""
        attrs = self.attrs
        tasks = frozenset((task["ID"], task["Status"]["State"]) for task in self.tasks())
        return State(version=attrs["Version"]["Index"], spec=repr(attrs["Spec"]), tasks=tasks)

    def locks(self) -> list[str]:
        """Config objects that a lock left, of any service."""
        return [config["Spec"]["Name"] for config in self.api.configs()]

    def assert_serves(self, release: Release) -> None:
        """The spec and the task of each slot name this image, and the containers on the nodes are of it."""
        replicas = self.spec["Mode"]["Replicated"]["Replicas"]
        assert self.image == release.image
        assert self.running() == [release.image] * replicas
        assert self.served() == {release.revision}, self.served()

    def served(self) -> set[str]:
        """What is in the containers of the tasks, each asked inside itself on its own node: no Swarm between."""
        wanted = {f"{self.name}.{task['Slot']}.{task['ID']}" for task in self.tasks()}
        found = {one.name: (node.engine.host, str(one.id)) for node, one in self._containers() if one.name in wanted}
        assert found.keys() == wanted
        return {
            self.sandbox.cli("--host", host, "exec", container, "cat", "/app/version")
            for host, container in found.values()
        }

    def containers(self) -> set[str]:
        """The IDs of those that run, on all nodes."""
        return {str(container.id) for _, container in self._containers()}

    def _containers(self) -> Iterator[tuple[Node, Container]]:
        for node in self.swarm.nodes:
            for container in node.engine.docker.containers.list(filters={"name": f"{self.name}."}):
                yield node, container

    def stays(self, release: Release, *, seconds: float) -> None:
        """Nothing happens to it for so long."""
        ended = time.monotonic() + seconds
        while time.monotonic() < ended:
            assert self.image == release.image
            assert set(self.running()) == {release.image}
            pause()

    def clean(self) -> None:
        """Removes what bears its name from all nodes, and locks that were left."""
        for service in self.api.services(filters={"name": self.sandbox.name}):
            self.api.remove_service(service["ID"])
        for config in self.sandbox.docker.configs.list():
            config.remove()
        eventually(lambda: not any(map(self._has_containers, self.swarm.nodes)), "no container")
        self.sandbox.clean()  # with the Swarm's networks, which only a manager can remove
        eventually(lambda: not any(map(self._has_networks, self.swarm.nodes)), "no network")
        for node in self.swarm.nodes:
            Sandbox(engine=node.engine, name=self.sandbox.name).clean()

    def _has_containers(self, node: Node) -> bool:
        return bool(node.engine.docker.api.containers(all=True, filters={"name": self.sandbox.name}))

    def _has_networks(self, node: Node) -> bool:
        return bool(node.engine.docker.api.networks(filters={"name": self.sandbox.name}))


def skip_without_swarm() -> None:
    """Skips the test where this machine lacks what a Swarm of tests needs."""
    if reason := why_no_private_engine(CLASSIC) or why_no_registry("debian"):
        pytest.skip(reason)
    if not BUSYBOX.exists():
        pytest.skip(f"{BUSYBOX.relative_to(ROOT)} is missing; `make test` puts it there")


def service_on(swarm: Swarm, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """For a fixture: a new service, and the test on the Swarm's first manager; all is mended and removed afterwards."""
    monkeypatch.setenv("DOCKER_HOST", swarm.manager.engine.host)
    with swarm.manager.engine.entered():
        service = open_service(swarm, folder)
        try:
            yield service
        finally:
            swarm.mend()
            service.clean()


def open_service(swarm: Swarm, folder: Path) -> Service:
    """A new one with its checkout; DOCKER_HOST is the caller's to set."""
    sandbox = new_sandbox(swarm.manager.engine)
    app = Application(
        repo=GitRepo.init(folder / "app"),
        project=sandbox.name,
        staging="none",
        production=sandbox.name,
        staging_port=0,
        production_port=0,
        settings={"HOLD_TIME": "2", "SWARM_SERVICE": sandbox.name},
    )
    app.repo.commit({"README": "A shop in a Swarm"})
    make_history(app.repo)
    return Service(swarm=swarm, runner=Runner(sandbox=sandbox, app=app, folder=folder), name=sandbox.name)
