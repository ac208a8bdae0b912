"""Reads one file of a commit from Git's objects, whatever the work tree holds."""

from pathlib import PurePosixPath

import pygit2
from pygit2.enums import ObjectType

from freshness.core.revision import Revision
from freshness.errors import Refused
from freshness.git.objects import ObjectStore
from freshness.git.tree import Entry, EntryKind, parse_tree

_PLAIN = frozenset({EntryKind.FILE, EntryKind.EXECUTABLE})
LARGEST = 1_000_000  # bytes


def read_commit_file(repository: pygit2.Repository, revision: Revision, path: PurePosixPath) -> str:
    """The text of the file, empty where the commit has none; every object's hash is verified.

    Raises Refused for what is no plain text file, RepositoryError where the objects cannot be read.
    """
    store, tree = ObjectStore.of(repository), revision.tree
    for folder in path.parts[:-1]:
        entry = _entry(store, tree, folder)
        if entry is None or entry.kind is not EntryKind.FOLDER:
            return ""
        tree = entry.object_id
    entry = _entry(store, tree, path.name)
    if entry is None:
        return ""
    content = store.read(entry.object_id, ObjectType.BLOB, bytes(path)) if entry.kind in _PLAIN else b"\0"
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text or len(content) > LARGEST:
        raise Refused(
            f"{path} of the commit {revision.commit} is no file of text; expected one of at most {LARGEST} bytes.",
            "Commit it as a plain file in UTF-8, or name another in `settings-file`.",
        )
    return text


def _entry(store: ObjectStore, tree: str, name: str) -> Entry | None:
    entries = parse_tree(store.read(tree, ObjectType.TREE), b"")
    return next((entry for entry in entries if entry.name == name.encode()), None)
