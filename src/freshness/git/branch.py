"""Where commits stand in the local clone, for people: their subjects, and how far they are behind the branch."""

from pathlib import Path

import pygit2
from msgspec import Struct
from pygit2.enums import ObjectType, RepositoryOpenFlag

from freshness.errors import FreshnessError
from freshness.git.checkout import open_repository
from freshness.git.commits import subject_of
from freshness.git.history import behind_base
from freshness.git.local import peel
from freshness.git.objects import ObjectStore

_DEFAULT = "refs/remotes/origin/HEAD"
_PLACES = ("refs/heads/", "refs/remotes/")


class Clone(Struct, frozen=True, kw_only=True):
    """A local clone, as it was last fetched. `branch` is origin's default branch, else the one that is checked out.

    `tip` is the commit that the branch stands at; both are empty where there is no branch.
    """

    repository: pygit2.Repository
    branch: str = ""
    tip: str = ""

    def subject(self, commit: str) -> str:
        """The first line of its message, untrusted text; empty where the clone lacks it."""
        store = ObjectStore.of(self.repository)
        if commit not in store.odb:
            return ""
        kind, data = store.read_any(commit)
        return subject_of(data) if kind is ObjectType.COMMIT else ""

    def behind(self, commit: str) -> int | None:
        """How many commits of the branch it lacks; None where the history does not tell."""
        if not self.tip or commit not in self.repository.odb:
            return None
        return behind_base(self.repository, commit, self.tip, None)


def find_clone(folder: Path) -> Clone | None:
    """The clone in exactly this folder, or None: what a look is for must not fail for want of one."""
    try:
        repository = open_repository(folder)
        # A linked work tree has a HEAD of its own, which the repository that it is linked to does not know.
        own = pygit2.Repository(str(folder), RepositoryOpenFlag.NO_SEARCH)
        name = _branch(repository, own)
        tip = peel(repository, ObjectStore.of(repository), name) if name else None
    except (FreshnessError, pygit2.GitError, OSError):
        return None
    return Clone(repository=repository, branch=_short(name), tip=tip) if tip else Clone(repository=repository)


def _branch(repository: pygit2.Repository, own: pygit2.Repository) -> str:
    """The full name of the branch, empty for a detached HEAD of a clone that knows no default branch."""
    if _DEFAULT in repository.references:
        target = repository.references[_DEFAULT].target
        return target if isinstance(target, str) else ""
    return "" if own.head_is_unborn or own.head_is_detached else own.head.name


def _short(name: str) -> str:
    return next((name.removeprefix(place) for place in _PLACES if name.startswith(place)), name)
