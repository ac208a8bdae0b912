"""However a gate ends: it is closed, what only computes ends with it, and what changes the host comes to its end.

Gitea's runner cancels with SIGKILL to the step's process alone, GitHub's with SIGINT and SIGTERM.
"""

import fcntl
import os
import signal
from pathlib import Path

import pytest

from tests.support.applications import behave, static_application
from tests.support.engines import Sandbox
from tests.support.git import Content
from tests.support.runner import Ended, Runner, Running, command_of, eventually, identity

SOON = 1.0
"""Seconds within which a child is gone after its gate was killed."""
CHECK_SOON = 5.0
"""Seconds for a check in its container, where the Engine has to see it first."""
NOT_YET_HEALTHY = behave(start_seconds=3600)
LONG_HEALTH = {"HEALTH_RETRIES": "1000", "HEALTH_INTERVAL": "6"}


def kill(running: Running) -> Ended:
    running.process.kill()
    ended = running.end()
    assert ended.status == -signal.SIGKILL
    assert ended.written == "gate=closed\n", "a gate that was killed left more than its first output"
    return ended


def a_build_that_does_not_end(runner: Runner) -> dict[str, Content]:
    """It prints `step 42` last. Not text of the command, which buildx prints before: its next line would kill it."""
    dockerfile = (runner.app.repo.path / "Dockerfile").read_text()
    return {"Dockerfile": f"{dockerfile}RUN echo step $((40 + 2)) && sleep 3600 # {runner.sandbox.name}\n"}


def stubborn(runner: Runner) -> dict[str, Content]:
    """An application that ignores the signal to stop, so that Compose needs its two seconds of grace to replace it."""
    compose = (runner.app.repo.path / "compose.yaml").read_text()
    service = "  orchestrator-staging:\n"
    server = (runner.app.repo.path / "server.py").read_text()
    return {
        "compose.yaml": compose.replace(service, f"{service}    stop_grace_period: 2s\n"),
        "server.py": server.replace("lambda *_: sys.exit(0)", "signal.SIG_IGN"),
    }


def test_a_kill_during_the_build_takes_buildx_with_it(runner: Runner) -> None:
    """I5, I8. Breaks when `stream` in process/children.py starts its child without `_die_with`."""
    runner.app.repo.commit(a_build_that_does_not_end(runner))
    running = runner.start_gate()
    running.wait_for("step 42")
    buildx = running.wait_for_child("docker-buildx", "build")

    kill(running)

    eventually(lambda: not command_of(buildx), "buildx's end", seconds=SOON)
    assert runner.containers(runner.app.staging) == []
    step = f"sleep 3600 # {runner.sandbox.name}"
    eventually(lambda: not [pid for pid in processes() if step in command_of(pid)], "the end of the build's step")


def processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def test_a_kill_while_health_is_awaited_leaves_the_gate_closed(runner: Runner) -> None:
    """I5. Breaks when anything but `closed` is written before the end."""
    runner.app.repo.commit(NOT_YET_HEALTHY)
    running = runner.start_gate(**LONG_HEALTH)
    running.wait_for("Waiting for HTTP 2xx")

    kill(running)

    assert runner.staging().attrs["Image"] == runner.built()


def test_a_kill_during_the_check_ends_the_check_in_the_container(any_runner: Runner) -> None:
    """I8. Breaks when `run_staging_check` no longer runs the check on its WRAPPER."""
    any_runner.app.repo.commit(behave(check="hang"))
    running = any_runner.start_gate()
    running.wait_for("checking http://")
    assert any_runner.processes() > 1

    kill(running)

    eventually(lambda: any_runner.processes() == 1, "the end of the check in the container", seconds=CHECK_SOON)


def test_a_kill_during_the_check_ends_it_also_where_there_is_no_python(engine: Sandbox, tmp_path: Path) -> None:
    """I8. Breaks when `_watch` in engine/orphan.py no longer ends the commands, or dies with its parent."""
    runner = Runner(sandbox=engine, app=static_application(tmp_path / "app", engine), folder=tmp_path)
    running = runner.start_gate(CHECK_COMMAND="/httpd -f -p 9999")
    eventually(lambda: bool(runner.containers("web-preview")) and runner.processes() > 1, "the check in the container")

    kill(running)

    eventually(lambda: runner.processes() == 1, "the end of the check in the container", seconds=CHECK_SOON)


def test_a_kill_during_the_writing_of_the_outputs_leaves_the_gate_closed(runner: Runner, tmp_path: Path) -> None:
    """I5. Breaks when `Outputs.write` writes the decisive output in a write of its own, before the others.

    A pipe that is full stands for a disk that hangs: the first line fits, the write of all outputs waits.
    """
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    descriptor = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    size = fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, os.sysconf("SC_PAGE_SIZE"))
    filling = b"filling=" + b"x" * (size - 200) + b"\n"
    os.write(descriptor, filling)
    running = runner.start_gate(GITHUB_OUTPUT=str(pipe))
    eventually(lambda: "fresh" in running.log and is_in_a_write(running), "the write of the outputs", seconds=30)

    running.process.kill()
    assert running.process.wait() == -signal.SIGKILL

    assert os.read(descriptor, 2 * size) == filling + b"gate=closed\n"
    os.close(descriptor)


