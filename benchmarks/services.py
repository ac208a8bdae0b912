"""One gate of twenty services from five Dockerfiles, against `docker buildx bake` and `docker compose up` of them."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.deploys import gate
from benchmarks.engines import at, own_engine
from benchmarks.export import git
from benchmarks.table import Row
from tests.support.applications import Application
from tests.support.engines import BASE_IMAGE, Engine, new_sandbox
from tests.support.git import GitRepo
from tests.support.runner import Runner

ROUNDS = 5
IMAGES = ("one", "two", "three", "four", "five")
SERVICES = {f"{image}-{number}": image for number in range(4) for image in IMAGES}
PEER = "docker buildx bake + docker compose up"
WAITING = ("application", "check", "hold")
"""What the peer does not do. The recreation is measured with both."""
DOCKERFILE = f"""\
FROM {BASE_IMAGE}
WORKDIR /app
COPY . .
STOPSIGNAL SIGKILL
CMD ["sleep", "infinity"]
"""


def measure(host: str, rounds: int) -> Iterator[Row]:
    """One row."""
    with own_engine(host) as engine, deployed_services(engine) as runner:
        peer = Peer(runner)
        ours, theirs = [], []
        for number in range(rounds + 1):  # the first makes all containers
            change(runner, f"{number} ours")
            ours.append(gate(runner).without(*WAITING))
            theirs.append(peer.deploy(change(runner, f"{number} peer")))
    what = f"gate of {len(SERVICES)} services from {len(IMAGES)} Dockerfiles, recreated"
    own, peers = median(ours[1:]), median(theirs[1:])
    yield Row(what=what, measured=own, target=1.2, peer=PEER, peer_measured=peers)


@contextmanager
def deployed_services(engine: Engine) -> Iterator[Runner]:
    with TemporaryDirectory() as folder:
        sandbox = new_sandbox(engine)
        app = Application(
            repo=GitRepo.init(Path(folder, "app")),
            project=sandbox.name,
            staging="one-0",
            production="none",
            staging_port=0,
            production_port=0,
            settings={"TARGET_SERVICE": " ".join(SERVICES), "HOLD_TIME": "1", "CHECK_COMMAND": "true"},
        )
        app.repo.commit(
            {
                "compose.yaml": compose_file(sandbox.name),
                "freshness.toml": "".join(f'[services.{name}]\nhealth = "running"\n' for name in SERVICES),
                **{f"{image}/Dockerfile": DOCKERFILE for image in IMAGES},
            }
        )
        try:
            yield Runner(sandbox=sandbox, app=app, folder=Path(folder))
        finally:
            if engine.daemon is None:  # else it goes with all that is in it
                sandbox.clean()


def compose_file(project: str) -> str:
    services = (f"  {name}:\n    image: {project}-{image}\n    build: {image}\n" for name, image in SERVICES.items())
    return "".join([f"name: {project}\nservices:\n", *services])


def change(runner: Runner, text: str) -> str:
    """A commit that changes each image."""
    return runner.app.repo.commit({f"{image}/file": text for image in IMAGES})


class Peer:
    """The same services in a project of their own, from a standing work tree."""

    def __init__(self, runner: Runner) -> None:
        self.repo, self.engine = runner.app.repo, runner.sandbox.engine
        self.project = f"{runner.sandbox.name}-peer"
        self.folder = runner.folder / "peer"
        self.repo.git("clone", "--quiet", "--shared", "--no-checkout", str(self.repo.path), str(self.folder))
        self.file = runner.folder / "peer.yaml"
        text = compose_file(self.project).replace("build: ", f"build: {self.folder}/")
        self.file.write_text(text)

    def deploy(self, commit: str) -> float:
        """Seconds."""
        before = time.perf_counter()
        git(self.folder, "checkout", "--quiet", commit)
        self._docker("buildx", "bake", "--load", "--file", str(self.file))
        self._compose("up", "--detach", "--no-build")
        return time.perf_counter() - before

    def _compose(self, *words: str) -> None:
        self._docker("compose", "--file", str(self.file), *words)

    def _docker(self, *words: str) -> None:
        with at(self.engine):
            done = subprocess.run(["docker", *words], cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"docker {' '.join(words)}: {done.stderr}")
