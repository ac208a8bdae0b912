"""One service of a Swarm, with images that behave as a test wants: people type `docker service`, or run `freshness`."""

import itertools
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.support.applications import BUSYBOX
from tests.support.engines import Sandbox
from tests.support.promotions import LABEL
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
    "--endpoint-mode=dnsrr", "--replicas=3", "--update-delay=0s", "--update-monitor=2s",
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
        return self.image.partition("@")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a promotion may change: the service's spec with its version, and its tasks that shall run."""

    version: int
    spec: str
    tasks: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The service called like its sandbox, on the Swarm's first manager; nothing of it runs at first."""

    swarm: Swarm
    runner: Runner
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def sandbox(self) -> Sandbox:
        return self.runner.sandbox

    @property
    def name(self) -> str:
        return self.sandbox.name

    def build(
        self,
        revision: str,
        *,
        health: str | None = ANSWERS,
        begin: str = "",
        stop_seconds: int = 0,
        label: str | None = None,
    ) -> Release:
        """Built and pushed. `health` is its health check's script, None for none; `begin` comes before it serves."""
        folder = self.runner.folder / f"build-{next(self.numbers)}"
        (folder / "bin").mkdir(parents=True)
        (folder / "app").mkdir()
        shutil.copy(BUSYBOX, folder / "bin/busybox")
        for program in PROGRAMS:
            (folder / "bin" / program).symlink_to("busybox")
        (folder / "app/serve").write_text(SERVE.format(begin=begin, stop_seconds=stop_seconds))
        (folder / "app/health").write_text(health or "")
        (folder / "app/version").write_text(revision)
        (folder / "Dockerfile").write_text(DOCKERFILE.format(healthcheck=HEALTHCHECK if health else ""))
        tag = f"{self.swarm.registry.host}/{self.name}:{folder.name}"
        said = f"--label={LABEL}={revision if label is None else label}"
        self.sandbox.cli("build", "--quiet", said, f"--label=freshness.test={self.name}", "--tag", tag, str(folder))
        self.sandbox.cli("push", "--quiet", tag)
        (image,) = self.sandbox.docker.images.get(tag).attrs["RepoDigests"]
        return Release(revision=revision, image=image)

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
        """What runs in the containers, each asked inside itself on its own node: no Swarm between."""
        found = set()
        for node in self.swarm.nodes:
            node_itself = Sandbox(engine=node.engine, name=self.name)
            for container in node.engine.docker.containers.list(filters={"name": f"{self.name}."}):
                found.add(node_itself.cli("--host", node.engine.host, "exec", str(container.id), "cat", "/app/version"))
        return found

    def clean(self) -> None:
        """Removes what bears its name from all nodes, and locks that were left."""
        for service in self.api.services(filters={"name": self.name}):
            self.api.remove_service(service["ID"])
        for config in self.sandbox.docker.configs.list():
            config.remove()
        with ThreadPoolExecutor() as pool:
            list(pool.map(self._clean, self.swarm.nodes))
        self.sandbox.clean()

    def _clean(self, node: Node) -> None:
        def is_empty() -> bool:
            return not node.engine.docker.api.containers(all=True, filters={"name": self.name})

        eventually(is_empty, f"no container on {node.name}")
        Sandbox(engine=node.engine, name=self.name).clean()
