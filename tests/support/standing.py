"""Commits that are made quickly, and a ledger of what a standing context was when buildx would have read it."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pygit2
from pygit2.enums import FileMode

from freshness.core.revision import Revision
from freshness.git.export import export_tree
from freshness.git.find import find_revision
from freshness.git.standing import BuildContext, build_context
from freshness.git.standing_look import looking_at_standing
from tests.support.git import COMMIT_TIME, Executable, Link
from tests.support.revisions import name_commit

Files = Mapping[str, str | Executable | Link | pygit2.Oid]
"""What a commit holds; an id is a submodule's."""

NANOSECONDS = 10**9


def make_commit(repository: pygit2.Repository, files: Files, time: int = COMMIT_TIME) -> Revision:
    index = pygit2.Index()
    for path, content in files.items():
        match content:
            case Link(target):
                data, mode = target, FileMode.LINK
            case Executable(text):
                data, mode = text, FileMode.BLOB_EXECUTABLE
            case pygit2.Oid():
                index.add(pygit2.IndexEntry(path, content, FileMode.COMMIT))
                continue
            case _:
                data, mode = content, FileMode.BLOB
        index.add(pygit2.IndexEntry(path, repository.create_blob(data.encode()), mode))
    who = pygit2.Signature("Ada", "ada@example.org", time)
    commit = repository.create_commit(None, who, who, "Change", index.write_tree(repository), [])
    return find_revision(repository, name_commit(str(commit)), None)


def describe(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and content of everything below the folder; a link's content is its target."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            bytes(path.readlink()) if path.is_symlink() else b"" if path.is_dir() else path.read_bytes(),
        )
        for path in folder.rglob("*")
    }


@dataclass(kw_only=True)
class Bench:
    """One repository, the user's home, and a plain export of each commit to compare with."""

    repository: pygit2.Repository
    home: Path
    scratch: Path
    number: int = 0
    seen: dict[tuple[str, str, int, int, int], bytes] = field(default_factory=dict)
    """BuildKit's memory: name, path, size, mode and time of a file → its content."""

    @property
    def place(self) -> Path:
        (place,) = (self.home / ".cache/freshness/contexts").iterdir()
        return place

    @property
    def state(self) -> Path:
        return self.place / "state"

    @contextmanager
    def context(self, revision: Revision, key: str = "repository") -> Iterator[BuildContext]:
        self.number += 1
        env, plain = {"HOME": str(self.home)}, self.scratch / f"context{self.number}"
        with looking_at_standing(env, key) as look:
            yield build_context(look, self.repository, revision, plain)

    def bring(self, revision: Revision) -> str:
        """Brings the context to the revision, holds it against a plain export and the ledger, and returns its name."""
        with self.context(revision) as context:
            plain = self.scratch / f"plain{self.number}"
            exported = export_tree(self.repository, revision, plain, allow_incomplete=True)
            assert describe(context.folder) == describe(plain)
            assert context.exported == exported
            self.remember(context)
        return context.name

    def remember(self, context: BuildContext) -> None:
        for path, (mode, content) in describe(context.folder).items():
            if (context.folder / path).is_dir() and not (context.folder / path).is_symlink():
                continue
            status = (context.folder / path).lstat()
            key = context.name, path, status.st_size, mode, status.st_mtime_ns
            assert self.seen.setdefault(key, content) == content, f"BuildKit would keep the old content of {path}"

    def killed_after(self, events: int, revision: Revision) -> bool:
        """Whether a child that brings the context there got to its end; it kills itself at that change of the disk."""
        child = os.fork()
        if child == 0:
            _die_at(events)
            try:
                with self.context(revision):
                    pass
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status) == 0


CHANGES = frozenset(
    {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.chmod", "os.utime", "os.removexattr"}
)


def _die_at(events: int) -> None:
    import signal
    import sys

    left = events

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        opens_to_write = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_ACCMODE
        if event in CHANGES or opens_to_write:
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
