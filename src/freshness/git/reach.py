"""Verifies that the base repository itself has a commit from `revision`: forges serve forks' commits too."""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

import pygit2

from freshness.core.agreement import References
from freshness.core.history import find_ancestor
from freshness.core.revision import Candidate, number_of_head
from freshness.errors import Refused
from freshness.git.address import ForgeAddress
from freshness.git.commits import reader
from freshness.git.fetch import EVERY_BRANCH
from freshness.git.history import DEPTHS
from freshness.git.local import OWN, local_references
from freshness.git.transfer import exchange

EVERY_TAG = "refs/tags/*"
EVERY_PULL = "refs/pull/*/head"
MOST_PULLS = 20
"""Pull requests that the forge is asked about, one request each."""
NAMED_LIKE_A_COMMIT = re.compile(r".*/[0-9a-f]{40}")
"""actions/checkout makes a branch of this name on Gitea's merges, for whatever commit the run is about."""


def require_reachable(
    repository: pygit2.Repository,
    candidate: Candidate,
    references: References | None,
    address: ForgeAddress | None,
    is_own: Callable[[int], bool],
) -> str:
    """In words, where the commit is found: a branch or tag that is at it, or has it in its history.

    `references` is what the server said; None asks the local clone's branches, tags and remote references. A pull
    request's head of this repository is found by its branch; where that is gone, `is_own` is asked whose the pull
    request of that number is. Missing history is fetched, with the bound of `DEPTHS`. Raises `Refused` where it is in
    none, `RepositoryError` where the server cannot be asked.
    """
    own = own_references(references if references is not None else local_references(repository))
    at = next((name for name, commit in own.items() if commit == candidate.commit), None)
    if at is not None:
        return f"{at} stands at it"
    where = None if references is None else address
    if is_ancestor_of_any(repository, own, candidate.commit, where, [EVERY_BRANCH, EVERY_TAG]):
        return "it is in the history of a branch or tag"
    number = next(filter(is_own, pull_requests_with(repository, references or {}, candidate.commit, where)), None)
    if number is not None:
        return f"it is in the history of pull request #{number} of this repository"
    asked = "this clone" if where is None else where.url
    raise Refused(
        f"{candidate.source} names {candidate.commit}, which is in the history of no branch and no tag of {asked};"
        " expected one, because a forge serves the commits of forks too.",
        "Push the commit to a branch, or tag it; restore a deleted branch from its pull request.",
    )


def pull_requests_with(
    repository: pygit2.Repository, references: References, commit: str, address: ForgeAddress | None
) -> list[int]:
    """The numbers of the pull requests that have the commit in their head's history: the newest, up to `MOST_PULLS`."""
    heads = {number: head for name, head in references.items() if (number := number_of_head(name)) is not None}
    if not is_ancestor_of_any(repository, heads, commit, address, [EVERY_PULL]):
        return []
    read = reader(repository)
    having = (number for number in sorted(heads, reverse=True) if find_ancestor(read, {heads[number]}, commit)[0])
    return list(islice(having, MOST_PULLS))


def is_ancestor_of_any(
    repository: pygit2.Repository,
    tips: Mapping[Any, str],
    commit: str,
    address: ForgeAddress | None,
    sources: Sequence[str],
) -> bool:
    """Whether a tip has the commit in its history; what is missing is fetched from the server's `sources`."""
    found, missing = find_ancestor(reader(repository), set(tips.values()), commit)
    for depth in DEPTHS if repository.is_shallow or repository.is_empty else (0,):
        if found or not missing or address is None:
            break
        exchange(repository, address, sources, depth=depth, doing=f"fetching the history of {' and '.join(sources)}")
        found, missing = find_ancestor(reader(repository), set(tips.values()), commit)
    return found


def own_references(references: References) -> References:
    """The branches and tags among them, but for those that are named like a commit."""
    return {
        name: commit
        for name, commit in references.items()
        if name.startswith((*OWN, "refs/remotes/")) and not NAMED_LIKE_A_COMMIT.fullmatch(name)
    }