def is_in_a_write(running: Running) -> bool:
    """Whether the kernel holds the process in a `write` that waits for room in a pipe."""
    return "pipe_write" in Path(f"/proc/{running.process.pid}/wchan").read_text()


def test_a_buildx_that_something_ends_is_not_blamed_on_the_commit(runner: Runner) -> None:
    """I5. Fails when `_failure` in engine/build.py takes that for a build that failed."""
    runner.app.repo.commit(a_build_that_does_not_end(runner))
    running = runner.start_gate()
    running.wait_for("step 42")

    os.kill(running.wait_for_child("docker-buildx", "build"), signal.SIGKILL)
    ended = running.end()

    assert ended.decision == ("closed", "error", 3), ended.log
    assert "buildx was ended by SIGKILL" in ended.reason


def test_a_kill_during_the_recreation_lets_compose_come_to_its_end(runner: Runner) -> None:
    """I8. Breaks when `finish` in process/children.py gives its child a pipe of ours, or a death signal."""
    runner.app.repo.commit(stubborn(runner))
    assert runner.gate().decision == ("open", "fresh", 0)
    before = identity(runner.staging())
    runner.app.repo.commit({"more.txt": "more"})
    running = runner.start_gate()
    compose = running.wait_for_child("docker-compose", " up ")

    kill(running)

    assert command_of(compose), "Compose had come to its end before the kill: this test looks at nothing"
    eventually(lambda: not command_of(compose), "Compose's end")
    assert runner.staging().status == "running"
    assert identity(runner.staging()) != before
    assert runner.staging().attrs["Image"] == runner.built()
    assert runner.sandbox.wait_for(runner.app.staging_port, "/version") == runner.app.repo.head()


INTERRUPTS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


def interrupt(running: Running, number: signal.Signals) -> Ended:
    running.process.send_signal(number)
    ended = running.end()
    assert ended.decision == ("closed", "error", 128 + number), ended.log
    assert "The gate was interrupted." in ended.reason
    return ended


@INTERRUPTS
def test_an_interrupt_during_the_build_says_that_staging_was_not_touched(
    number: signal.Signals, runner: Runner
) -> None:
    """I5. Breaks when `gate` in gate.py no longer catches Interrupted, or `stream` no longer ends its child."""
    runner.app.repo.commit(a_build_that_does_not_end(runner))
    running = runner.start_gate()
    running.wait_for("step 42")
    buildx = running.wait_for_child("docker-buildx", "build")

    ended = interrupt(running, number)

    assert not command_of(buildx)
    assert "Staging was not touched" in ended.reason
    assert runner.containers(runner.app.staging) == []


@INTERRUPTS
def test_an_interrupt_while_health_is_awaited_says_what_staging_runs(number: signal.Signals, runner: Runner) -> None:
    """Breaks when `_state_of_staging` in gate/request.py no longer says what staging runs."""
    runner.app.repo.commit(NOT_YET_HEALTHY)
    running = runner.start_gate(**LONG_HEALTH)
    running.wait_for("Waiting for HTTP 2xx")

    ended = interrupt(running, number)

    assert f"Staging runs {runner.built()}" in ended.reason
    assert "it was not proven" in ended.reason


def test_an_interrupt_during_the_check_ends_the_check(runner: Runner) -> None:
    """Breaks when `_listen` in engine/staging_check.py no longer closes its connection as it is left."""
    runner.app.repo.commit(behave(check="hang"))
    running = runner.start_gate()
    running.wait_for("checking http://")

    ended = interrupt(running, signal.SIGINT)

    assert "it was not proven" in ended.reason
    eventually(lambda: runner.processes() == 1, "the end of the check in the container", seconds=CHECK_SOON)


def test_an_interrupt_during_the_recreation_says_that_compose_goes_on(runner: Runner) -> None:
    """I8. Breaks when `_state_of_staging` in gate/request.py looks for no recreation under way."""
    runner.app.repo.commit(stubborn(runner))
    assert runner.gate().decision == ("open", "fresh", 0)
    runner.app.repo.commit({"more.txt": "more"})
    running = runner.start_gate()
    compose = running.wait_for_child("docker-compose", " up ")

    ended = interrupt(running, signal.SIGTERM)

    assert "Compose was recreating staging, and comes to its end by itself" in ended.reason
    eventually(lambda: not command_of(compose), "Compose's end")
    assert runner.staging().attrs["Image"] == runner.built()


def test_the_next_gate_mends_what_a_killed_one_left(runner: Runner) -> None:
    """I11. Breaks when `find_conflicts` takes what an earlier gate left for foreign."""
    runner.app.repo.commit(NOT_YET_HEALTHY)
    running = runner.start_gate(**LONG_HEALTH)
    running.wait_for("Waiting for HTTP 2xx")
    kill(running)
    runner.app.repo.commit(behave())

    ended = runner.gate()

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert runner.staging().attrs["Image"] == runner.built()
