"""Promotes a small application on a real Engine as people do, while a client asks production."""

import contextlib
import itertools
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.applications import Application, behave
from tests.support.asking_client import Answers, asking
from tests.support.engines import Sandbox
from tests.support.git import GitRepo
from tests.support.images import make_image
from tests.support.runner import Ended, Runner, Running

LABEL = "org.opencontainers.image.revision"
FIRST = "15027b0393b450eeb501b9b6ffb03ec71ee65869"
SECOND = "3415ebbf2ea5b6e1a4cf2cc7728f618ef274f953"
THIRD = "a9dda6c5b40af04a444f525eebcce8981d30cb38"
"""Revisions of images that no gate built: commits that `make_history` makes, each on top of the one before."""

LONG = {"HEALTH_RETRIES": "30", "HEALTH_INTERVAL": "1"}
SHORT = {"HEALTH_RETRIES": "8", "HEALTH_INTERVAL": "0.5"}
"""The deadline of scenarios in which something never gets healthy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """An image, and what `/version` answers from it."""

    id: str
    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoted(Ended):
    """How a command ended, and what production answered meanwhile."""

    answers: Answers

    @property
    def end(self) -> tuple[int, str]:
        """The exit status and the outcome."""
        return self.status, self.outputs["outcome"]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The sandbox's containers as (name, ID, image ID, start time), and its tags with the image that each names."""

    containers: frozenset[tuple[str, ...]]
    tags: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Production:
    """The production of the runner's application; `record` notes a measured property of the test.

    `pause` is what a client lets pass between two questions, in seconds.
    """

    runner: Runner
    record: Callable[[str, object], None]
    pause: float = 0.02
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def app(self) -> Application:
        return self.runner.app

    @property
    def sandbox(self) -> Sandbox:
        return self.runner.sandbox

    @property
    def tag(self) -> str:
        return self.app.production_image

    @property
    def kept_tag(self) -> str:
        return f"{self.tag}:freshness-previous"

    def build(
        self,
        revision: str,
        behaviour: Mapping[str, object] | None = None,
        *,
        label: str | None = None,
        tag: str | None = None,
    ) -> Built:
        """An image that answers `revision`, behaves as told, and is labelled with the revision or with `label`."""
        said = behave(**(behaviour or {}))
        self.app.repo.write(said)
        files = {name: str(text) for name, text in said.items()}
        labels = {LABEL: revision if label is None else label}
        environment = {"REVISION": revision}
        name = tag or self._new_tag()
        image = make_image(self.sandbox, self.app.repo.path, name, files=files, labels=labels, environment=environment)
        return Built(id=image, revision=revision)

    def build_from(self, dockerfile: str, *arguments: str, revision: str) -> Built:
        """An image from this Dockerfile by plain `docker build`."""
        name = self._new_tag()
        path = self.app.repo.path / "Dockerfile.plain"
        path.write_text(dockerfile)
        self.sandbox.cli("build", "--quiet", "--file", str(path), *arguments, "--tag", name, str(self.app.repo.path))
        return self.built(name, revision)

    def built(self, reference: str, revision: str) -> Built:
        image_id = self.sandbox.image_id(reference)
        assert image_id is not None, f"{reference} was not built"
        return Built(id=image_id, revision=revision)

    def _new_tag(self) -> str:
        return f"{self.sandbox.name}-built:{next(self.numbers)}"

    def deploy(self, image: Built) -> None:
        """Makes the image production as a person would, without freshness."""
        self.sandbox.cli("tag", image.id, self.tag)
        self.runner.compose("up", "--detach", "--no-deps", self.app.production)
        assert self.sandbox.wait_for(self.app.production_port, "/version").strip() == image.revision

    def promote(self, image: Built | None = None, /, *words: str, **variables: str) -> Promoted:
        """`freshness promote`, for this image by ID and its revision where an image is given."""
        if image:
            variables = {"SOURCE_IMAGE": image.id, "EXPECTED_REVISION": image.revision, **variables}
        return self.run("promote", *words, **variables)

    def run(self, *words: str, **variables: str) -> Promoted:
        """The command from its start to its end."""
        with self.asking() as answers:
            return promoted(self.start(*words, **variables), answers)

    def start(self, *words: str, **variables: str) -> Running:
        """Starts the command; the caller asks production, and ends it."""
        return self.runner.start(*words, **{**LONG, **variables})

    @contextlib.contextmanager
    def asking(self) -> Iterator[Answers]:
        """Production is asked for as long as the block lasts; `pytest -rA` shows how long nothing answered."""
        with asking(self.sandbox, self.app.production_port, pause=self.pause) as answers:
            yield answers
        print(f"production gave {answers}")
        self.record("production", str(answers))

    def state(self) -> State:
        """What promote may change, to compare before and after."""
        api, mine = self.sandbox.docker.api, {"name": self.sandbox.name}
        found = [api.inspect_container(listed["Id"]) for listed in api.containers(all=True, filters=mine)]
        tags = [(tag, image["Id"]) for image in api.images() for tag in image["RepoTags"] or ()]
        return State(
            containers=frozenset((one["Name"], one["Id"], one["Image"], one["State"]["StartedAt"]) for one in found),
            tags={tag: image_id for tag, image_id in tags if self.sandbox.name in tag},
        )

    def container(self) -> Any:
        """Production's only container."""
        (container,) = self.runner.containers(self.app.production)
        return container

    def kept(self) -> str | None:
        return self.sandbox.image_id(self.kept_tag)

    def assert_serves(self, image: Built) -> None:
        """The revision that answers, the tag, the container and the image ID agree."""
        answered = self.sandbox.get(self.app.production_port, "/version")
        assert answered == (200, image.revision), f"production answers {answered}"
        assert self.sandbox.image_id(self.tag) == image.id
        assert self.container().attrs["Image"] == image.id


def make_history(repo: GitRepo) -> None:
    """The three commits, below the branch that is checked out: what a gate builds from it goes forward from them.

    Equal content, names and times give them the same ids everywhere.
    """
    tree = repo.git("hash-object", "-w", "-t", "tree", "--stdin")
    parents: list[str] = []
    for name, expected in (("first", FIRST), ("second", SECOND), ("third", THIRD)):
        commit = repo.git("commit-tree", tree, *parents, "-m", name)
        assert commit == expected
        parents = ["-p", commit]
    repo.git("merge", "--quiet", "--strategy=ours", "--allow-unrelated-histories", "-m", "Go on from there", THIRD)


def promoted(run: Running, answers: Answers) -> Promoted:
    """Waits for the command's end; the answers go on until the caller's block is left."""
    ended = run.end()
    return Promoted(status=ended.status, log=ended.log, written=ended.written, summary=ended.summary, answers=answers)


def type_commands(reason: str) -> None:
    """Types what the reason names, in a shell, as a person would."""
    commands = reason.partition("type: ")[2]
    typed = subprocess.run(commands, shell=True, capture_output=True, text=True, check=False)  # noqa: S602
    assert typed.returncode == 0, f"{commands}: {typed.stderr}"
