"""An Engine behind ssh://, through a real OpenSSH server: one login for a run, and a lost connection is a fault."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.test_gate_deaths import processes, stubborn
from tests.support.docker_proxy import DockerProxy, docker_proxy
from tests.support.engines import Sandbox
from tests.support.promotions import FIRST, SECOND, THIRD, Production
from tests.support.runner import Runner, command_of, eventually
from tests.support.ssh_server import SshServer, serve_logins, why_no_sshd

MOMENTS_OF_A_GATE = {
    "before anything": "GET /containers/json",
    "while it builds": "POST /session",
    "while Compose recreates": "POST /containers/create",
    "while it checks": "POST /exec/*/start",
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    if reason := why_no_sshd():
        pytest.skip(reason)
    with serve_logins(tmp_path / "sshd", LogLevel="DEBUG1") as serving:
        yield serving


@pytest.fixture
def proxy(machine_only: Sandbox) -> Iterator[DockerProxy]:
    with docker_proxy(machine_only.engine.host) as serving:
        yield serving


def over(server: SshServer, host: str) -> dict[str, str]:
    """The variables with which a run reaches, through the server, the Engine at `host`."""
    return {"DOCKER_HOST": f"{server.url}{host.removeprefix('unix://')}", "PATH": server.client}


def test_a_whole_gate_is_one_login(runner: Runner, server: SshServer) -> None:
    """Fails when `read_config` no longer reads with `env_without_engine`: Compose alone logs in twice.

    Health is asked over the same login, at the port that the remote host has published.
    """
    ended = runner.gate(**over(server, runner.sandbox.engine.host))

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert runner.staging().attrs["Image"] == runner.built()
    assert server.logins == 1
    assert f"target 127.0.0.1 port {runner.app.staging_port}" in server.log.read_text()


def test_a_whole_promotion_is_one_login(production_here: Production, server: SshServer) -> None:
    """The Engine is a context's. Fails when the Engine's `env` does not lead Docker's plugins into the tunnel."""
    production, running = production_here, production_here.build(FIRST)
    production.deploy(running)
    image = production.build(SECOND)
    there = over(server, production.sandbox.engine.host)
    production.sandbox.cli("context", "create", "deploy", "--docker", f"host={there['DOCKER_HOST']}")
    production.sandbox.cli("context", "use", "deploy")

    ended = production.promote(image, **{**there, "DOCKER_HOST": ""})

    production.assert_serves(image)
    assert ended.end == (0, "promoted"), ended.log
    assert server.logins == 1


@pytest.mark.parametrize("call", MOMENTS_OF_A_GATE.values(), ids=MOMENTS_OF_A_GATE)
def test_a_lost_connection_closes_the_gate(call: str, runner: Runner, server: SshServer, proxy: DockerProxy) -> None:
    """Fails when build, check or recreation do not ask with `require_reachable` whose failure it was."""
    proxy.after(call, server.cut)

    ended = runner.gate(**over(server, proxy.host))

    assert ended.decision == ("closed", "error", 3), ended.log
    assert "the ssh connection to" in ended.reason
    assert "was lost" in ended.reason


def test_after_a_lost_connection_the_next_gate_is_fresh(runner: Runner, server: SshServer, proxy: DockerProxy) -> None:
    """I11. Fails when the lock of a run that could not let it go is not taken over."""
    proxy.after("POST /containers/create", server.cut)
    assert runner.gate(**over(server, proxy.host)).decision == ("closed", "error", 3)

    ended = runner.gate(**over(server, proxy.host))

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert runner.staging().attrs["Image"] == runner.built()


def test_a_connection_lost_before_the_first_write_changes_nothing(
    production_here: Production, server: SshServer, proxy: DockerProxy
) -> None:
    production, running = production_here, production_here.build(FIRST)
    production.deploy(running)
    image = production.build(SECOND)
    before = production.state()
    proxy.after("GET /containers/json", server.cut)

    ended = production.promote(image, **over(server, proxy.host))

    assert ended.end == (3, "error"), ended.log
    assert production.state() == before
    production.assert_serves(running)


def test_a_connection_lost_while_compose_recreates_is_made_anew_for_the_way_back(
    production_here: Production, server: SshServer, proxy: DockerProxy
) -> None:
    """I9. Fails when `_renew` in engine/session.py makes no new connection: production would be stranded."""
    production, running = production_here, production_here.build(FIRST)
    production.deploy(running)
    image = production.build(SECOND)
    proxy.after("POST /containers/create", server.cut)

    ended = production.promote(image, **over(server, proxy.host))

    production.assert_serves(running)
    assert ended.end == (4, "rolled-back"), ended.log
    assert server.logins == 2


def test_where_the_way_back_is_cut_too_the_next_promotion_mends_it(
    production_here: Production, server: SshServer, proxy: DockerProxy, tmp_path: Path
) -> None:
    """I9, I11. Fails when a promotion whose way back failed lets its lock go, and with it what it had begun."""
    production, running = production_here, production_here.build(FIRST)
    production.deploy(running)
    image = production.build(SECOND)
    proxy.after("POST /containers/*/stop", server.stop)

    ended = production.promote(image, **over(server, proxy.host), ENGINE_TIMEOUT="3")

    assert ended.end == (5, "stranded"), ended.log
    assert "A person is needed" in ended.reason
    last = production.build(THIRD)
    with serve_logins(tmp_path / "again") as again:
        ended = production.promote(last, **over(again, production.sandbox.engine.host))
    assert ended.end == (0, "promoted"), ended.log
    assert "An interrupted promotion was" in ended.log
    production.assert_serves(last)


def test_a_kill_lets_compose_come_to_its_end_and_leaves_no_ssh(runner: Runner, server: SshServer) -> None:
    """I8. Fails when `finish` passes no lifelines on, or `THEN_CLEAN` in engine/ssh.py does not clean."""
    runner.app.repo.commit(stubborn(runner))
    assert runner.gate().decision == ("open", "fresh", 0)
    runner.app.repo.commit({"more.txt": "more"})
    running = runner.start_gate(**over(server, runner.sandbox.engine.host))
    compose = running.wait_for_child("docker-compose", " up ")
    ours = [pid for pid in processes() if "freshness-ssh-" in command_of(pid) and server.url[-5:] in command_of(pid)]
    (folder,) = {path for path in Path("/tmp").glob("freshness-ssh-*") if str(path) in command_of(ours[0])}  # noqa: S108

    running.process.send_signal(signal.SIGKILL)
    running.process.wait()

    assert command_of(compose), "Compose had come to its end before the kill: this test looks at nothing"
    eventually(lambda: not command_of(compose), "Compose's end")
    assert runner.sandbox.wait_for(runner.app.staging_port, "/version") == runner.app.repo.head()
    assert runner.staging().attrs["Image"] == runner.built()
    eventually(lambda: not any(command_of(pid) for pid in ours), "the end of our ssh")
    eventually(lambda: not folder.exists(), "the end of its folder")


@pytest.mark.parametrize("host", ["ssh://", "ssh://deploy@", "tcp://:2376"])
def test_a_remote_engine_without_a_host_is_refused_before_anything_else(host: str, runner: Runner) -> None:
    """Fails when `read_gate` does not look for `host_problems`."""
    ended = runner.gate(DOCKER_HOST=host)

    assert ended.decision == ("closed", "error", 2), ended.log
    assert "names no host" in ended.reason
    assert ended.checks() == {}
