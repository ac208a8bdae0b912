"""How long production gives no answer on one port: `freshness promote` against what a person would type, in turn."""

import itertools
import subprocess
from collections.abc import Callable, Iterator
from statistics import median

from benchmarks.deploys import Timed, deployed, gate, promote
from benchmarks.table import Row
from tests.support.asking_client import asking
from tests.support.engines import free_port
from tests.support.runner import Runner, eventually

ROUNDS = 9
COMPOSE = "docker compose up -d --force-recreate"
RUN = "docker rm -f + docker run"
ENGINE = "docker stop + docker start"
"""With the new container made before: the least that the Engine itself takes on one port."""

Change = Callable[[int], object]


def measure(host: str, rounds: int) -> Iterator[Row]:
    """The rows of downtime: the median and the worst of all rounds."""
    with deployed(host) as runner:
        gated = [gate(runner)]
        runner.app.repo.commit({"other": "content"})
        gated.append(gate(runner))
        promote(runner, gated[1])
        plain = Plain(runner)
        changes: dict[str, Change] = {
            "": lambda number: promote(runner, gated[number % 2]),
            COMPOSE: lambda _: runner.compose("up", "-d", "--no-deps", "--force-recreate", runner.app.production),
            RUN: lambda number: plain.remove_and_run(gated[number % 2]),
            ENGINE: lambda number: plain.stop_and_start(gated[number % 2]),
        }
        gaps: dict[str, list[float]] = {peer: [] for peer in changes}
        for number, peer in itertools.product(range(rounds), changes):
            port = plain.port if peer in {RUN, ENGINE} else runner.app.production_port
            gaps[peer].append(gap(runner, port, changes[peer], number))
    yield from rows(gaps)


def rows(gaps: dict[str, list[float]]) -> Iterator[Row]:
    ours = gaps.pop("")
    for peer, theirs in gaps.items():
        yield Row(
            what="promote: without an answer on one port, median",
            measured=median(ours),
            target=1.25,
            peer=peer,
            peer_measured=median(theirs),
        )
        yield Row(
            what="promote: without an answer on one port, worst",
            measured=max(ours),
            target=1.5,
            peer=peer,
            peer_measured=max(theirs),
        )


def gap(runner: Runner, port: int, change: Change, number: int) -> float:
    """Seconds between the last good answer before the change and the first one after it."""
    runner.sandbox.wait_for(port, "/version")
    with asking(runner.sandbox, port) as answers:
        eventually(lambda: answers.good, "a good answer before the change")
        change(number)
        runner.sandbox.wait_for(port, "/version")
    return answers.gap


class Plain:
    """The same application without Compose, in a container that is started by hand on a port of its own."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.name = f"{runner.sandbox.name}-plain"
        self.port = free_port()
        self.numbers = itertools.count()
        self.container = ""
        self._docker("run", "--detach", *self._options(), runner.app.production_image)

    def remove_and_run(self, gated: Timed) -> None:
        self._docker("rm", "--force", self.container)
        self._docker("run", "--detach", *self._options(), gated.ended.outputs["image-id"])

    def stop_and_start(self, gated: Timed) -> None:
        old = self.container
        self._docker("create", *self._options(), gated.ended.outputs["image-id"])
        self._docker("stop", old)
        self._docker("start", self.container)
        self._docker("rm", old)

    def _options(self) -> tuple[str, ...]:
        self.container = f"{self.name}-{next(self.numbers)}"
        network = f"{self.runner.app.project}_default"
        port = f"127.0.0.1:{self.port}:8000"
        return "--name", self.container, "--network", network, "--publish", port, "--env", "TARGET=production"

    @staticmethod
    def _docker(*arguments: str) -> None:
        subprocess.run(["docker", *arguments], stdout=subprocess.DEVNULL, check=True)
