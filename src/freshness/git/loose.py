"""Reads loose objects, the files that hold one deflated object each, in place of libgit2.

libgit2 1.9.7 can hang or crash on one that is damaged (libgit2#7342, libgit2#7177), and that before its hash is looked
at.
"""

import re
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from pygit2.enums import ObjectType

from freshness.core.quoting import quoted
from freshness.errors import RepositoryError

HEADER = re.compile(rb"(commit|tree|blob|tag) (0|[1-9]\d{0,14})\0")
LONGEST_HEADER = len("commit 123456789012345\0")
PIECE = 1 << 20
"""Bytes of a file that are in memory at a time."""
KIND_OF_WORD = {
    b"commit": ObjectType.COMMIT,
    b"tree": ObjectType.TREE,
    b"blob": ObjectType.BLOB,
    b"tag": ObjectType.TAG,
}


class Damaged(Exception):
    """The file is no loose object; the message says what it is."""


def list_loose(git_folder: Path) -> dict[str, Path]:
    """Object id → file, of every loose object that the repository reads: its own and its alternates'."""
    return {
        fan.name + file.name: file
        for folder in reversed(find_object_folders(git_folder))
        for fan in list_folder(folder)
        if len(fan.name) == 2  # noqa: PLR2004 (the first byte of the id, as Git lays them out)
        for file in list_folder(fan)
    }


def find_object_folders(git_folder: Path) -> list[Path]:
    """The repository's object folder, then its alternates': https://git-scm.com/docs/gitrepository-layout."""
    folders = [((find_common(git_folder) or git_folder) / "objects").resolve()]
    for folder in folders:  # grows while it is walked: an alternate may have its own
        for line in read_lines(folder / "info" / "alternates"):
            alternate = resolve(folder, line)
            if not line.startswith("#") and alternate not in folders:
                folders.append(alternate)
    return folders


def find_common(git_folder: Path) -> Path | None:
    """The Git folder that a linked work tree's own one belongs to, which has all but its HEAD and index; else None."""
    line = next(read_lines(git_folder / "commondir"), "")
    return resolve(git_folder, line) if line else None


def resolve(folder: Path, line: str) -> Path:
    """The folder that a line of one of Git's own files names, from `folder` on. Raises RepositoryError."""
    try:
        return (folder / line).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a NUL in it, or a circle of links
        raise RepositoryError(
            f"{folder} names the folder {quoted(line)}, which is not possible: {error}.",
            "Correct its `info/alternates` or `commondir`, or check out again.",
        ) from error


def inflate(source: BinaryIO) -> tuple[ObjectType, bytes]:
    """Kind and content of the loose object that `source` holds: no more than its header promises, and that once.

    Raises `Damaged`, and what `source` raises.
    """
    stream = zlib.decompressobj()
    try:
        begin = stream.decompress(source.read(PIECE), LONGEST_HEADER)
        header = HEADER.match(begin)
        if header is None:
            raise Damaged("it does not begin like a Git object")
        size, data = int(header[2]), BytesIO()  # it gives away what it holds, without a copy
        data.write(begin[header.end() :])
        # one byte more than promised, so that the stream's end and its checksum are read
        while not stream.eof and data.tell() <= size and (raw := stream.unconsumed_tail or source.read(PIECE)):
            data.write(stream.decompress(raw, size + 1 - data.tell()))
    except zlib.error as error:
        raise Damaged(str(error)) from error
    if data.tell() != size or not stream.eof:
        raise Damaged(f"it does not have the {size} bytes that its header says")
    return KIND_OF_WORD[header[1]], data.getvalue()


def list_folder(folder: Path) -> Iterator[Path]:
    try:
        yield from folder.iterdir()
    except (FileNotFoundError, NotADirectoryError):
        return


def read_lines(file: Path) -> Iterator[str]:
    try:
        yield from filter(None, file.read_text(errors="surrogateescape").splitlines())
    except FileNotFoundError:
        return
