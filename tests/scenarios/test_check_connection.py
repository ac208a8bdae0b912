"""The connection to the staging check ends before the check does: that is never taken for the check's end."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.applications import behave, static_application
from tests.support.docker_proxy import Call, docker_proxy
from tests.support.engines import Sandbox, free_port
from tests.support.proxy import HAPROXY, UNPACKED, why_no_proxy
from tests.support.runner import Runner, eventually
from tests.support.ssh_server import serve_logins, why_no_sshd

IDLE_SECONDS = 3
SILENT = "sh -c 'sleep 6; exit {status}'"
CONFIGURATION = """\
defaults
    mode tcp
    timeout connect 5s
    timeout client {idle}s
    timeout server {idle}s
listen engine
    bind {address}
    server engine unix@{engine}
"""


@contextmanager
def impatient_proxy(sandbox: Sandbox, folder: Path, address: str, idle: int = IDLE_SECONDS) -> Iterator[None]:
    """HAProxy between `address` and the Engine, which ends what carries nothing for `idle` seconds."""
    if reason := why_no_proxy():
        pytest.skip(reason)
    folder.mkdir()
    engine = sandbox.engine.host.removeprefix("unix://")
    configuration = CONFIGURATION.format(idle=idle, address=address, engine=engine)
    (folder / "haproxy.cfg").write_text(configuration)
    libraries = ":".join(map(str, UNPACKED.glob("**/lib/*-linux-gnu*")))
    proxy = subprocess.Popen(
        [str(HAPROXY), "-db", "-f", str(folder / "haproxy.cfg")], env={**os.environ, "LD_LIBRARY_PATH": libraries}
    )
    host = f"unix://{address.removeprefix('unix@')}" if address.startswith("unix@") else f"tcp://{address}"
    try:
        eventually(lambda: sandbox.run(["docker", "--host", host, "version"]).returncode == 0, "HAProxy")
        yield
    finally:
        proxy.terminate()
        proxy.wait()


@pytest.mark.parametrize(("status", "decision"), [(1, ("closed", "check-failed", 1)), (0, ("open", "fresh", 0))])
def test_a_silent_check_behind_a_proxy_that_closes_what_is_idle_is_heard_to_its_end(
    status: int, decision: tuple[str, str, int], runner: Runner, tmp_path: Path
) -> None:
    """I4. Fails when `listen` in engine/execution.py no longer calls `_send_keepalive`: the check would be cut off."""
    address = f"127.0.0.1:{free_port()}"
    with impatient_proxy(runner.sandbox, tmp_path / "proxy", address):
        ended = runner.gate(DOCKER_HOST=f"tcp://{address}", CHECK_COMMAND=SILENT.format(status=status))

    assert ended.decision == decision, ended.log


def test_the_same_over_ssh(runner: Runner, tmp_path: Path) -> None:
    """I4. Fails as the one above."""
    if reason := why_no_sshd():
        pytest.skip(reason)
    socket = f"/tmp/{runner.sandbox.name}.sock"  # noqa: S108 -- a socket's path is short
    with impatient_proxy(runner.sandbox, tmp_path / "proxy", f"unix@{socket}"), serve_logins(tmp_path / "s") as server:
        ended = runner.gate(
            DOCKER_HOST=f"{server.url}{socket}", PATH=server.client, CHECK_COMMAND=SILENT.format(status=1)
        )
    Path(socket).unlink()

    assert ended.decision == ("closed", "check-failed", 1), ended.log


def test_a_build_that_such_a_proxy_cuts_is_not_blamed_on_the_dockerfile(runner: Runner, tmp_path: Path) -> None:
    """I5. Fails when `_failure` in engine/build.py no longer looks at `is_cut`. A longer timeout leads out."""
    dockerfile = (runner.app.repo.path / "Dockerfile").read_text()
    runner.app.repo.commit({"Dockerfile": f"{dockerfile}RUN sleep 8 # {runner.sandbox.name}\n"})
    address = f"127.0.0.1:{free_port()}"
    with impatient_proxy(runner.sandbox, tmp_path / "proxy", address):
        ended = runner.gate(DOCKER_HOST=f"tcp://{address}")
    with impatient_proxy(runner.sandbox, tmp_path / "patient", address, idle=60):
        led_out = runner.gate(DOCKER_HOST=f"tcp://{address}")

    assert ended.decision == ("closed", "error", 3), ended.log
    assert "buildx lost its connection to the Docker Engine" in ended.reason
    assert "raise the idle timeout" in ended.reason
    assert led_out.decision == ("open", "fresh", 0), led_out.log


@pytest.mark.parametrize("side", ["on both sides", "on our side alone"])
def test_a_check_whose_connection_is_cut_closes_the_gate_and_ends(side: str, runner: Runner) -> None:
    """I4, I8. Fails when `_run_wrapped` takes the end of its connection for the check's, or nobody calls `_end`."""
    runner.app.repo.commit(behave(check="hang"))
    calls: list[Call] = []
    with docker_proxy(runner.sandbox.engine.host) as proxy:
        proxy.after("POST /exec/*/start", calls.append)
        running = runner.start_gate(DOCKER_HOST=proxy.host)
        running.wait_for("checking http://")
        calls[0].hang_up(keep_up=side == "on our side alone")
        ended = running.end()
        # Not after the proxy's end, which would end the check too.
        eventually(lambda: runner.processes() == 1, "the end of the check in the container", seconds=5)

    assert ended.decision == ("closed", "error", 3), ended.log
    assert "was cut off after" in ended.reason
    assert "raise the idle timeout" in ended.reason


