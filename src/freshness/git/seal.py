"""Tells whether a folder is still exactly as we left it, by what the file system itself keeps of each file."""

import hashlib
import os
import stat
import struct

from msgspec import Struct

from freshness.git.destination import OPEN_FOLDER

STATUS = struct.Struct("=2Q4I3q")
"""Device, inode, mode, owner, group and number of names; size, change time of content and of status. No program can set
the last one, so that content cannot change behind it."""


class Seal(Struct, frozen=True, kw_only=True):
    """The `digest` of one folder's names and statuses; its files and links, and their bytes."""

    digest: str
    files: int
    size: int


def take_seal(root: int, path: bytes) -> Seal:
    """Of the folder alone, without those in it; no content is read. Raises OSError."""
    folder = os.open(path or b".", OPEN_FOLDER, dir_fd=root)
    try:
        parts, files, size = [pack(os.fstat(folder))], 0, 0
        with os.scandir(folder) as found:
            for entry in sorted(found, key=lambda entry: entry.name):
                status = entry.stat(follow_symlinks=False)
                parts.append(os.fsencode(entry.name) + b"\0")
                if stat.S_ISDIR(status.st_mode):  # it has a seal of its own, which says when it changed
                    parts.append(b"%d %d %d" % (status.st_dev, status.st_ino, status.st_mode))
                    continue
                parts.append(pack(status))
                files, size = files + 1, size + status.st_size
    finally:
        os.close(folder)
    return Seal(digest=hashlib.sha256(b"".join(parts)).hexdigest(), files=files, size=size)


def pack(status: os.stat_result) -> bytes:
    return STATUS.pack(
        status.st_dev,
        status.st_ino,
        status.st_mode,
        status.st_uid,
        status.st_gid,
        status.st_nlink,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )
