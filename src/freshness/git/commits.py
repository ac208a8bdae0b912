"""Reads the head of commit objects, which alone says what tree, parents and time a commit has."""

import re

import pygit2
from pygit2.enums import ObjectType

from freshness.core.history import CommitNode, Read
from freshness.core.secret import redacted
from freshness.git.objects import ObjectStore

LONGEST_SUBJECT = 200  # characters
HEADER = re.compile(
    rb"tree ([0-9a-f]{40})\n((?:parent [0-9a-f]{40}\n)*)author [^\n]*\ncommitter [^\n]* (\d{1,11}) [+-]\d{4}\n"
)
"""The head of a commit object, with its committer's time: https://git-scm.com/docs/git-commit-tree"""


def parse_commit(data: bytes) -> CommitNode | None:
    """What the commit object says, or None where it is malformed."""
    header = HEADER.match(data)
    if header is None:
        return None
    parents = header[2].decode().replace("parent ", "").split()
    return CommitNode(tree=header[1].decode(), parents=tuple(parents), committed_at=int(header[3]))


def subject_of(data: bytes) -> str:
    """The first line of the commit object's message, without secrets: untrusted text."""
    first = data.partition(b"\n\n")[2].lstrip(b"\n").partition(b"\n")[0]
    return redacted(first.decode("utf-8", "replace"))[:LONGEST_SUBJECT]


def reader(repository: pygit2.Repository) -> Read:
    """Reads commits with their hashes verified and their parents as written, also where a shallow clone hides them.

    What is there but is no commit, or a malformed one, counts as missing. What is fetched later needs a new reader.
    """
    store = ObjectStore.of(repository)

    def read(commit: str) -> CommitNode | None:
        if commit not in store.odb:
            return None
        kind, data = store.read_any(commit)
        return parse_commit(data) if kind is ObjectType.COMMIT else None

    return read
