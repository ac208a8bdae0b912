"""Fetches commits and their history from the forge's own address, and leaves no reference behind."""

from collections.abc import Sequence
from contextlib import suppress

import pygit2

from freshness.core.revision import Candidate, head_ref
from freshness.git.address import ForgeAddress
from freshness.git.transfer import NotServed, exchange

EVERY_BRANCH = "refs/heads/*"


def fetch_commit(repository: pygit2.Repository, candidate: Candidate, address: ForgeAddress) -> None:
    """Brings the commit into the repository where the server has it, by its id or as the pull request's head.

    Of a shallow or empty repository's history only the commit itself. Nothing is raised where the server answers and
    does not have it: look it up. Raises what `exchange` raises.
    """
    depth = 1 if repository.is_shallow or repository.is_empty else 0
    doing = f"fetching {candidate.commit}"
    with suppress(NotServed):
        exchange(repository, address, [candidate.commit], depth=depth, doing=doing)
        return
    if candidate.number is not None:
        exchange(repository, address, [head_ref(candidate.number)], depth=depth, doing=doing)


def fetch_history(
    repository: pygit2.Repository, commits: Sequence[str], address: ForgeAddress, *, depth: int, number: int | None
) -> None:
    """Brings so many commits of the history behind each of `commits` into a shallow repository.

    Where the server takes no ids, it is asked for all branches, and for the pull request's head. Raises as `exchange`.
    """
    doing = f"fetching the history of {' and '.join(commits)}"
    try:
        for commit in commits:
            exchange(repository, address, [commit], depth=depth, doing=doing)
    except NotServed:
        branches = [EVERY_BRANCH] if number is None else [EVERY_BRANCH, head_ref(number)]
        exchange(repository, address, branches, depth=depth, doing=doing)
