"""How long it takes until the tool runs: its help, and the actions' start from a cold and a warm cache."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.table import Row

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 10


def measure() -> Iterator[Row]:
    """The rows of help and of the actions' start, which ends with the help too: the tool is not asked to work."""
    command = [sys.executable, "-I", str(ROOT / "src"), "--help"]
    yield Row(what="freshness --help", seconds=best_of(command, {}, ROUNDS), target=0.1)
    with TemporaryDirectory() as cache:
        action = ["sh", str(ROOT / "install.sh"), "gate", "--help"]
        # The interpreter is named, as the input `python` does: what a shim of pyenv takes is not ours.
        env = {"RUNNER_TOOL_CACHE": cache, "GITHUB_OUTPUT": "", "FRESHNESS_PYTHON": os.path.realpath(sys.executable)}
        yield Row(what="action: start with a cold cache", seconds=best_of(action, env, 1), target=10)
        yield Row(what="action: start with a warm cache", seconds=best_of(action, env, ROUNDS), target=0.3)


def best_of(command: list[str], env: Mapping[str, str], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        before = time.perf_counter()
        done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, check=False)
        times.append(time.perf_counter() - before)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return min(times)
