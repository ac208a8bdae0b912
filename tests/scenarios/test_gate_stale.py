"""What runs is not what was built, or stands where staging should: the gate is closed."""

import socket
from collections.abc import Callable

import pytest
from docker.models.containers import Container

from tests.support.docker_proxy import docker_proxy
from tests.support.engines import BASE_IMAGE
from tests.support.runner import Runner, eventually, identity

WAITING_CHECK = """
import os, time
print("the check waits", flush=True)
while not os.path.exists("/go-on"):
    time.sleep(0.01)
"""
IDLE = (BASE_IMAGE, "sleep", "infinity")


def restart(runner: Runner) -> None:
    runner.sandbox.cli("restart", "--time", "0", str(runner.staging().id))


def pause_container(runner: Runner) -> None:
    runner.sandbox.cli("pause", str(runner.staging().id))


def replace(runner: Runner) -> None:
    runner.compose("up", "--detach", "--force-recreate", runner.app.staging)


def end_program(runner: Runner) -> None:
    runner.staging().kill()


def retag_and_recreate(runner: Runner) -> None:
    runner.sandbox.cli("tag", BASE_IMAGE, runner.app.staging_image)
    runner.compose("up", "--detach", runner.app.staging)


RIVALS: dict[str, tuple[Callable[[Runner], None], str]] = {
    "restarts it": (restart, "was restarted: running since"),
    "pauses it": (pause_container, "is paused"),
    "replaces it": (replace, "is gone"),
    "brings another image": (retag_and_recreate, "is gone"),
    "ends it": (end_program, "its program ended (exit status 137)"),
}


@pytest.mark.parametrize("rival", RIVALS)
def test_staging_that_changes_after_its_check_passed_is_stale(rival: str, runner: Runner) -> None:
    """I3. Breaks when `find_changes` is not called at the end, or `how_it_changed` not the start."""
    act, words = RIVALS[rival]
    runner.app.repo.commit({"scripts/waiting.py": WAITING_CHECK})
    with docker_proxy(runner.sandbox.engine.host) as proxy:
        # When the Engine is asked how the check ended, and has said it.
        proxy.before("GET /exec/*/json", lambda _call: eventually(lambda: runner.processes() == 1, "the check's end"))
        proxy.after("GET /exec/*/json", lambda _call: act(runner))
        running = runner.start_gate(STAGING_CHECK_PATH="scripts/waiting.py", DOCKER_HOST=proxy.host)
        running.wait_for("the check waits")
        runner.in_staging("touch", "/go-on")
        ended = running.end()

    assert ended.checks()["staging check"] == "passed", ended.log
    assert ended.decision == ("closed", "stale", 1), ended.log
    assert words in ended.reason
    assert ended.outputs["image-id"] == ""


def test_staging_that_restarts_during_its_check_closes_the_gate_and_both_reasons_are_told(runner: Runner) -> None:
    """I3, I4. Breaks when `explain` tells only the first reason, or `check_staging` takes 137 for a good end."""
    runner.app.repo.commit({"scripts/waiting.py": WAITING_CHECK})
    running = runner.start_gate(STAGING_CHECK_PATH="scripts/waiting.py")
    running.wait_for("the check waits")
    with running.frozen():
        restart(runner)
    ended = running.end()

    assert ended.decision == ("closed", "check-failed", 1), ended.log
    failed = [name for name, result in ended.checks().items() if result == "failed"]
    assert failed == ["staging check", "same container"]
    assert "Staging check: exit status 137" in ended.reason
    assert "Same container: the container" in ended.reason


def plain_container_on_the_port(runner: Runner) -> Container:
    port = f"127.0.0.1:{runner.app.staging_port}:80"
    name = f"{runner.sandbox.name}-foreign"
    return runner.sandbox.docker.containers.get(
        runner.sandbox.cli("run", "--detach", "--init", "--name", name, "--publish", port, *IDLE)
    )


def other_service_on_the_port(runner: Runner) -> Container:
    """As a service that the Compose file no longer has."""
    port = f"127.0.0.1:{runner.app.staging_port}:80"
    labels = (f"com.docker.compose.project={runner.app.project}", "com.docker.compose.service=former")
    marks = [word for label in labels for word in ("--label", label)]
    return runner.sandbox.docker.containers.get(
        runner.sandbox.cli("run", "--detach", "--init", *marks, "--publish", port, *IDLE)
    )


