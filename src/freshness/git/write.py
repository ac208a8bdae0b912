"""Writes what changes in a tree, byte for byte, into a folder of ours."""

import os
import shutil
from collections.abc import Iterable, Sequence

from msgspec import Struct, field
from pygit2.enums import ObjectType

from freshness.errors import Refused
from freshness.git.changes import Change
from freshness.git.destination import OPEN_FOLDER, make_folder, set_times
from freshness.git.objects import ObjectStore, printable
from freshness.git.shares import work_in_shares
from freshness.git.tree import Entry, EntryKind

LFS_POINTER = b"version https://git-lfs.github.com/spec/v1"
"""How a pointer file begins, and below which size it ends: docs/spec.md of git-lfs."""
LFS_POINTER_SIZE = 1024
LONGEST_TARGET = 4095
"""Bytes that Linux takes for a link's target."""
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
FILE_MODE, EXECUTABLE_MODE = 0o644, 0o755


class Written(Struct, kw_only=True):
    """What was written: files and links, their bytes, and the paths of submodules and of Git LFS pointers."""

    files: int = 0
    size: int = 0
    submodules: list[bytes] = field(default_factory=list)
    pointers: list[bytes] = field(default_factory=list)


def remove_old(root: int, changes: Iterable[Change]) -> set[bytes]:
    """Takes away what is gone or made anew, and returns the paths, without what was in a folder."""
    gone = [entry for change in changes for entry in change.removed()]
    for entry in gone:
        if entry.kind in {EntryKind.FOLDER, EntryKind.SUBMODULE}:
            shutil.rmtree(entry.path, dir_fd=root)
        else:
            os.unlink(entry.path, dir_fd=root)
    return {entry.path for entry in gone}


def write_changes(objects: ObjectStore, root: int, changes: Sequence[Change], times: tuple[int, int]) -> Written:
    """Writes what is new below the open folder `root`, where nothing stands in the way; `times` are those of all of it.

    Raises what `ObjectStore.read` raises, and `OSError`.
    """
    for change in changes:
        if change.is_new and change.path:
            make_folder(root, change.path)
    writer = Writer(objects=objects, root=root, times=times)
    shares = work_in_shares(writer.write, changes, [change.count for change in changes])
    set_times(root, [change.path or b"." for change in changes], times)
    return Written(
        files=sum(share.files for share in shares),
        size=sum(share.size for share in shares),
        submodules=[path for share in shares for path in share.submodules],
        pointers=[path for share in shares for path in share.pointers],
    )


class Writer(Struct, frozen=True, kw_only=True):
    """Writes below the open folder `root`. `times` are access and change time of everything, in nanoseconds."""

    objects: ObjectStore
    root: int
    times: tuple[int, int]

    def write(self, changes: Sequence[Change]) -> Written:
        """Writes all but folders, which are there. Raises what `ObjectStore.read` raises, and `OSError`."""
        written = Written()
        for change in changes:
            # Each folder on the way was made by us, in a folder of ours, and no name stands twice: none is a link.
            folder = os.open(change.path or b".", OPEN_FOLDER, dir_fd=self.root)
            try:
                for entry in change.made():
                    self._write_entry(folder, entry, written)
            finally:
                os.close(folder)
        return written

    def _write_entry(self, folder: int, entry: Entry, written: Written) -> None:
        if entry.kind is EntryKind.FOLDER:
            return
        if entry.kind is EntryKind.SUBMODULE:
            written.submodules.append(entry.path)
            make_folder(folder, entry.name)
            os.utime(entry.name, ns=self.times, dir_fd=folder, follow_symlinks=False)
            return
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
                f"`{printable(entry.path)}` is a symbolic link with an impossible target.",
                "Remove it from the commit, and push again.",
            )
        os.symlink(target, entry.name, dir_fd=folder)
        os.utime(entry.name, ns=self.times, dir_fd=folder, follow_symlinks=False)


def write_all(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
