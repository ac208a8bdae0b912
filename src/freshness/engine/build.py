"""Builds and labels the image with buildx, from an exported build context."""

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path, PurePath

from msgspec import Struct, field

from freshness.core.build_output import BuildOutput
from freshness.core.image import Image, guard
from freshness.core.lines import excerpt
from freshness.core.secret import Secret
from freshness.engine.client import Engine, require_reachable
from freshness.engine.images import find_image
from freshness.engine.plugin import STARTED_BY_DOCKER, find_plugin
from freshness.errors import BuildFailed, EngineError, FreshnessError, Refused
from freshness.process.children import MEMORY, Streamed, ended_by, stream, streaming
from freshness.process.private_folder import private_folder

TRIES = 3
_NO_CONTEXTS = "moby.buildkit.frontend.contexts"  # whose name is at the end, whatever else is cut
_LAYER_LOST = re.compile(r"^ERROR: .*parent snapshot \S+ does not exist: not found")
"""BuildKit's last line where a layer was collected, as one of a removed image, while an image that shares it was being
unpacked into the containerd image store. Source: moby/buildkit issue 6521, fixed by its pull request 6558 in 2026."""


class Build(Struct, frozen=True, kw_only=True):
    """What to build: a folder of the exported tree, a Dockerfile in that tree, and what the settings add.

    `subfolder` is the context's path in the tree; `name` is the tree's, under which no file ever has another content
    and the same size and time, and buildx holds its `keepalive_fds` open. `tag` is `<repository>:<full commit id>`.
    `arguments`, `labels` and `secrets` are in buildx's own words, `variables` what they name, for buildx alone.
    `contexts` are the additional ones: a folder of the tree, or `docker-image://` and an image. After `timeout` seconds
    it is given up. `revision_arguments` get the commit; `pull` asks the registry for the base images.
    """

    name: str
    context: Path
    subfolder: PurePath
    dockerfile: Path
    commit: str
    label: str
    tag: str
    timeout: float
    keepalive_fds: tuple[int, ...] = ()
    arguments: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    contexts: tuple[tuple[str, Path | str], ...] = ()
    revision_arguments: tuple[str, ...] = ("GIT_SHA",)
    secrets: tuple[str, ...] = ()
    variables: Mapping[str, Secret] = field(default_factory=dict)
    stage: str | None = None
    pull: bool = False


class Building(Struct, frozen=True, kw_only=True):
    """A build under way."""

    engine: Engine
    build: Build
    metadata: Path
    command: Sequence[str]
    deadline: float
    first: Streamed

    def end(self, line: Callable[[str], object]) -> Image:
        """Waits, and returns the image that the build's own metadata names, with the label seen on it.

        `line` gets each line of the build's output: untrusted text. Raises BuildFailed, EngineError.
        """
        build, said = self.build, BuildOutput()
        with excerpt(line) as shown:

            def take(text: str) -> None:
                said.read(text)
                shown(text)

            status = self._run(take)
        if status != 0:
            require_reachable(self.engine, "building")
            raise _failure(build, status, said)
        image_id = read_image_id(self.metadata)
        image = find_image(self.engine, image_id)
        if image is None:
            raise EngineError(
                f"The build reported the image {image_id}, but the Engine does not have it.",
                "Check whether the disk is full or something prunes images, then run again.",
            )
        problem = guard(image, build.label, build.commit)
        if problem:
            raise BuildFailed(
                f"The built image {image.id} is not labelled with its commit: {problem}.", "Check the build's output."
            )
        return image

    def _run(self, line: Callable[[str], object]) -> int | None:
        """The build's exit status, None where the deadline ended it. Builds again where the Engine lost a layer."""
        lost: list[str] = []

        def look_at(text: str) -> None:
            lost.extend(_LAYER_LOST.findall(text))
            line(text)

        status = self.first.end(look_at)
        for _ in range(TRIES - 1):
            if not status or not lost:
                break
            line("The Engine deleted a layer that was in use (moby/buildkit issue 6521): building again.")
            lost.clear()
            env, left = _environment(self.engine, self.build), max(self.deadline - time.monotonic(), 0)
            status = stream(self.command, env, look_at, timeout=left, keepalive_fds=self.build.keepalive_fds)
        return status


@contextmanager
def building(engine: Engine, build: Build) -> Iterator[Building]:
    """Starts the build, which is given up when the block is left before its end."""
    with private_folder(engine.env) as folder:
        metadata = folder / "metadata.json"
        context = _own_name(build, build.context, _key(build), folder)
        more = [
            (name, place if isinstance(place, str) else str(_own_name(build, place, _key(build, name), folder)))
            for name, place in build.contexts
        ]
        command, env = command_of(engine, build, context, metadata, more), _environment(engine, build)
        with streaming(command, env, timeout=build.timeout, keepalive_fds=build.keepalive_fds) as first:
            yield Building(
                engine=engine,
                build=build,
                metadata=metadata,
                command=command,
                deadline=time.monotonic() + build.timeout,
                first=first,
            )


