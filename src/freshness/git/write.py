"""Writes files and links of a tree, byte for byte, into folders that are there."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from pygit2.enums import ObjectType

from freshness.errors import Refused
from freshness.git.destination import OPEN_FOLDER
from freshness.git.objects import ObjectStore, printable
from freshness.git.tree import Entry, EntryKind

LFS_POINTER = b"version https://git-lfs.github.com/spec/v1"
"""How a pointer file begins, and below which size it ends: docs/spec.md of git-lfs."""
LFS_POINTER_SIZE = 1024
LONGEST_TARGET = 4095
"""Bytes that Linux takes for a link's target."""
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
FILE_MODE, EXECUTABLE_MODE = 0o644, 0o755


@dataclass(slots=True, kw_only=True)
class Written:
    """What was written so far: files and links, their bytes, and the paths of Git LFS pointers."""

    files: int = 0
    size: int = 0
    pointers: list[bytes] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Writes below the open folder `root`. `times` are access and change time of everything, in nanoseconds."""

    objects: ObjectStore
    root: int
    times: tuple[int, int]

    def write(self, entries: Iterable[Entry]) -> Written:
        """Writes `entries`, neither folders nor submodules. Raises what `ObjectStore.read` raises, and `OSError`."""
        written = Written()
        for path, group in groupby(entries, key=lambda entry: entry.folder):
            # Each folder on the way was made by us, in a folder of ours, and no name stands twice: none is a link.
            folder = os.open(path or b".", OPEN_FOLDER, dir_fd=self.root)
            try:
                for entry in group:
                    self._write_entry(folder, entry, written)
            finally:
                os.close(folder)
        return written

    def _write_entry(self, folder: int, entry: Entry, written: Written) -> None:
        data = self.objects.read(entry.object_id, ObjectType.BLOB, entry.path)
        written.files += 1
        written.size += len(data)
        if entry.kind is EntryKind.LINK:
            self._write_link(folder, entry, data)
            return
        if len(data) < LFS_POINTER_SIZE and data.startswith(LFS_POINTER):
            written.pointers.append(entry.path)
        self._write_file(folder, entry, data)

    def _write_file(self, folder: int, entry: Entry, data: bytes) -> None:
        file = os.open(entry.name, NEW_FILE, 0o600, dir_fd=folder)
        try:
            write_all(file, data)
            # not the mode of open(), on which the umask has a say
            os.fchmod(file, EXECUTABLE_MODE if entry.kind is EntryKind.EXECUTABLE else FILE_MODE)
            os.utime(file, ns=self.times)
        finally:
            os.close(file)

    def _write_link(self, folder: int, entry: Entry, target: bytes) -> None:
        if not 0 < len(target) <= LONGEST_TARGET or b"\0" in target:
            raise Refused(
                f"`{printable(entry.path)}` is a symbolic link without a possible target.",
                "Take it out of the commit, and push again.",
            )
        os.symlink(target, entry.name, dir_fd=folder)
        os.utime(entry.name, ns=self.times, dir_fd=folder, follow_symlinks=False)


def write_all(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
