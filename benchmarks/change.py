"""A commit that changes one file of many: the gate's own time against a checkout and a build in a standing work tree.

With what goes to BuildKit, to the disk and into its cache; beside a disk that others use; and the first gate of all.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory, TemporaryFile

from benchmarks.deploys import deployed_on, gate
from benchmarks.engines import at, cached_by, own_engine, written_by
from benchmarks.export import MEMORY, git, write_stream
from benchmarks.table import Row
from freshness.core.history import Relation
from freshness.git.checkout import open_repository
from freshness.git.history import relation
from tests.support.engines import Engine
from tests.support.git import Content
from tests.support.runner import Runner

ROUNDS = 5
COMMITS = 59_000
THEIRS = ("recreation", "application", "check", "hold")
"""Parts of a gate that are Compose's and the application's."""
PEER = "git checkout + docker buildx build"
PLAIN = "the gate without a standing context"
DOCKERFILE = """\
FROM python:3.13-slim
WORKDIR /app
COPY server.py behaviour.json ./
COPY scripts scripts
COPY part3/folder3 part3/folder3
ARG GIT_SHA=""
ENV REVISION=$GIT_SHA
CMD ["python3", "-u", "server.py"]
"""
"""It copies little: what BuildKit takes for a large layer would hide what the gate takes."""
KEEP_BUSY = """
import os, sys
while True:
    with open(sys.argv[1], "wb") as file:
        for _ in range(64):
            file.write(os.urandom(1 << 20))
        os.fsync(file.fileno())
    os.unlink(sys.argv[1])
"""


@dataclass(slots=True, kw_only=True)
class Side:
    """What each round took one of the two: seconds, and megabytes sent to BuildKit, written to disk, and cached."""

    seconds: list[float] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    written: list[float] = field(default_factory=list)
    cached: list[float] = field(default_factory=list)


def measure(host: str, files: int, rounds: int) -> Iterator[Row]:
    """The rows of a change: time on a quiet and on a busy disk, and bytes."""
    with own_engine(host) as engine, deployed_on(engine) as runner:
        add_files(runner, files)
        peer = Peer(runner)
        name = f"gate of one changed file of {files:,}"
        peer.build(runner.app.repo.head())
        gate(runner)
        ours, theirs = Side(), Side()
        for busy, most in ((False, 1.3), (True, 1.5)):
            with load(runner.folder) if busy else nullcontext():
                times = [take_turns(runner, peer, (number, busy), ours, theirs) for number in range(rounds)]
            own, peers = (median(taken) for taken in zip(*times, strict=True))
            beside = ", on a busy disk" if busy else ""
            yield Row(what=f"{name}{beside}: own time", measured=own, target=most, peer=PEER, peer_measured=peers)
    for what in ("sent", "written", "cached"):
        values = [median(getattr(side, what)) for side in (ours, theirs)]
        yield Row(what=f"{name}: {what}", measured=values[0], target=2, peer=PEER, peer_measured=values[1], unit="MB")


def take_turns(runner: Runner, peer: "Peer", key: object, ours: Side, theirs: Side) -> tuple[float, float]:
    """One commit each, of the same kind, since what one has built would be in the other's cache."""
    engine = runner.sandbox.engine
    change(runner, f"{key} ours")
    with counted(engine, ours):
        gated = gate(runner)
    ours.sent.append(transferred(gated.ended.log))
    commit = change(runner, f"{key} peer")
    with counted(engine, theirs):
        seconds = take_time(partial(peer.build, commit))
    theirs.sent.append(transferred(peer.said))
    return gated.without(*THEIRS), seconds


def change(runner: Runner, text: str) -> str:
    return runner.app.repo.commit({"part3/folder3/file3.txt": f"{text}\n" * 1000})


@contextmanager
def counted(engine: Engine, side: Side) -> Iterator[None]:
    """Adds what the block writes and leaves in BuildKit's cache."""
    cached, written = cached_by(engine), written_by(engine)
    yield
    side.written.append((written_by(engine) - written) / 1e6)
    side.cached.append((cached_by(engine) - cached) / 1e6)


