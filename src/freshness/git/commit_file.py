"""Reads one file of a commit from Git's objects, whatever the work tree holds."""

import os
from pathlib import Path, PurePosixPath

import pygit2
from pygit2.enums import ObjectType

from freshness.errors import Refused, RepositoryError, SettingsError
from freshness.git.checkout import is_there, open_repository
from freshness.git.commits import parse_commit
from freshness.git.objects import ObjectStore
from freshness.git.tree import Entry, EntryKind, parse_tree
from freshness.settings.model import PromoteSettings

_PLAIN = frozenset({EntryKind.FILE, EntryKind.EXECUTABLE})
LARGEST = 100_000  # bytes
MOST_LINKS = 40  # as Linux follows


def file_at_hand(settings: PromoteSettings) -> str:
    """The text of the expected commit's file, as far as the checkout has the commit. Nothing is fetched.

    Where no commit is expected, as for a rollback, that of the commit that is checked out: it says how services are
    proven. Raises RepositoryError where that cannot be read.
    Raises SettingsError where the checkout has the file and lacks the commit: nobody knows what the commit says.
    """
    commit, path, checkout = settings.expected_revision, settings.files.path, settings.source.folder
    if path is None or not is_there(checkout):
        return ""
    if commit is None:
        return _file_of_head(checkout, path)
    has_file = (checkout / path).exists()
    try:
        repository = open_repository(checkout)
    except RepositoryError:
        if has_file:
            raise
        return ""  # as before there were files: what cannot be opened may not be needed at all
    if commit in repository.odb:
        return read_commit_file(repository, commit, path)
    if has_file:
        raise SettingsError(
            f"{path} is in the checkout, and the expected commit {commit} is not; expected both, to read the commit's.",
            "Check out the commit, or with `fetch-depth: 0`; or set `settings-file: none`.",
        )
    return ""


def _file_of_head(checkout: Path, path: PurePosixPath) -> str:
    repository = open_repository(checkout)
    return "" if repository.head_is_unborn else read_commit_file(repository, str(repository.head.target), path)


def read_commit_file(repository: pygit2.Repository, commit: str, path: PurePosixPath) -> str:
    """The text of the file, empty where the commit has none; every object's hash is verified.

    Raises SettingsError for what is no plain text file, RepositoryError where the objects cannot be read.
    """
    store = ObjectStore.of(repository)
    tree = _tree_of(store, commit)
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
        raise SettingsError(
            f"{path} of the commit {commit} is no file of text; expected one of at most {LARGEST} bytes.",
            "Commit it as a plain file in UTF-8, or name another in `settings-file`.",
        )
    return text


def read_as_built(repository: pygit2.Repository, commit: str, path: PurePosixPath) -> bytes | None:
    """What stands at the path once the commit's tree is exported, links followed; None where no file does.

    Raises Refused for a malformed commit, RepositoryError where the objects cannot be read.
    """
    store = ObjectStore.of(repository)
    trees, left, links = [_tree_of(store, commit)], list(path.parts), 0
    while left and trees:
        name = left.pop(0)
        entry = None if name == ".." else _entry(store, trees[-1], name)
        if name == "..":
            trees.pop()
        elif entry is None or entry.kind is EntryKind.SUBMODULE:
            return None
        elif entry.kind is EntryKind.FOLDER:
            trees.append(entry.object_id)
        elif entry.kind is EntryKind.LINK and links < MOST_LINKS:
            target = PurePosixPath(os.fsdecode(store.read(entry.object_id, ObjectType.BLOB)))
            left, links = [*target.parts, *left], links + 1  # an absolute one begins with `/`, which no entry is called
        else:
            return store.read(entry.object_id, ObjectType.BLOB) if entry.kind in _PLAIN and not left else None
    return None


def _tree_of(store: ObjectStore, commit: str) -> str:
    node = parse_commit(store.read(commit, ObjectType.COMMIT))
    if node is None:
        raise Refused(f"{commit} is a malformed commit object.", "Run `git fsck`, make the commit anew and push it.")
    return node.tree


def _entry(store: ObjectStore, tree: str, name: str) -> Entry | None:
    entries = parse_tree(store.read(tree, ObjectType.TREE), b"")
    return next((entry for entry in entries if entry.name == os.fsencode(name)), None)
