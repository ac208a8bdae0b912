"""How long it takes until the tool runs: its help, the commit of an event, and the actions' start, cold and warm."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.table import Row
from tests.support.engines import ROOT

ROUNDS = 15
CLICK = """
import click

@click.group()
def commands():
    "A program with one command."

@commands.command()
def one():
    "The command."

commands()
"""
PEER = "the help of a small program with click"
HELP = (sys.executable, "-I", str(ROOT / "src"), "--help")


def measure(rounds: int) -> Iterator[Row]:
    """The rows of help, of an event's commit, and of the actions' start, which ends with the help too."""
    with TemporaryDirectory() as cache:
        # The interpreter is named, as the input `python` does: what a shim of pyenv takes is not ours.
        env = {"RUNNER_TOOL_CACHE": cache, "GITHUB_OUTPUT": "", "FRESHNESS_PYTHON": os.path.realpath(sys.executable)}
        action = ("sh", str(ROOT / "install.sh"))
        cold = take_time((*action, "gate", "--help"), env)
        ways = {
            "help": HELP,
            "click": (sys.executable, "-I", "-c", CLICK, "--help"),
            "warm": (*action, "gate", "--help"),
            "resolve": resolve(),
        }
        times: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, words in ways.items():
                times[way].append(take_time(words, env))
    took = {way: median(seconds) for way, seconds in times.items()}
    yield Row(what="freshness --help", measured=took["help"], target=0.1)
    yield Row(
        what="freshness --help, with a peer", measured=took["help"], target=1.5, peer=PEER, peer_measured=took["click"]
    )
    yield Row(what="action: start with a warm cache", measured=took["warm"], target=0.1)
    yield Row(what="action: start with a cold cache", measured=cold, target=10)
    yield Row(what="freshness resolve --offline", measured=took["resolve"], target=0.3)


def resolve() -> Sequence[str]:
    """Which commit a recorded event means; this checkout is the repository at hand."""
    event = ROOT / "tests/payloads/gitea-1.26/pull_request-opened.json"
    options = ["--offline", "--json", "--event", str(event), "--event-name", "pull_request"]
    return [sys.executable, "-I", str(ROOT / "src"), "resolve", *options]


def take_time(command: Sequence[str], env: Mapping[str, str]) -> float:
    before = time.perf_counter()
    done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    took = time.perf_counter() - before
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return took
