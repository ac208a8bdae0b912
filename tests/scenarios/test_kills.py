"""A promotion that is ended from outside at any moment: the next command leaves a proven image serving, in order."""

import itertools
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.docker_proxy import docker_proxy
from tests.support.promotions import FIRST, LONG, SECOND, THIRD, Production
from tests.support.runner import Running, command_of

BEFORE_US = "in <module>\n    import signal\n"
"""In the log of a run that was interrupted while Python itself was starting: nothing of ours can have a say there."""
STEP_SECONDS = 0.05
FEW = {signal.SIGKILL: 9, signal.SIGTERM: 23, signal.SIGINT: 29}
"""Of all moments every how many is tried without `--under-fire`: SIGKILL is what leaves most behind."""

End = Callable[[], None]


class Siege:
    """One production that is promoted from one image to the other and killed, again and again."""

    def __init__(self, production: Production, number: signal.Signals, *, every: int) -> None:
        self.production, self.number, self.every = production, number, every
        self.images = [production.build(FIRST), production.build(SECOND)]
        production.deploy(self.images[0])

    def run(self, killing: Callable[[Running, int, End], None], *, host: str = "") -> int:
        """Kills at the first moment, then at each that `every` leaves, until a promotion ends before its moment."""
        for moment in itertools.count(1, self.every):
            if not self._kill_at(moment, killing, host):
                return moment
        raise AssertionError

    def _kill_at(self, moment: int, killing: Callable[[Running, int, End], None], host: str) -> bool:
        serving, candidate = self.images
        production, killed = self.production, threading.Event()
        variables = {"SOURCE_IMAGE": candidate.id, "EXPECTED_REVISION": candidate.revision, **LONG}
        variables |= {"ALLOW_ROLLBACK": "it goes to and fro", **({"DOCKER_HOST": host} if host else {})}
        run = production.runner.start("promote", **variables)

        def end() -> None:
            if run.process.poll() is None:
                killed.set()
                run.process.send_signal(self.number)

        killing(run, moment, end)
        ended = run.process.wait(120)
        assert "Traceback" not in run.log or BEFORE_US in run.log, run.log
        if not killed.is_set():
            assert ended == 0, run.log
        self._look(f"{self.number.name} at {moment} of {serving.revision[:4]} → {candidate.revision[:4]}:\n{run.log}")
        return killed.is_set()

    def _look(self, what: str) -> None:
        """The next command, which is refused for its own reason, has first put everything in order."""
        production = self.production
        ended = production.runner.start(
            "promote", SOURCE_IMAGE=self.images[1].id, EXPECTED_REVISION=THIRD, **LONG
        ).end()
        assert (ended.status, ended.outputs["outcome"]) == (1, "refused"), f"{what}\n{ended.log}"
        assert "does not prove" in ended.reason, f"{what}\n{ended.log}"
        (container,) = production.runner.containers(production.app.production)
        container.reload()
        if container.attrs["Image"] == self.images[1].id:
            self.images.reverse()
        assert container.name == f"{production.app.project}-{production.app.production}-1", what
        assert production.sandbox.wait_for(production.app.production_port, "/version") == self.images[0].revision, what
        production.assert_serves(self.images[0])
        assert production.kept() in {None, self.images[1].id}, what
        assert left_behind(production) == [], what


def left_behind(production: Production) -> list[str]:
    """Volumes of the lock that are still there."""
    found = production.sandbox.docker.volumes.list(filters={"name": f"freshness.{production.app.project}."})
    return [volume.name for volume in found]


@pytest.fixture
def every(request: pytest.FixtureRequest) -> Callable[[signal.Signals], int]:
    return lambda number: 1 if request.config.getoption("--under-fire") else FEW[number]


SIGNALS = pytest.mark.parametrize("number", FEW)


@SIGNALS
def test_killed_at_any_call_to_docker(
    number: signal.Signals, production_here: Production, every: Callable[[signal.Signals], int]
) -> None:
    """I9. Fails when `_begin` in execute.py writes no record, or `recover` does nothing.

    The calls are its own and Compose's, each just before it reaches the Engine.
    """
    siege = Siege(production_here, number, every=every(number))

    def at_call(_run: Running, moment: int, end: End) -> None:
        proxy.before(len(proxy.calls) + moment, lambda _call: end())

    with docker_proxy(production_here.sandbox.engine.host) as proxy:
        calls = siege.run(at_call, host=proxy.host)
    print(f"{calls} calls at most")
    assert calls > 30


@SIGNALS
def test_killed_at_any_child_process(number: signal.Signals, production_here: Production) -> None:
    """I9. Fails when `why_dead` in lock_liveness.py does not see that a process has ended: the next run waits on."""
    siege = Siege(production_here, number, every=1)

    def at_child(run: Running, moment: int, end: End) -> None:
        with watching(run, moment, end):
            run.process.wait(120)

    children = siege.run(at_child)
    assert children > 2


COMPOSE_WRITES = (
    "POST /containers/create",
    "POST /containers/*/stop",
    "DELETE /containers/*",
    "POST /containers/*/rename",
    "POST /containers/*/start",
)
"""What Compose does to production, in its order."""


def test_killed_together_with_compose_at_any_of_its_writes(production_here: Production) -> None:
    """I9. Fails when `recreate_in_place` in stop_first.py skips `keep_one_container`: one stays under a wrong name.

    As when a job's container is removed, or the machine runs out of memory: Compose ends in the middle, after the
    Engine has done what it was asked for.
    """
    siege = Siege(production_here, signal.SIGKILL, every=1)

    def at_write(run: Running, moment: int, end: End) -> None:
        def end_both(_call: object) -> None:
            compose = children(run, "docker-compose@")
            end()
            for process in compose:
                os.kill(process, signal.SIGKILL)

        for write in COMPOSE_WRITES[moment - 1 : moment]:
            proxy.after(write, end_both)

    with docker_proxy(production_here.sandbox.engine.host) as proxy:
        assert siege.run(at_write, host=proxy.host) == len(COMPOSE_WRITES) + 1


def children(run: Running, word: str) -> list[int]:
    """The run's child processes whose command line holds the word."""
    listed = Path(f"/proc/{run.process.pid}/task/{run.process.pid}/children").read_text().split()
    return [int(process) for process in listed if word in command_of(int(process))]


@SIGNALS
def test_killed_at_any_time(
    number: signal.Signals, production_here: Production, every: Callable[[signal.Signals], int]
) -> None:
    """I9. Fails when something between two calls cannot be taken up again."""
    siege = Siege(production_here, number, every=every(number))

    def at_time(run: Running, moment: int, end: End) -> None:
        timer = threading.Timer(moment * STEP_SECONDS, end)
        timer.start()
        run.process.wait(120)
        timer.cancel()
        timer.join()

    siege.run(at_time)


@contextmanager
def watching(run: Running, nth: int, end: End) -> Iterator[None]:
    """Calls `end` as soon as the run's nth child process is seen."""
    over = threading.Event()
    listed = Path(f"/proc/{run.process.pid}/task/{run.process.pid}/children")

    def watch() -> None:
        seen: set[str] = set()
        while not over.is_set():
            try:
                seen |= set(listed.read_text().split())
            except OSError:
                return
            if len(seen) >= nth:
                end()
                return
            over.wait(0.001)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