@pytest.mark.parametrize(("status", "decision"), [(1, ("closed", "check-failed", 1)), (0, ("open", "fresh", 0))])
def test_a_check_without_a_leash_goes_on_when_its_connection_is_cut_and_the_engine_tells_its_end(
    status: int, decision: tuple[str, str, int], machine_only: Sandbox, tmp_path: Path
) -> None:
    """I4. Fails when `_run_directly` takes the end of its connection for the check's."""
    runner = Runner(sandbox=machine_only, app=static_application(tmp_path / "app", machine_only), folder=tmp_path)
    dockerfile = (runner.app.repo.path / "services/web/Dockerfile").read_text()
    shell = "".join(f"COPY --chmod=0755 busybox /{name}\n" for name in ("sh", "sleep"))
    runner.app.repo.commit({"services/web/Dockerfile": dockerfile.replace("LABEL", f"{shell}LABEL")})
    check = f"/sh -c 'echo begun; until [ -e /go ]; do /sleep 0.05; done; exit {status}'"
    calls: list[Call] = []
    with docker_proxy(runner.sandbox.engine.host) as proxy:
        proxy.after("POST /exec/*/start", calls.append, nth=2)  # the first finds no Python
        running = runner.start_gate(DOCKER_HOST=proxy.host, CHECK_COMMAND=check)
        running.wait_for("│ begun")
        calls[0].hang_up()
        running.wait_for("The connection to the check was lost")
        runner.in_staging("/sh", "-c", ": > /go")
        ended = running.end()

    assert ended.decision == decision, ended.log


def test_what_comes_together_with_the_engines_answer_is_not_lost(runner: Runner) -> None:
    """Fails when `Connection` does not read ahead what is still in the response: WRAPPER would not be heard."""
    with docker_proxy(runner.sandbox.engine.host) as proxy:
        proxy.before("POST /exec/*/start", lambda _call: running.process.send_signal(signal.SIGSTOP))
        running = runner.start_gate(DOCKER_HOST=proxy.host)
        eventually(lambda: any("exec" in call.path and call.is_answered for call in proxy.calls), "the check's start")
        eventually(lambda: runner.processes() == 1, "the check's end")
        running.process.send_signal(signal.SIGCONT)
        ended = running.end()

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert "│ checking http://" in ended.log
