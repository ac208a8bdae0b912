"""Gates and promotes a small application on the machine's Engine, each run with its parts named by the stopwatch."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.engines import at
from benchmarks.table import Row
from tests.support.applications import behave, python_application
from tests.support.asking_client import asking
from tests.support.engines import Engine, machine_engine, new_sandbox
from tests.support.runner import Ended, Runner

STOPWATCH = Path(__file__).with_name("stopwatch.py")
ROUNDS = 5
HEALTH_ROUNDS = 3
LONGEST = 600
"""Seconds for one run: the first gate of many files, on a busy disk."""
PARTS = {"configuration", "build", "recreation", "application", "check", "hold"}
"""What the stopwatch times in every gate."""
CHILDREN = ("configuration", "build", "recreation", "check")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """One run: its seconds from start to end, and those of its parts by name; `memory` is its own peak, in MB."""

    ended: Ended
    total: float
    parts: dict[str, float]

    @property
    def memory(self) -> float:
        return self.parts["memory"]

    def without(self, *parts: str) -> float:
        return self.total - sum(self.parts.get(part, 0) for part in parts)


def measure(host: str, rounds: int) -> Iterator[Row]:
    """The rows of gate, health and promotion."""
    with deployed(host) as runner:
        yield from measure_gate(runner, rounds)
        yield from measure_promotion(runner, rounds)
        yield from measure_health(runner, min(rounds, HEALTH_ROUNDS))


@contextmanager
def deployed(host: str) -> Iterator[Runner]:
    """A runner on the machine's Engine for a new application, which is taken away afterwards."""
    with machine_engine(host) as engine, deployed_on(engine) as runner:
        yield runner


@contextmanager
def deployed_on(engine: Engine) -> Iterator[Runner]:
    """As `deployed`, on this Engine."""
    with TemporaryDirectory() as folder:
        sandbox = new_sandbox(engine)
        try:
            app = python_application(Path(folder, "app"), sandbox)
            yield Runner(sandbox=sandbox, app=app, folder=Path(folder))
        finally:
            sandbox.clean()


def run(runner: Runner, *words: str, **variables: str) -> Timed:
    result = runner.folder / f"seconds-{time.monotonic_ns()}.json"
    watched = replace(runner, wrapper=(sys.executable, "-I", str(STOPWATCH), str(result)))
    kept = {"XDG_CACHE_HOME": str(runner.folder / "cache")}  # not the person's own
    with at(runner.sandbox.engine):
        before = time.perf_counter()
        ended = watched.start(*words, **kept | variables).end(LONGEST)
        total = time.perf_counter() - before
    if ended.status != 0:
        raise SystemExit(f"{' '.join(words)} ended with exit status {ended.status}:\n{ended.log}")
    return Timed(ended=ended, total=total, parts=json.loads(result.read_text()))


def gate(runner: Runner, **variables: str) -> Timed:
    timed = run(runner, "gate", GIT_SHA=runner.app.repo.head(), **variables)
    if missing := PARTS - timed.parts.keys():
        raise SystemExit(f"The stopwatch lost what has another name now: {', '.join(sorted(missing))}.")
    return timed


def promote(runner: Runner, gated: Timed) -> Timed:
    outputs = gated.ended.outputs
    variables = {"SOURCE_IMAGE": outputs["image-id"], "EXPECTED_REVISION": outputs["revision"]}
    return run(runner, "promote", **variables, ALLOW_ROLLBACK="two images take turns")


def measure_gate(runner: Runner, rounds: int) -> Iterator[Row]:
    gate(runner)
    again = [gate(runner) for _ in range(rounds)]
    own = min(one.without(*CHILDREN, "application") for one in again)
    yield Row(what="gate: its own process", measured=own, target=0.5)
    yield Row(
        what="gate: the same commit again, without the check",
        measured=min(one.without("check") for one in again),
        target=1,
    )


def measure_promotion(runner: Runner, rounds: int) -> Iterator[Row]:
    """Two images take turns, so that each promotion recreates; the peer is what a person would type."""
    images = [gate(runner)]
    runner.app.repo.commit({"other": "content"})
    images.append(gate(runner))
    runs, peers = [], []
    for number in range(rounds + 1):
        runs.append(promote(runner, images[number % 2]))
        peers.append(inspect_and_tag(runner, images[number % 2].ended.outputs["image-id"]))
    parts = ("configuration", "recreation", "application")
    own = min(one.parts["work"] - sum(one.parts.get(part, 0) for part in parts) for one in runs[1:])
    whole = min(one.without("recreation", "application") for one in runs[1:])
    yield Row(
        what="promote: its own work",
        measured=own,
        target=3,
        peer="docker inspect + docker tag",
        peer_measured=min(peers),
    )
    yield Row(what="promote: the whole command, without the recreation", measured=whole, target=0.6)


def inspect_and_tag(runner: Runner, image_id: str) -> float:
    before = time.perf_counter()
    subprocess.run(["docker", "inspect", image_id], stdout=subprocess.DEVNULL, check=True)
    subprocess.run(["docker", "tag", image_id, f"{runner.sandbox.name}:peer"], check=True)
    return time.perf_counter() - before


def measure_health(runner: Runner, rounds: int) -> Iterator[Row]:
    """The worst of a few first deployments of an application that takes its time to start."""
    runner.app.repo.commit(behave(start_seconds=1))
    gated = gate(runner)
    late = max(notice(runner, gated) for _ in range(rounds))
    yield Row(what="health: noticed after the first good answer", measured=late, target=0.1)


def notice(runner: Runner, gated: Timed) -> float:
    runner.compose("rm", "--stop", "--force", runner.app.production)
    with asking(runner.sandbox, runner.app.production_port, "/health") as answers:
        promotion = promote(runner, gated)
    return promotion.parts["application ended at"] - answers.good[0][0]
