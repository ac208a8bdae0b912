"""Whether the work tree holds changes that no commit has: a person may take them for part of the build."""

import select
from collections.abc import Sequence

import pygit2
from pygit2.enums import FileStatus

from freshness.core.quoting import quoted
from freshness.git.shares import start_child

MOST = 5
"""Paths that a sentence names."""
SECONDS = 1.0
"""Then it is given up: 30,000 files take 0.3 s, and a damaged object could hold libgit2."""


def uncommitted_paths(repository: pygit2.Repository) -> tuple[str, ...] | None:
    """The paths that differ from HEAD or are untracked, and not ignored; None where that cannot be told in time."""
    if repository.is_bare:
        return ()
    child = start_child(_look, [repository.path])
    try:
        ready, _, _ = select.select([child.pipe], [], [], SECONDS)
        found: tuple[str, ...] | None = child.wait() if ready else None
    finally:
        child.end()
    return found


def _look(git_folders: Sequence[str]) -> tuple[str, ...] | None:
    try:
        seen = pygit2.Repository(git_folders[0]).status(untracked_files="normal")
    except (pygit2.GitError, KeyError, ValueError, OSError):
        return None
    return tuple(
        path for path, status in sorted(seen.items()) if status not in {FileStatus.CURRENT, FileStatus.IGNORED}
    )


def in_words(paths: tuple[str, ...]) -> str:
    shown = ", ".join(map(quoted, paths[:MOST]))
    more = f" and {len(paths) - MOST} more" if len(paths) > MOST else ""
    return f"The work tree has uncommitted changes, which are not in the build: {shown}{more}."
