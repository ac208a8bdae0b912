"""Exporting a commit with every hash verified, against `git worktree add` of the same commit, in one run."""

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.table import Row
from freshness.core.revision import Candidate
from freshness.git.checkout import open_repository
from freshness.git.export import export_tree
from freshness.git.find import find_revision

FILES = 13_000
FILE_SIZE = 8_615  # about: 112 MB together
FOLDERS = 1_000
LINES, LINE_SIZE = 4_000, 42
ROUNDS = 3
MEMORY = Path("/dev/shm")  # noqa: S108 (a disk would measure itself; what is made there is private)


def measure(files: int = FILES) -> list[tuple[str, float]]:
    """(label, seconds) of both ways with that many files, the best of a few rounds taken in turn."""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        place = Path(folder)
        commit = make_repository(place / "repository", files)
        rounds = [
            (
                take_time(export, place / "repository", commit, place / f"export{number}"),
                take_time(add_worktree, place / "repository", commit, place / f"worktree{number}"),
            )
            for number in range(ROUNDS)
        ]
    ours, peers = (min(times) for times in zip(*rounds, strict=True))
    return [("export, all hashes verified", ours), ("git worktree add", peers)]


def rows(files: int) -> Iterator[Row]:
    (_, ours), (peer, peers) = measure(files)
    what = f"export of {files:,} files, every hash verified"
    yield Row(what=what, measured=ours, target=1, peer=peer, peer_measured=peers)


def export(repository: Path, commit: str, folder: Path) -> None:
    opened = open_repository(repository)
    candidate = Candidate(commit=commit, source="benchmark", event="push", note="Made for the benchmark.")
    export_tree(opened, find_revision(opened, candidate, None), folder, allow_incomplete=False)


def add_worktree(repository: Path, commit: str, folder: Path) -> None:
    git(repository, "worktree", "add", "--quiet", "--detach", str(folder), commit)


def make_repository(folder: Path, files: int) -> str:
    """A packed bare repository with one commit of that many files of `FILE_SIZE` bytes; the same bytes each time."""
    folder.mkdir()
    git(folder, "init", "--quiet", "--bare")
    git(folder, "fast-import", "--quiet", "--depth=0", stdin=b"".join(write_stream(files)))
    return git(folder, "rev-parse", "refs/heads/main")


def write_stream(files: int) -> Iterator[bytes]:
    """Commits text that deflates to about a quarter, as source code does."""
    chance = random.Random(13_024)  # noqa: S311 (the same text each time, nothing secret)
    words = [f"{chance.randrange(16 ** chance.randrange(2, 12)):x}" for _ in range(LINES)]
    lines = [" ".join(chance.choices(words, k=6)) for _ in range(LINES)]
    yield b"commit refs/heads/main\ncommitter Ada <ada@example.org> 1700000000 +0000\ndata 4\nMake\n"
    for number in range(files):
        text = "\n".join(chance.choices(lines, k=chance.randrange(2 * FILE_SIZE // LINE_SIZE)))
        path = f"part{number % 10}/folder{number % FOLDERS}/file{number}.txt"
        yield f"M 100644 inline {path}\ndata {len(text)}\n{text}\n".encode()


def git(folder: Path, *arguments: str, stdin: bytes = b"") -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], input=stdin, capture_output=True, check=True)
    return done.stdout.decode().strip()


def take_time(work: Callable[[Path, str, Path], None], repository: Path, commit: str, folder: Path) -> float:
    before = time.perf_counter()
    work(repository, commit, folder)
    return time.perf_counter() - before


if __name__ == "__main__":
    for label, seconds in measure():
        sys.stdout.write(f"{label:<30} {seconds:6.2f} s\n")