def _failure(build: Build, status: int | None, said: BuildOutput) -> FreshnessError:
    """Why there is no image. An exit status of None means that the deadline ended it."""
    if status is None:
        return BuildFailed(
            f"The build of {build.commit} took longer than {build.timeout:g} s and was stopped.",
            "The output above shows how far it got; make the build faster, or raise `build-timeout`.",
        )
    if signal_name := ended_by(status):
        return EngineError(f"building: buildx was ended by {signal_name}.", MEMORY)
    if said.is_cut:
        return EngineError(
            f"building: buildx lost its connection to the Docker Engine, which still responds: {said.why}",
            "Check the network to the Engine: raise the idle timeout of the proxy, firewall or SSH server above the"
            " longest silent build step, then run again.",
        )
    if build.contexts and _NO_CONTEXTS in said.why:
        return BuildFailed(
            f"The Docker Engine builds with no additional contexts, and {build.dockerfile.name} has"
            f" {', '.join(name for name, _ in build.contexts)}: BuildKit has them since Engine 23.",
            "Use a newer Engine; or take the folder into the context, which `.dockerignore` may make small.",
        )
    pulled = " `pull` asks the registry for every base image: one that only this Engine has needs `pull: false`."
    return BuildFailed(
        f"The build of {build.commit} failed: buildx exited with status {status}, expected 0. {said.why}".rstrip(),
        f"See its output in the log; correct the Dockerfile or the code and push again.{pulled if build.pull else ''}",
    )


def _environment(engine: Engine, build: Build) -> dict[str, str]:
    secrets = {name: secret.reveal() for name, secret in build.variables.items()}
    return {**engine.env, **STARTED_BY_DOCKER, **secrets}


def _key(build: Build, *more: str) -> str:
    """What tells the context from each other one of the same tree: all that buildx sends under the context's name."""
    contexts = (
        f"{name}={place if isinstance(place, str) else os.path.relpath(place, build.context)}"
        for name, place in build.contexts
    )
    file = os.path.relpath(build.dockerfile, build.context)
    return "//".join([str(build.subfolder), file, *contexts, *more])


def _own_name(build: Build, context: Path, key: str, folder: Path) -> Path:
    """The build context under a name that no other content ever has: a link named for tree, context and Dockerfile.

    BuildKit keeps what it was sent under the last name of the context's path, and asks again only for files whose size
    or time differ: two commits of one second, in folders of one name, would give it the older content. The Dockerfile's
    folder and additional contexts are sent under that name as well, the Dockerfile's with its last name alone.
    """
    link = folder / f"{build.name}-{sha256(os.fsencode(key)).hexdigest()}"
    link.symlink_to(context)
    return link


def command_of(
    engine: Engine, build: Build, context: Path, metadata: Path, contexts: Sequence[tuple[str, str]] = ()
) -> list[str]:
    """The words that start buildx."""
    argv = [find_plugin("buildx", engine.env), "buildx", "build", "--builder", engine.context, "--load"]
    argv += ["--progress", "plain"]
    # Attestations change the image ID at every build, even when everything is cached.
    argv += ["--provenance=false", "--sbom=false", "--metadata-file", str(metadata), "--tag", build.tag]
    for argument in build.arguments:
        argv += ["--build-arg", argument]
    for secret in build.secrets:
        argv += ["--secret", secret]
    for name, place in contexts:
        argv += ["--build-context", f"{name}={place}"]
    for label in build.labels:
        argv += ["--label", label]
    if build.stage:
        argv += ["--target", build.stage]
    if build.pull:
        argv.append("--pull")
    # Last, so that they win over the same name given above.
    argv += ["--label", f"{build.label}={build.commit}"]
    for name in build.revision_arguments:
        argv += ["--build-arg", f"{name}={build.commit}"]
    return [*argv, "--file", str(build.dockerfile), str(context)]


def read_image_id(metadata: Path) -> str:
    """The image's ID. `containerimage.digest` is it under both image stores, `--iidfile` only under the classic one."""
    try:
        image_id: str = json.loads(metadata.read_text())["containerimage.digest"]
    except (OSError, ValueError, KeyError) as error:
        raise EngineError(
            f"The build left no image ID in its metadata ({error!r}).", "Install buildx 0.13 or newer, then run again."
        ) from error
    return image_id


def locate(root: Path, context: PurePath, dockerfile: PurePath) -> tuple[Path, Path]:
    """The build context and the Dockerfile in the exported tree. Raises Refused where a link leads out of it."""
    folder, file = Path(root, context), Path(root, dockerfile)
    for path in (folder, file):
        if not path.resolve().is_relative_to(root.resolve()):
            raise Refused(
                f"{path.relative_to(root)} is a link to outside the commit's tree.",
                "Set `context` and `file` to a real folder and file of the repository.",
            )
    if not folder.is_dir() or not file.is_file():
        missing = file if folder.is_dir() else folder
        raise BuildFailed(
            f"The commit has no {'Dockerfile' if missing is file else 'folder'} at {missing.relative_to(root)}.",
            "Correct `build:` of the Compose file, or `context` and `file`: they are paths of the commit.",
        )
    return folder, file
