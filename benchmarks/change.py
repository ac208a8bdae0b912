"""A commit that changes one file of many: the gate's own time against a checkout and a build in a standing work tree.

And how long it takes to tell that production's commit is an ancestor, 59,000 commits away.
"""

import re
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.deploys import deployed, gate
from benchmarks.export import MEMORY, git, write_stream
from benchmarks.table import Row
from freshness.core.history import Relation
from freshness.git.checkout import open_repository
from freshness.git.history import relation
from tests.support.runner import Runner

ROUNDS = 5
COMMITS = 59_000
THEIRS = ("recreation", "application", "check")
"""Parts of a gate that are Compose's and the application's."""
PEER = "git checkout + docker buildx build"


def measure(host: str, files: int, rounds: int) -> Iterator[Row]:
    """The rows of the change: time, and bytes that buildx sent."""
    with deployed(host) as runner:
        add_files(runner, files)
        peer = Peer(runner)
        first = gate(runner)
        peer.build(runner.app.repo.head())
        ours, theirs, sent, peers_sent = [], [], [], []
        for number in range(rounds):
            commit = runner.app.repo.commit({"part3/folder3/file3.txt": f"{number}\n" * 1000})
            gated = gate(runner)
            ours.append(gated.without(*THEIRS))
            sent.append(transferred(gated.ended.log))
            theirs.append(take_time(partial(peer.build, commit)))
            peers_sent.append(transferred(peer.said))
    name = f"gate of one changed file of {files:,}"
    yield Row(what=f"{name}: own time", seconds=median(ours), target=1.3, peer=PEER, peer_seconds=median(theirs))
    yield Row(what=f"{name}: the first one, own time", seconds=first.without(*THEIRS), target=60)
    yield Row(
        what=f"{name}: MB sent, in place of seconds",
        seconds=max(sent),
        target=2,
        peer=PEER,
        peer_seconds=max(peers_sent),
    )


def add_files(runner: Runner, files: int) -> None:
    """Commits them on top of the application, packed, as a checkout of a server has them."""
    repo = runner.app.repo
    stream = b"".join(write_stream(files)).replace(b"data 4\nMake\n", b"data 4\nMake\nfrom refs/heads/main^0\n", 1)
    repo.git("fast-import", "--quiet", "--force", stdin=stream)
    repo.git("reset", "--quiet", "--hard")


class Peer:
    """A standing work tree of the same repository, and what buildx last said of it."""

    def __init__(self, runner: Runner) -> None:
        self.repo = runner.app.repo
        self.folder = runner.folder / "peer"
        self.tag = f"{runner.sandbox.name}:peer"
        self.said = ""
        self.repo.git("clone", "--quiet", "--no-checkout", str(self.repo.path), str(self.folder))

    def build(self, commit: str) -> None:
        git(self.folder, "fetch", "--quiet", "origin")
        git(self.folder, "checkout", "--quiet", commit)
        words = [
            "docker",
            "buildx",
            "build",
            "--load",
            "--progress=plain",
            "--provenance=false",
            "--tag",
            self.tag,
            ".",
        ]
        built = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, check=True)
        self.said = built.stderr


def transferred(log: str) -> float:
    """Megabytes of the context, as buildx says."""
    units = {"B": 1e-6, "kB": 1e-3, "MB": 1.0}
    found = re.findall(r"transferring context: ([\d.]+)(B|kB|MB)", log)
    return max(float(number) * units[unit] for number, unit in found)


def take_time(work: Callable[[], object]) -> float:
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def measure_history(commits: int = COMMITS) -> Iterator[Row]:
    """The row of the ancestor; no commit graph, as in a job's clone."""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        repository = Path(folder, "repository")
        oldest, newest = make_history(repository, commits)
        words: Sequence[str] = ("-c", "core.commitGraph=false", "merge-base", "--is-ancestor", oldest, newest)
        rounds = [
            (take_time(lambda: is_ancestor(repository, oldest, newest)), take_time(lambda: git(repository, *words)))
            for _ in range(3)
        ]
    ours, theirs = (min(times) for times in zip(*rounds, strict=True))
    what = f"ancestor, {commits:,} commits away"
    yield Row(what=what, seconds=ours, target=1.5, peer="git merge-base", peer_seconds=theirs)


def is_ancestor(folder: Path, oldest: str, newest: str) -> None:
    if relation(open_repository(folder), oldest, newest, None).relation is not Relation.AHEAD:
        raise SystemExit("The benchmark's history is not what it was made to be.")


def make_history(folder: Path, commits: int) -> tuple[str, str]:
    """A packed bare repository, and its oldest and newest commit."""
    folder.mkdir()
    git(folder, "init", "--quiet", "--bare")
    stream = (
        b"commit refs/heads/main\ncommitter Ada <ada@example.org> %d +0000\ndata 40\n%-40d\n"
        % (1_600_000_000 + number, number)
        for number in range(commits + 1)
    )
    git(folder, "fast-import", "--quiet", stdin=b"".join(stream))
    return git(folder, "rev-parse", f"main~{commits}"), git(folder, "rev-parse", "main")
