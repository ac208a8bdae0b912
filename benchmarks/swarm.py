"""Promotions in a Swarm of three Engines: one beside `docker service update` typed by hand, and hundreds in a row."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.engines import at
from benchmarks.table import Row
from tests.support.engines import CLASSIC, why_no_private_engine
from tests.support.promotions import FIRST, SECOND
from tests.support.swarm import Swarm, running_swarm
from tests.support.swarm_service import Release, Service, open_service

ROUNDS = 5
SERVICES, PROMOTIONS = 100, 300
SEEN = 10
"""Of all promotions so many are the first ones, and the last ones."""
MONITOR = "2"
"""Seconds that Swarm looks on after the last task runs, and `docker service update` with it; our hold time as well."""
PEER = "docker service update"


def measure(rounds: int) -> Iterator[Row]:
    """One row; none where no Engine of our own can run."""
    with opened() as service:
        if service is None:
            return
        releases = [service.build(revision) for revision in (FIRST, SECOND)]
        service.create(releases[0], "--update-parallelism=1", f"--update-monitor={MONITOR}s")
        theirs, ours, work = list[float](), list[float](), list[float]()
        for _ in range(rounds):
            theirs.append(beside(service, partial(by_hand, service, releases[1])))
            before = processor_seconds()
            ours.append(beside(service, partial(promote, service, releases[0])))
            work.append(processor_seconds() - before)
        yield Row(what="promote: beside Swarm's own rollout", measured=median(ours), target=2)
        yield Row(what="promote: processor time, whole, in a Swarm", measured=median(work), target=1.5)
        yield Row(what=f"… more than `{PEER}` typed by hand", measured=median(ours) - median(theirs), target=2)


def measure_growth(services: int, promotions: int) -> Iterator[Row]:
    """One row of seconds, and what is left of all promotions."""
    with opened() as service:
        if service is None:
            return
        ours = [replace(service, name=f"{service.name}-{number}") for number in range(services)]
        first = service.build(FIRST)
        for one in ours:  # without a health check each: hundreds of them would be what is measured
            words = ("--detach", "--name", one.name, "--no-healthcheck", "--endpoint-mode=dnsrr", "--update-monitor=1s")
            service.sandbox.cli("service", "create", *words, first.image)
        for one in ours:
            one.wait_until_running(first, seconds=600)
        before, times = Left(service.swarm), list[float]()
        for number in range(promotions):
            one = ours[number % services]
            release = service.build(SECOND, begin=f": {number}")
            times.append(seconds(partial(promote, one, release, HEALTH_PATH="running", HOLD_TIME="1")))
            if number % max(promotions // 10, 1) == 0:
                print(f"{number}: {times[-1]:.1f} s; {Left(service.swarm)}", file=sys.stderr, flush=True)
        what = f"after {promotions} promotions of {services} services"
        few = min(SEEN, promotions)
        yield Row(
            what=f"promote: {what}, the last {few}",
            measured=median(times[-few:]),
            target=1.5,
            peer=f"the first {few}",
            peer_measured=median(times[:few]),
        )
        yield from Left(service.swarm).rows(before, what, max(len(str(one.labels)) for one in ours))


@contextmanager
def opened() -> Iterator[Service | None]:
    if reason := why_no_private_engine(CLASSIC):
        print(f"not measured: a Swarm, since {reason}", file=sys.stderr)
        yield None
        return
    with TemporaryDirectory() as folder, running_swarm(Path(folder, "registry")) as swarm, at(swarm.manager.engine):
        yield open_service(swarm, Path(folder))


def seconds(deed: Callable[[], object]) -> float:
    before = time.perf_counter()
    deed()
    return time.perf_counter() - before


def processor_seconds() -> float:
    """Of all children that have ended."""
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def beside(service: Service, deed: Callable[[], object]) -> float:
    """Seconds, without those that Swarm itself says that its update took."""
    taken = seconds(deed)
    began, ended = (
        datetime.fromisoformat(service.attrs["UpdateStatus"][key][:26]) for key in ("StartedAt", "CompletedAt")
    )
    return taken - (ended - began).total_seconds()


def by_hand(service: Service, release: Release) -> None:
    words = ["docker", "service", "update", "--quiet", "--image", release.image, service.name]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def promote(service: Service, release: Release, **variables: str) -> None:
    given = {"SWARM_SERVICE": service.name, "HOLD_TIME": MONITOR, "ALLOW_ROLLBACK": "images take turns", **variables}
    ended = service.promote(release, **given)
    if ended.outputs["outcome"] != "promoted":
        raise SystemExit(ended.log)


class Left:
    """What a Swarm keeps, on all nodes or in its manager."""

    def __init__(self, swarm: Swarm) -> None:
        manager, nodes = swarm.manager, swarm.nodes
        api: Any = manager.engine.docker.api
        self.tasks, self.configs = len(api.tasks()), len(api.configs())
        self.containers = sum(len(node.engine.docker.api.containers(all=True)) for node in nodes)
        self.images = sum(len(node.engine.docker.api.images()) for node in nodes)
        counted = ["du", "--summarize", "--bytes", str(manager.daemon.data / "docker/swarm")]
        self.raft = int(subprocess.run(counted, check=True, capture_output=True).stdout.split()[0]) / 1e6
        status = Path(f"/proc/{(manager.daemon.folder / 'pid').read_text().strip()}/status").read_text()
        self.memory = int(status.partition("VmRSS:")[2].split()[0]) / 1000

    def __str__(self) -> str:
        kept = f"{self.tasks} tasks, {self.configs} configs, {self.containers} containers, {self.images} images"
        return f"{kept}, Raft {self.raft:.1f} MB, dockerd {self.memory:.0f} MB"

    def rows(self, before: "Left", what: str, labels: int) -> Iterator[Row]:
        yield Row(what=f"configs {what}", measured=self.configs, target=0, unit="")
        yield Row(what=f"labels of a service {what}", measured=labels, target=4096, unit="B")
        yield Row(what=f"manager's memory {what}", measured=self.memory - before.memory, target=200, unit="MB")
        yield Row(what=f"Raft's folder {what}", measured=self.raft - before.raft, target=200, unit="MB")
