"""Which submodules and Git LFS pointers a build would see: what never reaches it closes no gate."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from msgspec import Struct

from freshness.core.definition import IMAGE, Definition
from freshness.engine.build import locate
from freshness.engine.client import Engine
from freshness.engine.ignored import has_ignore_file, sent
from freshness.errors import FreshnessError
from freshness.git.export import Exported, shown

INSIDE = "freshness-content"
"""A name that stands for whatever a submodule holds: Git leaves its folder empty."""


class IncompletePaths(Struct, frozen=True, kw_only=True):
    """What is incomplete in a build context; `paths` are from the commit's root.

    `names` maps each, as a file of the context, to its path. It is empty where nothing can leave one out.
    """

    paths: tuple[str, ...]
    folder: Path
    dockerfile: Path
    names: dict[str, str]

    @property
    def printable(self) -> list[str]:
        """The paths for people."""
        return list(map(shown, self.paths))

    def reaching(self, engine: Engine) -> list[str]:
        """The printable paths that Docker's client would send to the build. Raises EngineError."""
        return [shown(self.names[name]) for name in sorted(sent(engine, self.folder, self.dockerfile, self.names))]


def find_all_incomplete(exported: Exported, root: Path, build: Definition) -> Iterator[IncompletePaths]:
    """What of the exported tree in `root` is incomplete in each folder that this build is sent."""
    file = PurePosixPath(build.dockerfile)
    yield find_incomplete(exported, root, PurePosixPath(build.context), file)
    for _, place in build.contexts:
        if not place.startswith(IMAGE):
            yield find_incomplete(exported, root, PurePosixPath(place), file, is_additional=True)


def find_incomplete(
    exported: Exported, root: Path, context: PurePosixPath, file: PurePosixPath, *, is_additional: bool = False
) -> IncompletePaths:
    """What of the exported tree in `root` is incomplete in the folder of the context.

    The Dockerfile's own ignore file counts for the build context, and for no additional one.
    """
    folder = root / context
    dockerfile = folder / INSIDE if is_additional else root / file
    real = PurePosixPath(os.path.relpath(os.path.realpath(folder), os.path.realpath(root)))
    paths = tuple(
        path for path in sorted((*exported.submodules, *exported.pointers)) if _meets(real, PurePosixPath(path))
    )
    try:
        locate(root, context, file)
        is_asked = has_ignore_file(folder, dockerfile)
    except FreshnessError:  # nothing can be built, which the build says
        is_asked = False
    names = {_name(exported, real, path): path for path in paths} if is_asked else {}
    return IncompletePaths(paths=paths, folder=folder, dockerfile=dockerfile, names=names)


def _meets(context: PurePosixPath, path: PurePosixPath) -> bool:
    """Whether the path is in the context, or the context in a submodule there."""
    return path.is_relative_to(context) or context.is_relative_to(path)


def _name(exported: Exported, context: PurePosixPath, path: str) -> str:
    inside = PurePosixPath(path).relative_to(context)
    return str(inside / INSIDE if path in exported.submodules else inside)
