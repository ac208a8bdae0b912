"""The validated commit, and the words for how it was found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The commit that an event or a setting names, not yet looked up in Git.

    `commit` is a full lowercase hex id. `source` is the field that named it, such as `event.pull_request.head.sha`.
    `number` is the pull request's, or None. `fork` is the head repository (`owner/name`, or `a deleted repository`)
    when it is not the base repository, else None. `note` is one sentence: which commit, from where, and why not
    `GITHUB_SHA` where they differ.
    """

    commit: str
    source: str
    event: str
    note: str
    number: int | None = None
    fork: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A commit that is in the repository: full lowercase hex ids, committer time in seconds since the epoch."""

    commit: str
    tree: str
    committed_at: int
    source: str
