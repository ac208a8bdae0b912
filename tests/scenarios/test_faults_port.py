"""A port that something else takes while a target is recreated."""

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest

from freshness.core.compose import Target
from freshness.engine.client import connect
from freshness.engine.conflicts import PORT_CHECK_LABEL, find_conflicts
from freshness.engine.probe_address import Prober
from tests.support.docker_proxy import docker_proxy
from tests.support.engines import BASE_IMAGE, Sandbox, free_port
from tests.support.promotions import FIRST, SECOND, SHORT, Production, type_commands


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """What a process has that takes a port, when the test says which."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        yield listening


def take(listener: socket.socket, port: int) -> None:
    listener.bind(("127.0.0.1", port))
    listener.listen()


def test_a_process_that_takes_the_port_for_a_moment_costs_the_promotion_only(
    listener: socket.socket, production_here: Production
) -> None:
    """I9. Fails when `_TAKEN` in engine/compose.py does not know the Engine's words, or nothing goes back."""
    production, running = production_here, production_here.build(FIRST)
    production.deploy(running)
    image = production.build(SECOND)

    with docker_proxy(production.sandbox.engine.host) as proxy:
        proxy.before("POST /containers/*/start", lambda _call: take(listener, production.app.production_port))
        proxy.before("POST /containers/*/start", lambda _call: listener.close(), nth=2)
        ended = production.promote(image, DOCKER_HOST=proxy.host, **SHORT)

    assert ended.end == (4, "rolled-back"), ended.log
    assert "address already in use" in ended.reason
    production.assert_serves(running)
    assert production.promote(image).end == (0, "promoted")
    production.assert_serves(image)


def test_a_container_that_takes_the_port_and_keeps_it_strands_production_until_it_is_gone(
    production_here: Production,
) -> None:
    """I9. Fails when `_went_back` in execute.py believes that the way back worked."""
    production, running = production_here, production_here.build(FIRST)
    production.deploy(running)
    image, thief = production.build(SECOND), f"{production.sandbox.name}-thief"
    port = f"127.0.0.1:{production.app.production_port}:80"

    with docker_proxy(production.sandbox.engine.host) as proxy:
        proxy.before(
            "POST /containers/*/start",
            lambda _call: production.sandbox.cli(
                "run", "--detach", "--name", thief, "--publish", port, BASE_IMAGE, "sleep", "infinity"
            ),
        )
        ended = production.promote(image, DOCKER_HOST=proxy.host, **SHORT)

    assert ended.end == (5, "stranded"), ended.log
    assert "port is already allocated" in ended.reason
    production.sandbox.cli("rm", "--force", thief)
    type_commands(ended.reason)
    assert production.sandbox.wait_for(production.app.production_port, "/version") == running.revision
    production.assert_serves(running)
    assert production.promote(image).end == (0, "promoted")


def test_a_process_that_takes_stagings_port_while_it_builds_makes_the_gate_stale(
    listener: socket.socket, production_here: Production
) -> None:
    """I3. Fails when `_TAKEN` in engine/compose.py does not know the Engine's words, or the next gate meets a name."""
    runner = production_here.runner

    with contextlib.closing(listener), docker_proxy(runner.sandbox.engine.host) as proxy:
        proxy.before("POST /containers/create", lambda _call: take(listener, runner.app.staging_port))
        ended = runner.gate(DOCKER_HOST=proxy.host)

    assert ended.decision == ("closed", "stale", 1), ended.log
    assert "address already in use" in ended.reason
    again = runner.gate()
    assert again.decision == ("open", "fresh", 0), again.log


def test_what_a_killed_look_from_a_jobs_container_left_goes_with_the_next(machine_only: Sandbox) -> None:
    """Fails when `_is_free_on_host` in engine/conflicts.py labels its container with nothing, or asks for no prune.

    The Engine takes away what has the label and is older than a minute.
    """
    job = machine_only.cli("run", "--detach", "--name", f"{machine_only.name}-job", BASE_IMAGE, "sleep", "600")
    target = Target(
        project="p", service="s", image="i", container="c", address="127.0.0.1", port=free_port(),
        container_port=80,
    )  # fmt: skip
    began = machine_only.docker.info()["SystemTime"]

    with docker_proxy(machine_only.engine.host) as proxy:
        engine = connect({**os.environ, "DOCKER_HOST": proxy.host})
        assert list(find_conflicts(engine, target, Prober(job=job))) == []
        engine.client.close()

    until, made = machine_only.docker.info()["SystemTime"], f"label={PORT_CHECK_LABEL}={job}"
    assert "container create" in machine_only.cli("events", "--since", began, "--until", until, "--filter", made)
    (prune,) = (call for call in proxy.calls if str(call) == "POST /containers/prune")
    filters = json.loads(parse_qs(prune.query)["filters"][0])
    assert filters == {"label": [PORT_CHECK_LABEL], "until": ["60s"]}
    assert machine_only.cli("ps", "--all", "--quiet", "--filter", f"label={PORT_CHECK_LABEL}={job}") == ""
