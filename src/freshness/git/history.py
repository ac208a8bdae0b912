"""Reads the ancestry of commits, and fetches the history that this takes, with a bound."""

from collections.abc import Callable

import pygit2

from freshness.core.history import Comparison, Read, Relation, compare
from freshness.core.revision import Candidate
from freshness.git.address import ForgeAddress
from freshness.git.commits import reader
from freshness.git.fetch import fetch_commit, fetch_history
from freshness.git.lines import compare_lines

DEPTHS = (50, 500, 5_000, 50_000)
"""How many commits a shallow clone is deepened to, in turn, until the question is answered; the last is the bound."""


def relation(
    repository: pygit2.Repository,
    production: str,
    candidate: str,
    address: ForgeAddress | None,
    *,
    number: int | None = None,
) -> Comparison:
    """How the candidate stands to the commit that production runs; `number` is the candidate's pull request.

    A commit that is missing is fetched, a shallow clone is deepened up to the last of `DEPTHS`; without an `address`
    neither. `UNKNOWN` where the history still does not tell. Raises `RepositoryError` where the server cannot be asked.
    """
    return compare_lines(repository, candidate, production) or deepen_until(
        repository,
        (candidate, production),
        lambda read: compare(read, candidate, production),
        lambda found: found.relation is not Relation.UNKNOWN,
        address,
        number=number,
    )


def behind_base(
    repository: pygit2.Repository, head: str, base_tip: str, address: ForgeAddress | None, *, number: int | None = None
) -> int | None:
    """How many commits of its base branch the head lacks; None where the history does not tell. Raises as above."""
    found = deepen_until(
        repository,
        (head, base_tip),
        lambda read: compare(read, head, base_tip),
        lambda found: is_ancestor_told(found) or not found.missing,
        address,
        number=number,
    )
    if is_ancestor_told(found):
        return 0
    return None if found.missing or found.relation is Relation.UNKNOWN else found.behind


def is_ancestor_told(found: Comparison) -> bool:
    """Whether it is certain that the candidate has all of production, or is it: missing history changes nothing."""
    return found.relation in {Relation.SAME, Relation.AHEAD} and found.via is None


def deepen_until(
    repository: pygit2.Repository,
    commits: tuple[str, ...],
    look: Callable[[Read], Comparison],
    is_enough: Callable[[Comparison], bool],
    address: ForgeAddress | None,
    *,
    number: int | None,
) -> Comparison:
    """What `look` finds, with as much of the history as it takes."""
    if address is not None:
        for commit in commits:
            fetch_missing(repository, commit, address, number)
    found = look(reader(repository))
    for depth in DEPTHS:
        if is_enough(found) or not found.missing or address is None or not repository.is_shallow:
            break
        fetch_history(repository, commits, address, depth=depth, number=number)
        found = look(reader(repository))
    return found


def fetch_missing(repository: pygit2.Repository, commit: str, address: ForgeAddress, number: int | None) -> None:
    if commit not in repository.odb:
        wanted = Candidate(commit=commit, source="history", event="", note="", number=number)
        fetch_commit(repository, wanted, address)
