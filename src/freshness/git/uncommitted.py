"""Whether the work tree holds changes that no commit has: a person may take them for part of the build."""

import select
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pygit2
from msgspec import Struct
from pygit2.enums import FileStatus

from freshness.core.quoting import quoted
from freshness.git.shares import Child, start_child

MOST = 5
"""Paths that a sentence names."""
SECONDS = 1.0
"""Then it is given up: 30,000 files take 0.3 s, and a damaged object could hold libgit2."""


class Look(Struct, frozen=True):
    """A look at the work tree that goes on in a process of its own."""

    child: Child

    def end(self) -> tuple[str, ...] | None:
        """The paths that differ from HEAD or are untracked, and not ignored; None where that takes too long."""
        ready, _, _ = select.select([self.child.pipe], [], [], SECONDS)
        return self.child.wait() if ready else None


@contextmanager
def looking_for_uncommitted(repository: pygit2.Repository) -> Iterator[Look]:
    """Looks at the repository's work tree until the block is left."""
    child = start_child(_look, [repository.path])
    try:
        yield Look(child)
    finally:
        child.end()


def uncommitted_paths(repository: pygit2.Repository) -> tuple[str, ...] | None:
    """As `Look.end`, at once."""
    with looking_for_uncommitted(repository) as look:
        return look.end()


def _look(git_folders: Sequence[str]) -> tuple[str, ...] | None:
    try:
        repository = pygit2.Repository(git_folders[0])
        seen = {} if repository.is_bare else repository.status(untracked_files="normal")
    except (pygit2.GitError, KeyError, ValueError, OSError):
        return None
    return tuple(
        path for path, status in sorted(seen.items()) if status not in {FileStatus.CURRENT, FileStatus.IGNORED}
    )


def in_words(paths: tuple[str, ...]) -> str:
    shown = ", ".join(map(quoted, paths[:MOST]))
    more = f" and {len(paths) - MOST} more" if len(paths) > MOST else ""
    return f"The work tree has uncommitted changes, which are not in the build: {shown}{more}."
