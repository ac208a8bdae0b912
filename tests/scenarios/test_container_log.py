"""The end of a container's log is read, and no more."""

import os

from freshness.core.lines import LAST
from freshness.engine.client import connect
from freshness.engine.containers import find_container, tail
from tests.support.engines import BASE_IMAGE, Sandbox
from tests.support.runner import eventually

ENDLESS = "print('x' * 3_000_000); print('the end', flush=True); import time; time.sleep(600)"


def test_of_a_container_that_runs_on_the_end_of_its_log_is_read(machine_only: Sandbox) -> None:
    """Fails when `tail` in engine/containers.py follows the log, or reads all of a line without an end."""
    name = f"{machine_only.name}-endless"
    machine_only.cli("run", "--detach", "--init", "--name", name, BASE_IMAGE, "python3", "-c", ENDLESS)
    eventually(lambda: "the end" in machine_only.cli("logs", "--tail", "1", name), "what it prints")
    engine = connect(os.environ, 5)
    container = find_container(engine, name)
    assert container is not None

    lines = tail(engine, container)

    engine.client.close()
    assert lines[-1] == "the end"
    assert sum(map(len, lines)) <= LAST