def stopped_container_with_the_name(runner: Runner) -> Container:
    name = f"{runner.app.project}-{runner.app.staging}-1"
    return runner.sandbox.docker.containers.get(runner.sandbox.cli("create", "--name", name, *IDLE))


OWNERS: dict[str, tuple[Callable[[Runner], Container], str]] = {
    "a container has the port": (plain_container_on_the_port, "-foreign of no Compose project"),
    "another service has the port": (other_service_on_the_port, ", service former"),
    "a stopped container has the name": (stopped_container_with_the_name, "the container name"),
}


@pytest.mark.parametrize("owner", OWNERS)
def test_a_foreign_container_in_the_way_is_stale_before_anything_is_built(owner: str, runner: Runner) -> None:
    """I6. Breaks when `find_conflicts` no longer yields that, or `Gate.run` builds before it looks for owners."""
    stand, words = OWNERS[owner]
    foreign = stand(runner)
    before = identity(foreign)

    ended = runner.gate()

    assert ended.decision == ("closed", "stale", 1), ended.log
    assert words in ended.reason
    assert runner.built() is None
    assert runner.sandbox.image_id(runner.app.staging_image) is None
    assert identity(foreign) == before


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - the process that is in the way
def test_a_process_on_the_port_is_stale_before_anything_is_built(address: str, runner: Runner) -> None:
    """I6. Breaks when `find_conflicts` no longer asks `_is_free`."""
    with socket.create_server((address, runner.app.staging_port)):
        ended = runner.gate()

    assert ended.decision == ("closed", "stale", 1), ended.log
    assert "a process outside Docker" in ended.reason
    assert runner.built() is None


def test_a_container_that_another_project_made_of_the_same_file_is_refused_with_its_owner(runner: Runner) -> None:
    """I6. Breaks when `find_conflicts` compares the service's label alone."""
    compose = (runner.app.repo.path / "compose.yaml").read_text()
    named = f"  orchestrator-staging:\n    container_name: {runner.sandbox.name}-staging\n"
    runner.app.repo.commit({"compose.yaml": compose.replace("  orchestrator-staging:\n", named)})
    assert runner.gate().decision == ("open", "fresh", 0)
    before = identity(runner.staging())

    ended = runner.gate(COMPOSE_PROJECT_NAME=f"{runner.sandbox.name}-other")

    assert ended.decision == ("closed", "stale", 1), ended.log
    assert f"belongs to the Compose project {runner.app.project}, service orchestrator-staging" in ended.reason
    assert f"set `project: {runner.app.project}`" in ended.reason
    assert identity(runner.staging()) == before


def test_a_taken_image_name_is_told_with_a_remedy_that_leads_out(runner: Runner) -> None:
    """I6. Fails when `_in_the_way` in engine/conflicts.py has one remedy for all that may be in the way."""
    name, tag = f"{runner.sandbox.name}-other", f"{runner.sandbox.name}-shop"
    compose = (runner.app.repo.path / "compose.yaml").read_text()
    runner.app.repo.commit({"compose.yaml": compose.replace(f"image: {runner.app.staging_image}\n", f"image: {tag}\n")})
    runner.sandbox.cli("tag", BASE_IMAGE, tag)
    labels = (f"com.docker.compose.project={runner.sandbox.name}-two", "com.docker.compose.service=web")
    marks = [word for label in labels for word in ("--label", label)]
    runner.sandbox.cli("run", "--detach", "--init", "--name", name, *marks, tag, "sleep", "infinity")

    ended = runner.gate()

    assert ended.decision == ("closed", "stale", 1), ended.log
    assert f"the image tag {tag} is what the container {name} of the Compose project" in ended.reason
    assert "`port`" not in ended.reason
    said = ended.reason.partition("`image: ")[2].partition("`")[0]
    runner.app.repo.commit({"compose.yaml": compose.replace(runner.app.staging_image, said)})
    assert runner.gate().decision == ("open", "fresh", 0)
