"""Names the paths in which the trees of two commits differ."""

import pygit2
from pygit2.enums import ObjectType

from freshness.git.objects import ObjectStore, printable
from freshness.git.tree import Entry, EntryKind, parse_tree

TREE = slice(5, 45)
"""Where a commit object names its tree: behind `tree `."""


def differing_paths(repository: pygit2.Repository, one: str, other: str) -> tuple[str, ...]:
    """The paths that differ between two commits that are there, for a person, sorted; a new folder is one path.

    Raises what `ObjectStore.read` raises.
    """
    store = ObjectStore.of(repository)
    trees = [store.read(commit, ObjectType.COMMIT)[TREE].decode() for commit in (one, other)]
    pending = [(b"", trees[0], trees[1])]
    found: list[bytes] = []
    while pending:
        path, ours, theirs = pending.pop()
        left, right = list_entries(store, ours, path), list_entries(store, theirs, path)
        for name in left.keys() | right.keys():
            inner = path + b"/" + name if path else name
            mine, other_one = left.get(name), right.get(name)
            if is_same(mine, other_one):
                continue
            if mine and other_one and mine.kind is other_one.kind is EntryKind.FOLDER:
                pending.append((inner, mine.object_id, other_one.object_id))
            else:
                found.append(inner)
    return tuple(map(printable, sorted(found)))


def list_entries(store: ObjectStore, tree: str, path: bytes) -> dict[bytes, Entry]:
    entries = parse_tree(store.read(tree, ObjectType.TREE, path), path)
    return {entry.name: entry for entry in entries}


def is_same(one: Entry | None, other: Entry | None) -> bool:
    return one is not None and other is not None and (one.kind, one.object_id) == (other.kind, other.object_id)
