"""Writes the tree of a Revision into a private folder, byte for byte, from Git objects whose hashes are verified."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import pygit2
from msgspec import Struct
from pygit2.enums import ObjectType

from freshness.core.revision import Revision
from freshness.errors import Refused
from freshness.git.changes import find_changes
from freshness.git.destination import explain_disk, open_private
from freshness.git.objects import ObjectStore, printable
from freshness.git.write import write_changes

NANOSECONDS = 1_000_000_000
NAMED_PATHS = 10


class Exported(Struct, frozen=True, kw_only=True):
    """What stands there: files and links, their bytes, and the paths of submodules and LFS pointers.

    `incomplete` are those paths for people, the other two as the file system has them.
    """

    files: int
    size: int
    incomplete: tuple[str, ...] = ()
    submodules: tuple[str, ...] = ()
    pointers: tuple[str, ...] = ()

    @classmethod
    def of(cls, files: int, size: int, submodules: Iterable[bytes], pointers: Iterable[bytes]) -> Self:
        modules, lfs = sorted(submodules), sorted(pointers)
        return cls(
            files=files,
            size=size,
            incomplete=tuple(map(printable, sorted([*modules, *lfs]))),
            submodules=tuple(map(os.fsdecode, modules)),
            pointers=tuple(map(os.fsdecode, lfs)),
        )


def export_tree(repository: pygit2.Repository, revision: Revision, folder: Path, *, allow_incomplete: bool) -> Exported:
    """Writes the whole tree into `folder`, which is made, or is empty and ours. All times are the commit's.

    Raises `Refused` for a tree that cannot be exported faithfully, `RepositoryError` where Git or the disk fails and
    `SettingsError` where the folder is not empty. What was written till then stays: the folder is the caller's.
    """
    objects = ObjectStore.of(repository)
    objects.read(revision.commit, ObjectType.COMMIT)
    times = (revision.committed_at * NANOSECONDS,) * 2
    with explain_disk(folder), open_private(folder) as root:
        changes = find_changes(objects, revision.tree, None, lambda _path, _tree: b"")
        written = write_changes(objects, root, changes, times)
    exported = Exported.of(written.files, written.size, written.submodules, written.pointers)
    if exported.incomplete and not allow_incomplete:
        raise refuse_incomplete(list(exported.incomplete))
    return exported


def shown(path: str) -> str:
    """The path, as the file system has it, for a person."""
    return printable(os.fsencode(path))


def refuse_incomplete(paths: list[str]) -> Refused:
    """The refusal that names these printable paths."""
    named = ", ".join(f"`{path}`" for path in paths[:NAMED_PATHS])
    more = f" and {len(paths) - NAMED_PATHS} more" if len(paths) > NAMED_PATHS else ""
    return Refused(
        f"the commit has submodules or Git LFS pointers, whose content is not in it: {named}{more}.",
        "Commit the content itself, exclude the paths from the build context with `.dockerignore`, or set"
        " `incomplete: allow` to build without it.",
    )
