"""Compares two commits of which one descends from the other, at the speed of libgit2."""

from pathlib import Path

import pygit2

from freshness.core.history import Comparison, Relation
from freshness.errors import FreshnessError
from freshness.git.loose import find_object_folders
from freshness.git.objects import ObjectStore


def compare_lines(repository: pygit2.Repository, candidate: str, production: str) -> Comparison | None:
    """How they stand; None where neither descends from the other, or the history here does not tell.

    59,000 commits take 0.45 s of CPU where our own walk takes 0.92 s. Every hash is verified. It is sound whatever the
    commits' times are: what a commit lacks nothing of, it was reached from.
    """
    bare = pygit2.Repository()  # without a folder: nothing hides parents there, as `shallow` and commit graphs do
    bare.set_odb(open_objects(repository))
    pygit2.settings.enable_strict_hash_verification(value=True)
    try:
        ahead, behind = bare.ahead_behind(candidate, production)
    except (KeyError, ValueError, pygit2.GitError, FreshnessError):
        return None
    finally:
        pygit2.settings.enable_strict_hash_verification(value=False)
    if ahead and behind:
        return None
    relation = Relation.AHEAD if ahead else Relation.BEHIND if behind else Relation.SAME
    return Comparison(relation=relation, ahead=ahead, behind=behind)


def open_objects(repository: pygit2.Repository) -> pygit2.Odb:
    """The packs as libgit2 reads them, and the loose objects as we do."""
    objects = pygit2.Odb()
    for folder in find_object_folders(Path(repository.path)):
        objects.add_backend(pygit2.OdbBackendPack(str(folder)), 2)
    objects.add_backend(LooseObjects(ObjectStore.of(repository)), 1)
    return objects


class LooseObjects(pygit2.OdbBackend):
    """In place of libgit2's own reader, which can hang (`loose`)."""

    def __init__(self, store: ObjectStore) -> None:
        super().__init__()
        self._store = store

    def read_cb(self, oid: pygit2.Oid) -> tuple[int, bytes]:
        if str(oid) not in self._store.loose:
            raise KeyError(oid)
        kind, data = self._store.read_any(str(oid))
        return kind, data

    def exists_cb(self, oid: pygit2.Oid) -> bool:
        return str(oid) in self._store.loose

    def refresh_cb(self) -> None:
        """The store is of this moment."""
