"""Writes the tree of a Revision into a private folder, byte for byte, from Git objects whose hashes are verified."""

import os
from dataclasses import dataclass
from pathlib import Path

import pygit2
from pygit2.enums import ObjectType

from freshness.core.revision import Revision
from freshness.errors import Refused
from freshness.git.destination import explain_disk, make_folders, open_private, set_times
from freshness.git.objects import ObjectStore, printable
from freshness.git.shares import work_in_shares
from freshness.git.tree import Entry, EntryKind, walk_tree
from freshness.git.write import Writer

NANOSECONDS = 1_000_000_000
NAMED_PATHS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written: files and links, their bytes, and the paths (printable) of submodules and LFS pointers.

    `submodules` and `pointers` are the same paths as the file system has them.
    """

    files: int
    size: int
    incomplete: tuple[str, ...]
    submodules: tuple[str, ...] = ()
    pointers: tuple[str, ...] = ()


def export_tree(repository: pygit2.Repository, revision: Revision, folder: Path, *, allow_incomplete: bool) -> Exported:
    """Writes the whole tree into `folder`, which is made, or is empty and ours. All times are the commit's.

    Raises `Refused` for a tree that cannot be exported faithfully, `RepositoryError` where Git or the disk fails and
    `SettingsError` where the folder is not empty. What was written till then stays: the folder is the caller's.
    """
    objects = ObjectStore.of(repository)
    objects.read(revision.commit, ObjectType.COMMIT)
    times = (revision.committed_at * NANOSECONDS,) * 2
    with explain_disk(folder), open_private(folder) as root:
        entries = list(walk_tree(objects, revision.tree))
        folders = [entry.path for entry in entries if is_folder(entry)]
        make_folders(root, folders)
        writer = Writer(objects=objects, root=root, times=times)
        shares = work_in_shares(writer.write, [entry for entry in entries if not is_folder(entry)])
        submodules = [entry.path for entry in entries if entry.kind is EntryKind.SUBMODULE]
        pointers = [path for share in shares for path in share.pointers]
        incomplete = [*submodules, *pointers]
        if incomplete and not allow_incomplete:
            raise refuse_incomplete(list(map(printable, sorted(incomplete))))
        set_times(root, folders, times)
    return Exported(
        files=sum(share.files for share in shares),
        size=sum(share.size for share in shares),
        incomplete=tuple(map(printable, sorted(incomplete))),
        submodules=tuple(map(os.fsdecode, submodules)),
        pointers=tuple(map(os.fsdecode, pointers)),
    )


def shown(path: str) -> str:
    """The path, as the file system has it, for a person."""
    return printable(os.fsencode(path))


def is_folder(entry: Entry) -> bool:
    """Whether the entry becomes a folder; a submodule's stays empty."""
    return entry.kind in {EntryKind.FOLDER, EntryKind.SUBMODULE}


def refuse_incomplete(paths: list[str]) -> Refused:
    """The refusal that names these printable paths."""
    named = ", ".join(f"`{path}`" for path in paths[:NAMED_PATHS])
    more = f" and {len(paths) - NAMED_PATHS} more" if len(paths) > NAMED_PATHS else ""
    return Refused(
        f"the commit holds submodules or Git LFS pointers, whose content is not in it: {named}{more}.",
        "Commit the content itself, leave the paths out of the build context with `.dockerignore`, or set"
        " `incomplete: allow` to build without it.",
    )
