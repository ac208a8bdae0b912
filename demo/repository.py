"""A Git repository that the demo makes, with commits and branches of its own; nothing of the user's leads into it."""

import os
from dataclasses import dataclass
from pathlib import Path

from demo.command import output

# A signing key, a hook or an ignore file of the user would make other commits.
_UNCONFIGURED = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """Its checkout, and the `owner/name` that act takes it for."""

    folder: Path
    name: str

    def create(self) -> None:
        """Makes its first commit, on main, of the files that are in its folder."""
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "Demo")
        self.git("config", "user.email", "demo@example.org")
        self.git("remote", "add", "origin", f"https://github.com/{self.name}")  # only its name is used
        self.commit("Release")

    def git(self, *arguments: str) -> str:
        """What `git` says of it."""
        return self.git_bytes(*arguments).decode(errors="replace").strip()

    def git_bytes(self, *arguments: str) -> bytes:
        """As `git`, as it is. The repository is named, since git would else look for one further up: the user's."""
        folders = (f"--git-dir={self.folder / '.git'}", f"--work-tree={self.folder}")
        return output("git", *folders, *arguments, folder=self.folder, env=_UNCONFIGURED)

    def commits(self) -> set[str]:
        """Every commit that was made here; none where the repository is not there."""
        is_there = (self.folder / ".git").is_dir()
        return set(self.git("rev-list", "--all", "--reflog").split()) if is_there else set()

    def head(self) -> str:
        return self.git("rev-parse", "--verify", "HEAD")

    def start_branch(self, name: str, start: str) -> None:
        self.git("switch", "--quiet", "--create", name, start)

    def append(self, name: str, addition: str) -> str:
        """Commits the file with the addition at its end. Returns the commit."""
        self.write(name, addition)
        return self.commit(f"Change {name}")

    def write(self, name: str, addition: str) -> None:
        """Adds to the file, and commits nothing."""
        with (self.folder / name).open("a", encoding="utf-8") as file:
            file.write(addition)

    def commit(self, message: str) -> str:
        """Commits all that is in the folder. Returns the commit."""
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--message", message)
        return self.head()
