"""Looks the named commit up in Git, fetching it where it is missing, and makes it the Revision."""

import pygit2
from pygit2.enums import ObjectType

from freshness.core.hexid import SHA1, is_full_id
from freshness.core.revision import Candidate, Revision
from freshness.errors import Refused
from freshness.git.address import ForgeAddress
from freshness.git.commits import parse_commit, subject_of
from freshness.git.fetch import fetch_commit
from freshness.git.objects import ObjectStore


def find_revision(repository: pygit2.Repository, candidate: Candidate, address: ForgeAddress | None) -> Revision:
    """The Revision that `candidate` names. Without an `address` nothing is fetched.

    Raises `Refused` where it is no full id, is found nowhere, or is not a commit; `RepositoryError` where Git or the
    server fails.
    """
    refuse_other_than_full_id(candidate)
    if candidate.commit not in repository.odb and address is not None:
        fetch_commit(repository, candidate, address)
    if candidate.commit not in repository.odb:
        raise refuse_missing(repository, candidate, address)
    kind, data = ObjectStore.of(repository).read_any(candidate.commit)
    if kind is not ObjectType.COMMIT:
        raise refuse_other_kind(candidate, kind)
    node = parse_commit(data)
    if node is None:
        raise Refused(
            f"{candidate.source} names {candidate.commit}, which is a malformed commit object.",
            "Run `git fsck`, create the commit again and push it.",
        )
    return Revision(
        commit=candidate.commit,
        tree=node.tree,
        committed_at=node.committed_at,
        source=candidate.source,
        subject=subject_of(data),
    )


def refuse_other_than_full_id(candidate: Candidate) -> None:
    if len(candidate.commit) == SHA1 and is_full_id(candidate.commit) and candidate.commit.strip("0"):
        return
    raise Refused(
        f"{candidate.source} is {candidate.commit!a}; expected a full commit id of 40 lower-case hex digits.",
        "Give the full id: `git rev-parse 'NAME^{commit}'`.",
    )


def refuse_missing(repository: pygit2.Repository, candidate: Candidate, address: ForgeAddress | None) -> Refused:
    where = "the shallow checkout" if repository.is_shallow else "the checkout"
    server = f"on {address.url}" if address else "on any known server"
    return Refused(
        f"{candidate.source} names {candidate.commit}, which is neither in {where} nor {server}.",
        "Push the commit, or check out with `fetch-depth: 0`.",
    )


def refuse_other_kind(candidate: Candidate, kind: ObjectType) -> Refused:
    return Refused(
        f"{candidate.source} names {candidate.commit}, which is a {kind.name.lower()} object; a commit was expected.",
        "Give the id of the commit: `git rev-parse 'NAME^{commit}'`.",
    )
