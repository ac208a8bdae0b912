"""The validated commit, and the words for how it was found."""

import re

from msgspec import Struct

_HEAD = re.compile(r"refs/pull/([1-9][0-9]{0,8})/head")
EXPLICIT = "revision"
"""The `source` of a commit that a person or a workflow gave in the setting `revision` (GIT_SHA)."""


class Candidate(Struct, frozen=True, kw_only=True):
    """The commit that an event or a setting names, not yet looked up in Git.

    `commit` is a full lowercase hex id. `source` is the field that named it, such as `event.pull_request.head.sha`.
    `number` is the pull request's, or None. `fork` is the head repository (`owner/name`, or words for one that is
    deleted or not named) where it is not the base repository, else None. `note` is one sentence: which commit, from
    where, and why not `GITHUB_SHA` where they differ. `unnumbered`: it is a pull request's head, and the event does not
    say which one's.
    """

    commit: str
    source: str
    event: str
    note: str
    number: int | None = None
    fork: str | None = None
    unnumbered: bool = False

    @property
    def is_explicit(self) -> bool:
        """Whether it has to be shown that the base repository itself has the commit: forges serve forks' as well."""
        return self.source == EXPLICIT


class Question(Struct, frozen=True, kw_only=True):
    """A pull request whose head only the server can tell: `refs/pull/<number>/head`. `asker` is what named it.

    `sha` is GITHUB_SHA, empty where it is not set.
    """

    number: int
    event: str
    asker: str
    sha: str = ""

    @property
    def ref(self) -> str:
        return head_ref(self.number)


class Revision(Struct, frozen=True, kw_only=True):
    """A commit that is in the repository: full lowercase hex ids, committer time in seconds since the epoch.

    `subject` is the first line of its message: untrusted text.
    """

    commit: str
    tree: str
    committed_at: int
    source: str
    subject: str = ""


def head_ref(number: int) -> str:
    """Where both forges keep a pull request's head, in the base repository and for forks too."""
    return f"refs/pull/{number}/head"


def number_of_head(name: str) -> int | None:
    """The number of the pull request whose head the reference `name` is, else None."""
    match = _HEAD.fullmatch(name)
    return int(match[1]) if match else None
