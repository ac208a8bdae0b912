"""Ends a check that runs in an image without Python, where nothing inside the container can watch for our end.

Docker has no call that ends a command started by `exec`. On the Docker host itself the command is a process like any
other; a job in a container of its own cannot see it, and such a check goes on until it ends by itself.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import docker

from freshness.engine.client import Engine, engine_call
from freshness.engine.containers import Container
from freshness.errors import EngineError


@contextmanager
def no_orphan(engine: Engine, container: Container) -> Iterator[None]:
    """Commands started in the container within the block do not outlive it, whatever ends it, SIGKILL included."""
    before = _running_commands(engine, container)
    reader, writer = os.pipe()
    watcher = os.fork()
    if watcher == 0:
        os.close(writer)
        _watch(reader, engine, container, before)
    os.close(reader)
    try:
        yield
    finally:
        _end_commands(engine, container, before)
        os.kill(watcher, signal.SIGKILL)
        os.waitpid(watcher, 0)
        os.close(writer)


def _watch(reader: int, engine: Engine, container: Container, before: frozenset[str]) -> None:
    """The watcher's life: it sleeps until our end of the pipe closes, as only our death does, and ends the check."""
    os.setsid()
    with suppress(Exception):
        os.read(reader, 1)
        _end_commands(engine, container, before)
    os._exit(0)


def _running_commands(engine: Engine, container: Container) -> frozenset[str]:
    with engine_call(f"inspecting the container {container.name}"):
        return frozenset(engine.client.api.inspect_container(container.id).get("ExecIDs") or ())


def _end_commands(engine: Engine, container: Container, before: frozenset[str]) -> None:
    """Kills the process group of each command that is new since `before`."""
    with suppress(EngineError):
        for command in _running_commands(engine, container) - before:
            with engine_call("inspecting the staging check"), suppress(docker.errors.NotFound):
                _kill(engine.client.api.exec_inspect(command)["Pid"], container)


def _kill(pid: int, container: Container) -> None:
    """Kills only what the kernel says belongs to this container: the Engine's process ids may not be ours."""
    with suppress(OSError):
        if pid and container.id in Path(f"/proc/{pid}/cgroup").read_text():
            os.killpg(pid, signal.SIGKILL)
