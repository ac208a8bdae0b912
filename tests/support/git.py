"""Builds real Git repositories for tests, with the installed `git` and nothing of the machine's configuration."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

COMMIT_TIME = 1_700_000_000
"""Seconds since the epoch: every commit's author and committer time, so that equal content has equal ids."""


@dataclass(frozen=True, slots=True)
class Executable:
    """A file of mode 100755."""

    content: str


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link to `target`, which need not exist."""

    target: str


Content = str | bytes | Executable | Link | None
"""What a path of a commit holds; None takes it away."""


def isolated_environment() -> dict[str, str]:
    """The environment of a `git` that reads no configuration but the repository's own."""
    identity = {"NAME": "Ada", "EMAIL": "ada@example.org", "DATE": f"{COMMIT_TIME} +0000"}
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        **{f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in identity.items()},
    }


def run_git(folder: Path, *arguments: str, stdin: bytes = b"") -> str:
    """The output of `git ARGUMENTS` in `folder`, stripped. Fails the test, with git's own words, where git fails."""
    done = subprocess.run(
        ["git", "-c", "protocol.file.allow=always", *arguments],
        cwd=folder,
        env=isolated_environment(),
        input=stdin,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr.decode(errors='replace')}"
    return done.stdout.decode(errors="surrogateescape").strip()


@dataclass(frozen=True, slots=True)
class GitRepo:
    """A repository at `path`: a work tree, or a bare one."""

    path: Path

    @classmethod
    def init(cls, path: Path, *options: str) -> Self:
        """A new, empty repository on branch `main`."""
        path.mkdir(parents=True)
        run_git(path, "init", "--quiet", "--initial-branch=main", *options)
        return cls(path)

    @classmethod
    def clone(cls, source: str, path: Path, *options: str) -> Self:
        """A clone of the address `source`; a local one goes through the real transport, so `--depth` works."""
        path.parent.mkdir(parents=True, exist_ok=True)
        run_git(path.parent, "clone", "--quiet", *options, "--", source, str(path))
        return cls(path)

    @property
    def url(self) -> str:
        return f"file://{self.path}"

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        return run_git(self.path, *arguments, stdin=stdin)

    def write(self, files: Mapping[str, Content]) -> None:
        """Puts `files` into the work tree and commits nothing. A name that is not UTF-8 comes from `os.fsdecode`."""
        for name, content in files.items():
            write_file(self.path / name, content)

    def commit(self, files: Mapping[str, Content], message: str = "Change") -> str:
        """Writes `files`, commits the whole work tree, ignored files too, and returns the commit's id."""
        self.write(files)
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.head()

    def head(self, name: str = "HEAD") -> str:
        return self.git("rev-parse", "--verify", name)

    def branch(self, name: str, start: str = "HEAD") -> None:
        """Makes the branch and switches to it."""
        self.git("switch", "--quiet", "--create", name, start)

    def switch(self, name: str) -> None:
        self.git("switch", "--quiet", name)

    def merge(self, name: str) -> str:
        """Merges `name` with a merge commit of its own and returns that commit's id."""
        self.git("merge", "--quiet", "--no-ff", "--message", f"Merge {name}", name)
        return self.head()

    def write_object(self, kind: str, data: bytes) -> str:
        """Stores `data` as it is, however malformed, and returns its id."""
        return self.git("hash-object", "-w", "--literally", "-t", kind, "--stdin", stdin=data)

    def write_tree(self, *entries: tuple[bytes, bytes, str]) -> str:
        """Stores a tree of (mode, name, object id) exactly as given: unsorted, doubled or hostile."""
        data = b"".join(mode + b" " + name + b"\0" + bytes.fromhex(object_id) for mode, name, object_id in entries)
        return self.write_object("tree", data)

    def commit_tree(self, tree: str) -> str:
        """Commits the tree without looking at it and returns the commit's id; no branch moves."""
        stamp = f"Ada <ada@example.org> {COMMIT_TIME} +0000"
        return self.write_object("commit", f"tree {tree}\nauthor {stamp}\ncommitter {stamp}\n\nHostile\n".encode())


def write_file(path: Path, content: Content) -> None:
    """Makes `path` what `content` says, with its parent folders, whatever file was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    match content:
        case None:
            return
        case Link(target):
            path.symlink_to(target)
        case Executable(text):
            path.write_text(text)
            path.chmod(0o755)
        case str():
            path.write_text(content)
        case bytes():
            path.write_bytes(content)
