"""Looks over what libgit2 reads when it tells a server what is here: version 1.9.7 can hang on a damaged object.

It reads what the references name, and the commits and tags from there on.
"""

import os
import re
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pygit2

from freshness.git.loose import HEADER, LONGEST_HEADER, Damaged, inflate, list_loose
from freshness.git.objects import unreadable

BEGINNING = 4096
"""Bytes that are read of each object: nearly every commit is shorter, and no other kind needs more."""
SHORTEST = 2
"""Files that are shorter, as a power cut leaves them, are no objects; what needs one says so."""
NAMED = re.compile(rb"^(?:parent|object) ([0-9a-f]{40})$", re.MULTILINE)


def require_intact(repository: pygit2.Repository) -> None:
    """Raises RepositoryError for a loose object that is damaged where libgit2 may come upon it.

    Those are the commits and tags (20 µs each), and what these or a reference name. Blobs and trees are not read.
    """
    loose = list_loose(Path(repository.path))
    named = {target for name in repository.references if (target := target_of(repository, name)) is not None}
    for object_id, file in loose.items():
        named.update(read_names(object_id, file))
    for object_id in named & loose.keys():
        read_whole(object_id, loose[object_id])


def target_of(repository: pygit2.Repository, name: str) -> str | None:
    """The id of what the reference stands at; None for a broken one, and for the name of another reference."""
    try:
        target = repository.references[name].target
    except (pygit2.GitError, KeyError, ValueError):
        return None
    return str(target) if isinstance(target, pygit2.Oid) else None


def read_names(object_id: str, file: Path) -> Iterator[str]:
    """The ids of the objects that a commit or tag names, but for its tree; none for other objects."""
    begin = read_beginning(object_id, file)
    try:
        header = HEADER.match(zlib.decompressobj().decompress(begin, LONGEST_HEADER))
    except zlib.error as error:
        raise unreadable(object_id, error) from error
    if header is None and len(begin) >= SHORTEST:
        raise unreadable(object_id, "it does not begin like a Git object")
    if header is None or header[1] not in {b"commit", b"tag"}:
        return
    data = read_whole(object_id, file, begin if len(begin) < BEGINNING else None)
    yield from (match.decode() for match in NAMED.findall(data.partition(b"\n\n")[0]))


def read_beginning(object_id: str, file: Path) -> bytes:
    try:
        opened = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:  # packed meanwhile, as by `git gc` in the background
        return b""
    except OSError as error:
        raise unreadable(object_id, error) from error
    try:
        return os.read(opened, BEGINNING)
    finally:
        os.close(opened)


def read_whole(object_id: str, file: Path, raw: bytes | None = None) -> bytes:
    """The object's content. Raises RepositoryError where it is damaged."""
    try:
        with file.open("rb") if raw is None else BytesIO(raw) as source:
            return inflate(source)[1]
    except FileNotFoundError:
        return b""
    except (Damaged, OSError) as error:
        raise unreadable(object_id, error) from error
