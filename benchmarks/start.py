"""How long it takes until the tool runs: its help, the commit of an event, and the actions' start, cold and warm."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from tempfile import TemporaryDirectory

from benchmarks.table import Row
from tests.support.engines import ROOT

ROUNDS = 10


def measure(rounds: int) -> Iterator[Row]:
    """The rows of help, of an event's commit, and of the actions' start, which ends with the help too."""
    command = [sys.executable, "-I", str(ROOT / "src"), "--help"]
    yield Row(what="freshness --help", seconds=best_of(command, {}, rounds), target=0.1)
    yield Row(what="freshness resolve --offline", seconds=best_of(resolve(), {}, rounds), target=0.3)
    with TemporaryDirectory() as cache:
        action = ["sh", str(ROOT / "install.sh"), "gate", "--help"]
        # The interpreter is named, as the input `python` does: what a shim of pyenv takes is not ours.
        env = {"RUNNER_TOOL_CACHE": cache, "GITHUB_OUTPUT": "", "FRESHNESS_PYTHON": os.path.realpath(sys.executable)}
        yield Row(what="action: start with a cold cache", seconds=best_of(action, env, 1), target=10)
        yield Row(what="action: start with a warm cache", seconds=best_of(action, env, rounds), target=0.3)


def resolve() -> list[str]:
    """Which commit a recorded event means; this checkout is the repository at hand."""
    event = ROOT / "tests/payloads/gitea-1.26/pull_request-opened.json"
    options = ["--offline", "--json", "--event", str(event), "--event-name", "pull_request"]
    return [sys.executable, "-I", str(ROOT / "src"), "resolve", *options]


def best_of(command: list[str], env: Mapping[str, str], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        before = time.perf_counter()
        done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, check=False)
        times.append(time.perf_counter() - before)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return min(times)