@contextmanager
def load(folder: Path) -> Iterator[None]:
    """Another process writes to the same disk, and waits for it each time, as long as the block takes."""
    busy = subprocess.Popen([sys.executable, "-I", "-c", KEEP_BUSY, folder / "busy"])
    try:
        yield
    finally:
        busy.kill()
        busy.wait()


def measure_first(host: str, files: int, rounds: int) -> Iterator[Row]:
    """The row of a machine's first gate, against one that keeps nothing for the next."""
    with own_engine(host) as engine, deployed_on(engine) as runner:
        add_files(runner, files)
        gate(runner)  # so that BuildKit and the disk's cache are no more new to one than to the other
        times = [(first(runner, number, "new"), first(runner, number, "")) for number in range(rounds)]
    ours, theirs = (median(taken) for taken in zip(*times, strict=True))
    what = f"first gate of a machine, {files:,} files: own time"
    yield Row(what=what, measured=ours, target=1.1, peer=PLAIN, peer_measured=theirs)


def first(runner: Runner, number: int, cache: str) -> float:
    change(runner, f"{number} {cache}")
    place = str(runner.folder / f"{cache}{number}") if cache else "none"  # no absolute path is no place
    return gate(runner, XDG_CACHE_HOME=place).without(*THEIRS)


def measure_memory(host: str, files: int, megabytes: int) -> Iterator[Row]:
    """The rows of memory: the first gate of many files and a later one, and a large file."""
    with own_engine(host) as engine, deployed_on(engine) as runner:
        add_files(runner, files)
        yield Row(what=f"memory, first gate of {files:,} files", measured=gate(runner).memory, target=150, unit="MB")
        change(runner, "later")
        yield Row(what=f"memory, later gate of {files:,} files", measured=gate(runner).memory, target=150, unit="MB")
        runner.app.repo.commit({"part3/large": os.urandom(megabytes * 10**6)})
        what = f"memory, gate of a file of {megabytes} MB"
        yield Row(what=what, measured=gate(runner).memory, target=150 + megabytes, unit="MB")


def add_files(runner: Runner, files: int) -> None:
    """Commits them on top of the application, packed, as a checkout of a server has them."""
    repo = runner.app.repo
    more: dict[str, Content] = {"Dockerfile": DOCKERFILE, ".dockerignore": ".git\n"}
    repo.commit(more)
    words = ["git", "-C", str(repo.path), "fast-import", "--quiet", "--force", "--depth=0"]
    with TemporaryFile(dir=runner.folder) as stream:
        for piece in write_stream(files):
            stream.write(piece.replace(b"data 4\nMake\n", b"data 4\nMake\nfrom refs/heads/main^0\n"))
        stream.seek(0)
        subprocess.run(words, stdin=stream, check=True)
    repo.git("reset", "--quiet", "--hard")


class Peer:
    """A standing work tree of the same repository, and what buildx last said of it."""

    def __init__(self, runner: Runner) -> None:
        self.repo, self.engine = runner.app.repo, runner.sandbox.engine
        self.folder = runner.folder / "peer"
        self.tag = f"{runner.sandbox.name}:peer"
        self.said = ""
        self.repo.git("clone", "--quiet", "--shared", "--no-checkout", str(self.repo.path), str(self.folder))

    def build(self, commit: str) -> None:
        git(self.folder, "checkout", "--quiet", commit)
        words = ["docker", "buildx", "build", "--load", "--progress=plain", "--provenance=false"]
        with at(self.engine):
            built = subprocess.run(
                [*words, "--build-arg", f"GIT_SHA={commit}", "--tag", self.tag, "."],
                cwd=self.folder,
                capture_output=True,
                text=True,
                check=True,
            )
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
        words = ("-c", "core.commitGraph=false", "merge-base", "--is-ancestor", oldest, newest)
        rounds = [
            (take_time(lambda: is_ancestor(repository, oldest, newest)), take_time(lambda: git(repository, *words)))
            for _ in range(3)
        ]
    ours, theirs = (min(times) for times in zip(*rounds, strict=True))
    what = f"ancestor, {commits:,} commits away"
    yield Row(what=what, measured=ours, target=1.5, peer="git merge-base", peer_measured=theirs)


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
