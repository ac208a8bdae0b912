"""Writes the tree of a Revision into a private folder, byte for byte, from Git objects whose hashes are verified."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

import pygit2
from pygit2.enums import ObjectType

from freshness.core.revision import Revision
from freshness.errors import Refused, RepositoryError, SettingsError
from freshness.repository.objects import ObjectStore, printable
from freshness.repository.tree import Entry, EntryKind, walk_tree

LFS_POINTER = b"version https://git-lfs.github.com/spec/v1"
"""How a pointer file begins, and below which size it ends: docs/spec.md of git-lfs."""
LFS_POINTER_SIZE = 1024
FILE_MODE, EXECUTABLE_MODE, FOLDER_MODE = 0o644, 0o755, 0o755
LONGEST_NAME, LONGEST_TARGET, LONGEST_PATH = 255, 4095, 3072
"""Bytes that Linux takes for a name, a link's target, and a path (4095) less room for the folder that it stands in."""
NANOSECONDS = 1_000_000_000
NAMED_PATHS = 10

NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written: files and links, their bytes, and the paths (printable) of submodules and LFS pointers."""

    files: int
    size: int
    incomplete: tuple[str, ...]


def export_tree(repository: pygit2.Repository, revision: Revision, folder: Path, *, allow_incomplete: bool) -> Exported:
    """Writes the whole tree into `folder`, which is made, or is empty and ours. All times are the commit's.

    Raises `Refused` for a tree that cannot be exported faithfully, `RepositoryError` where Git or the disk fails and
    `SettingsError` where the folder is not empty. What was written till then stays: the folder is the caller's.
    """
    objects = ObjectStore.of(repository)
    objects.read(revision.commit, ObjectType.COMMIT)
    with explain_disk(folder), open_private(folder) as root:
        export = Export(objects, root, (revision.committed_at * NANOSECONDS,) * 2)
        for path, entries in walk_tree(objects, revision.tree):
            export.write_folder(path, entries)
        if export.incomplete and not allow_incomplete:
            raise refuse_incomplete(export.incomplete)
        export.set_folder_times()
    return Exported(files=export.files, size=export.size, incomplete=tuple(map(printable, export.incomplete)))


@dataclass(slots=True)
class Export:
    """The work in progress. `root` is the open folder; every path below it was made by us and is opened from there."""

    objects: ObjectStore
    root: int
    times: tuple[int, int]
    files: int = 0
    size: int = 0
    folders: list[bytes] = field(default_factory=list)
    incomplete: list[bytes] = field(default_factory=list)

    def write_folder(self, path: bytes, entries: list[Entry]) -> None:
        """Writes the entries of one folder, which exists; the folders in it are made and stay empty."""
        self.folders.append(path)
        folder = os.open(path or b".", OPEN_FOLDER, dir_fd=self.root)
        try:
            for entry in entries:
                self.write_entry(folder, entry)
        finally:
            os.close(folder)

    def write_entry(self, folder: int, entry: Entry) -> None:
        if len(entry.name) > LONGEST_NAME or len(entry.path) > LONGEST_PATH:
            raise Refused(
                f"`{printable(entry.path)}` is longer than a file's name can be here.",
                "Shorten it in the commit, and push again.",
            )
        match entry.kind:
            case EntryKind.FILE:
                self.write_file(folder, entry, FILE_MODE)
            case EntryKind.EXECUTABLE:
                self.write_file(folder, entry, EXECUTABLE_MODE)
            case EntryKind.LINK:
                self.write_link(folder, entry)
            case EntryKind.FOLDER:
                make_folder(folder, entry.name)
            case EntryKind.SUBMODULE:
                make_folder(folder, entry.name)
                self.folders.append(entry.path)
                self.incomplete.append(entry.path)
            case _:
                assert_never(entry.kind)

    def write_file(self, folder: int, entry: Entry, mode: int) -> None:
        data = self.read_blob(entry)
        if len(data) < LFS_POINTER_SIZE and data.startswith(LFS_POINTER):
            self.incomplete.append(entry.path)
        file = os.open(entry.name, NEW_FILE, 0o600, dir_fd=folder)
        try:
            write_all(file, data)
            os.fchmod(file, mode)  # the umask has no say
            os.utime(file, ns=self.times)
        finally:
            os.close(file)

    def write_link(self, folder: int, entry: Entry) -> None:
        target = self.read_blob(entry)
        if not 0 < len(target) <= LONGEST_TARGET or b"\0" in target:
            raise Refused(
                f"`{printable(entry.path)}` is a symbolic link without a possible target.",
                "Take it out of the commit, and push again.",
            )
        os.symlink(target, entry.name, dir_fd=folder)
        os.utime(entry.name, ns=self.times, dir_fd=folder, follow_symlinks=False)

    def read_blob(self, entry: Entry) -> bytes:
        data = self.objects.read(entry.object_id, ObjectType.BLOB, entry.path)
        self.files += 1
        self.size += len(data)
        return data

    def set_folder_times(self) -> None:
        """Last of all: writing into a folder changes its time."""
        for path in self.folders:
            os.utime(path or b".", ns=self.times, dir_fd=self.root, follow_symlinks=False)


def write_all(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


def make_folder(parent: int, name: bytes) -> None:
    os.mkdir(name, 0o700, dir_fd=parent)
    os.chmod(name, FOLDER_MODE, dir_fd=parent)  # the umask has no say


@contextmanager
def open_private(folder: Path) -> Iterator[int]:
    """Opens `folder`, made with mode 0700 or found empty and ours; never through a symbolic link at its end."""
    with suppress(FileExistsError):
        folder.mkdir(stat.S_IRWXU)
    root = os.open(folder, OPEN_FOLDER)
    try:
        if os.fstat(root).st_uid != os.geteuid() or os.listdir(root):  # noqa: PTH208 (a path may be another folder by now)
            raise SettingsError(f"{folder} is not an empty folder of ours.", "Name a folder that does not exist yet.")
        os.fchmod(root, stat.S_IRWXU)
        yield root
    finally:
        os.close(root)


@contextmanager
def explain_disk(folder: Path) -> Iterator[None]:
    """Turns what the file system refuses into one sentence."""
    try:
        yield
    except OSError as error:
        raise RepositoryError(
            f"the commit could not be written to {folder}: {error.strerror}.",
            "Make room there and let this user write to it, or set TMPDIR to a folder with room.",
        ) from error


def refuse_incomplete(paths: list[bytes]) -> Refused:
    named = ", ".join(f"`{printable(path)}`" for path in paths[:NAMED_PATHS])
    more = f" and {len(paths) - NAMED_PATHS} more" if len(paths) > NAMED_PATHS else ""
    return Refused(
        f"the commit holds submodules or Git LFS pointers, whose content is not in it: {named}{more}.",
        "Commit the content itself, or set `incomplete: allow` to build without it.",
    )
