"""Tells whether a path of this machine lies in a Git work tree that tracks files there."""

import os
from collections.abc import Iterator
from pathlib import Path

import pygit2

from freshness.git.checkout import configure_libgit2

PLACEHOLDERS = frozenset({".gitkeep", ".keep", ".gitignore"})
"""Files that only make Git keep an empty folder."""
NO_TREE_HERE = "a Git work tree whose index cannot be read"


def tracked_at(path: Path) -> str | None:
    """The tracked file at the path, or some tracked file below it; None where Git tracks none there.

    Symbolic links are followed. Every work tree around the path counts. Where an index is there and cannot be read,
    words that say so: nobody can tell then what it tracks.
    """
    real = Path(os.path.realpath(path))
    for tree, index in _indexes(real):
        try:
            found = _first(index, real.relative_to(tree).as_posix())
        except (pygit2.GitError, OSError) as error:
            return f"{tree} ({NO_TREE_HERE}: {error})"
        if found:
            return str(tree / found)
    return None


def _indexes(real: Path) -> Iterator[tuple[Path, Path]]:
    """Each work tree around the path, and the file of its index."""
    for folder in (real, *real.parents):
        git = folder / ".git"
        if git.is_dir():
            yield folder, git / "index"
        elif git.is_file():
            text = git.read_text(encoding="utf-8", errors="surrogateescape")
            yield folder, Path(folder, text.removeprefix("gitdir:").strip(), "index")


def _first(index: Path, inside: str) -> str | None:
    """The first entry of the index at the path; no repository is opened, so that its owner may be anybody."""
    if not index.exists():
        return None
    configure_libgit2()
    for entry in _Index(str(index)):
        is_there = inside in {".", entry.path} or entry.path.startswith(f"{inside}/")
        if is_there and entry.path.rpartition("/")[2] not in PLACEHOLDERS:
            return str(entry.path)
    return None


class _Index(pygit2.Index):
    """Quiet where it could not be read: pygit2 1.21 frees what it never had, and Python would print that."""

    def __del__(self) -> None:
        if hasattr(self, "_index"):
            super().__del__()
