"""Reads where the local clone's branches and tags stand, without those that a fork may have moved."""

import re
from collections.abc import Iterator, Sequence

import pygit2
from pygit2.enums import ObjectType

from freshness.core.agreement import References
from freshness.git.objects import ObjectStore

OWN = ("refs/heads/", "refs/tags/")
"""What only somebody who may write to the repository can make; `refs/pull/` holds what forks wrote."""
FETCH = re.compile(r"remote\..*\.fetch", re.DOTALL)
TAGGED = re.compile(rb"object ([0-9a-f]{40})\n")
"""How a tag object begins: https://git-scm.com/docs/git-mktag"""


def local_references(repository: pygit2.Repository) -> References:
    """The local clone's branches, tags and remote references, peeled; not those that may stand for a fork's commit.

    Raises RepositoryError where what one stands at is damaged.
    """
    filled = list(read_fetches(repository))
    names = [name for name in repository.references if not is_of_pull(name, filled)]
    store = ObjectStore.of(repository)
    return {name: commit for name in names if (commit := peel(repository, store, name)) is not None}


def read_fetches(repository: pygit2.Repository) -> Iterator[tuple[str, re.Pattern[str]]]:
    """What each `remote.NAME.fetch` fetches, and the local names that it fills: at most one `*` in both."""
    for entry in repository.config:
        source, _, there = (entry.value or "").removeprefix("+").partition(":")
        if FETCH.fullmatch(entry.name) and there:
            yield source, re.compile("(.*)".join(map(re.escape, there.split("*", 1))), re.DOTALL)


def is_of_pull(name: str, filled: Sequence[tuple[str, re.Pattern[str]]]) -> bool:
    """Whether the local reference is what checkout makes for a pull request, or is filled from other than `OWN`."""
    if name.startswith(("refs/remotes/pull/", "refs/pull/")):
        return True
    matches = ((source, there.fullmatch(name)) for source, there in filled)
    return any(match and not source.replace("*", "".join(match.groups())).startswith(OWN) for source, match in matches)


def peel(repository: pygit2.Repository, store: ObjectStore, name: str) -> str | None:
    """The commit that the reference stands at, from objects that are read in place of libgit2 (`loose`)."""
    try:
        object_id = str(repository.references[name].resolve().target)
    except (pygit2.GitError, KeyError, ValueError):
        return None
    while object_id in store.odb:
        kind, data = store.read_any(object_id)
        if kind is ObjectType.COMMIT:
            return object_id
        tagged = TAGGED.match(data) if kind is ObjectType.TAG else None
        if tagged is None:
            return None
        object_id = tagged[1].decode()
    return None
