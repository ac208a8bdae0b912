"""Where a file lies: in which Git work tree, under which path, and whose repository that is."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pygit2
from msgspec import Struct

from freshness.core.repository_name import name_in_address


class WorkTree(Struct, frozen=True, kw_only=True):
    """The work tree with this run's files. `root` is None where they lie in none."""

    root: Path | None

    @classmethod
    def around(cls, file: Path, workspace: Path | None) -> "WorkTree":
        """The Git work tree around the file, else the job's workspace where the file lies in that."""
        real = _real(file)
        within = workspace is not None and real.is_relative_to(_real(workspace))
        return cls(root=_root_of(real) or (_real(workspace) if workspace and within else None))

    def name(self, path: str, known: Sequence[str] = ()) -> str:
        """The path within its work tree; of a file outside any the absolute one.

        Runners have a new work tree each time: of one that is gone, what is `known` of it tells, else the longest end
        of the path that is a file in ours.
        """
        if not Path(path).exists():
            return self._name_of_gone(path, known)
        real = _real(Path(path))
        root = _root_of(real) or (self.root if self.root and real.is_relative_to(self.root) else None)
        return real.relative_to(root).as_posix() if root else str(real)

    def _name_of_gone(self, path: str, known: Sequence[str]) -> str:
        for name in known:
            if not name.startswith("/") and path.endswith(f"/{name}"):
                return name
        parts = Path(path).parts[1:]
        ends = ("/".join(parts[first:]) for first in range(len(parts))) if self.root else ()
        return next((end for end in ends if self.root and (self.root / end).is_file()), path)

    def repository(self) -> str:
        """`owner/name`, as the work tree's remote says it; empty where it has none on a server."""
        return name_in_address(self.remote())

    def remote(self) -> str:
        """The address of its remote; empty where it has none."""
        if self.root is None:
            return ""
        with suppress(pygit2.GitError, OSError):
            remotes = {remote.name: remote.url or "" for remote in pygit2.Repository(str(self.root)).remotes}
            return remotes.get("origin") or next(iter(remotes.values()), "")
        return ""


def is_same_file(one: str, other: Path) -> bool:
    """Whether both paths lead to one file of this machine."""
    return Path(one).exists() and _real(Path(one)) == _real(other)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _root_of(real: Path) -> Path | None:
    return next((folder for folder in real.parents if (folder / ".git").exists()), None)


def find_root(folder: Path) -> tuple[str, str]:
    """The top folder of the work tree around this one, else itself: as it was named, and without links."""
    root = next((one for one in (folder, *folder.parents) if (one / ".git").exists()), folder)
    return str(root), str(_real(root))
