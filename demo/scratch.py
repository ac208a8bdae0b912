"""The repository that the demo gates: this one's files as they are now, with commits and branches of its own."""

import shutil
from pathlib import Path

from demo.command import output
from demo.engine import read_tar
from demo.places import ACTION, PROJECT, REPOSITORY, ROOT
from demo.repository import Repository

NUMBER = 7
CHECKOUT = Repository(folder=PROJECT, name=REPOSITORY)
_BOARD = "src/freshness/board"
_NEVER_STARTS = '\nimport sys\n\nsys.exit("This commit is broken: the board ends as it starts.")\n'
_NOT_ON_PRODUCTION = """
import os
import sys

if os.environ.get("BOARD_TARGET") == "production":
    sys.exit("This commit is broken: the board ends as it starts on production.")
"""


def create() -> None:
    """The released action and the project, both with the content of this checkout as it is, less what Git ignores."""
    for folder in (ACTION, PROJECT):
        _copy_files(folder)
    CHECKOUT.create()


def _copy_files(folder: Path) -> None:
    listed = output("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", folder=ROOT)
    for name in listed.decode(errors="surrogateescape").split("\0"):
        source, copy = ROOT / name, folder / name
        if name and (source.is_symlink() or source.is_file()):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy, follow_symlinks=False)


def commit_of(name: str) -> str:
    return CHECKOUT.git("rev-parse", "--verify", name)


def parents(name: str) -> list[str]:
    return CHECKOUT.git("rev-list", "--parents", "--max-count=1", name).split()[1:]


def work_tree_marks() -> set[str]:
    """Git's marks of what is not clean in the work tree: `M` for a changed file, `??` for an untracked one."""
    return {line.split()[0] for line in CHECKOUT.git("status", "--porcelain").splitlines()}


def check_out_pull_request() -> str:
    """As GitHub checks a pull request out, on a runner that is not clean. Returns the head.

    HEAD is the merge of the head into main, which has moved on; a tracked file is changed and another one untracked.
    """
    CHECKOUT.start_branch("pull-request", "main")
    head = CHECKOUT.append(f"{_BOARD}/page.css", f"\n/* pull request {NUMBER} */\n")
    CHECKOUT.git("switch", "--quiet", "main")
    base = CHECKOUT.append(f"{_BOARD}/identity.py", "\n# main moved on meanwhile\n")
    CHECKOUT.git("switch", "--quiet", "--detach")
    CHECKOUT.git("merge", "--quiet", "--no-ff", "--message", f"Merge {head} into {base}", head)
    CHECKOUT.write(f"{_BOARD}/page.css", "\n/* changed by hand, never committed */\n")
    CHECKOUT.write(f"{_BOARD}/left_behind.py", "# untracked\n")
    return head


def check_out_main() -> None:
    """A clean checkout of main, which is not the pull request's head either."""
    CHECKOUT.git("reset", "--quiet", "--hard")
    CHECKOUT.git("clean", "--quiet", "--force")
    CHECKOUT.git("switch", "--quiet", "main")


def check_out_change() -> str:
    """One more good commit on top of the pull request's head, in a clean checkout. Returns it."""
    CHECKOUT.start_branch("change", "pull-request")
    return CHECKOUT.append(f"{_BOARD}/page.css", "\n/* one more change */\n")


def commit_rival() -> str:
    """A commit beside `change`, which another build is made from. The checkout stays as it is. Returns it."""
    CHECKOUT.start_branch("rival", "pull-request")
    rival = CHECKOUT.append(f"{_BOARD}/page.css", "\n/* another change */\n")
    CHECKOUT.git("switch", "--quiet", "change")
    return rival


def check_out_never_starting() -> str:
    """A commit whose board ends as it starts. Returns it."""
    CHECKOUT.start_branch("never-starts", "change")
    return CHECKOUT.append(f"{_BOARD}/__init__.py", _NEVER_STARTS)


def check_out_failing_on_production() -> str:
    """A commit whose board ends as it starts, but only on production. Returns it."""
    CHECKOUT.start_branch("fails-on-production", "change")
    return CHECKOUT.append(f"{_BOARD}/__init__.py", _NOT_ON_PRODUCTION)


def files_at(commit: str, *paths: str) -> dict[str, bytes]:
    """Name → content of the commit's files below the paths."""
    return read_tar(CHECKOUT.git_bytes("archive", "--format=tar", commit, *paths))


def write_files(commit: str, folder: Path) -> None:
    """The commit's files, for a build that knows nothing of the gate."""
    for name, content in files_at(commit).items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def pull_request_event(head: str) -> dict[str, object]:
    """The part of GitHub's payload that says which pull request this is."""
    repository = {"full_name": REPOSITORY}
    merge = commit_of("HEAD")
    return {
        "action": "synchronize",
        "number": NUMBER,
        "repository": repository,
        "pull_request": {
            "number": NUMBER,
            "state": "open",
            "merged": False,
            "merge_commit_sha": merge,
            "head": {"ref": "pull-request", "sha": head, "repo": repository},
            "base": {"ref": "main", "sha": parents(merge)[0], "repo": repository},
        },
    }
