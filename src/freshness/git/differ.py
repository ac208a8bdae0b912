"""Names the paths in which the trees of two commits differ."""

import pygit2
from pygit2.enums import ObjectType

from freshness.git.changes import find_changes
from freshness.git.objects import ObjectStore, printable

TREE = slice(5, 45)
"""Where a commit object names its tree: behind `tree `."""


def differing_paths(repository: pygit2.Repository, one: str, other: str) -> tuple[str, ...]:
    """The paths that differ between two commits that are there, for a person, sorted; a new folder is one path.

    Raises what `ObjectStore.read` raises.
    """
    store = ObjectStore.of(repository)
    old, new = (store.read(commit, ObjectType.COMMIT)[TREE].decode() for commit in (one, other))
    changes = find_changes(store, new, old, lambda path, tree: store.read(tree, ObjectType.TREE, path))
    found = {entry.path for change in changes if not change.is_new for entry in (*change.made(), *change.removed())}
    return tuple(map(printable, sorted(found)))
