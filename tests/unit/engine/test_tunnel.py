"""What keeps a login from working, or from leading to an Engine, is told in words, and nothing of it is left."""

import gc
import os
import socket
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from freshness.core.endpoint import read_ssh
from freshness.engine import tunnel as tunnels
from freshness.engine.client import connect
from freshness.engine.tunnel import Tunnel, open_tunnel
from freshness.errors import EngineError
from tests.support.ssh_server import SshServer, serve_logins, why_no_sshd


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with serving(tmp_path / "sshd") as started:
        yield started


@contextmanager
def serving(folder: Path, **settings: str) -> Iterator[SshServer]:
    if reason := why_no_sshd():
        pytest.skip(reason)
    with serve_logins(folder, **settings) as started:
        yield started


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Path]:
    """A socket that stands for an Engine's."""
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind(str(path))
        engine.listen()
        yield path


def why(env: dict[str, str]) -> str:
    """The sentence and the remedy. docker-py leaves the socket open that got no answer: it goes here."""
    with pytest.raises(EngineError) as raised:
        connect(env)
    said = str(raised.value)
    del raised
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    return said


def login(server: SshServer, path: str = "") -> Tunnel:
    address = read_ssh(f"{server.url}{path}")
    assert address is not None
    return open_tunnel(address, server.url, {**os.environ, "PATH": server.client})


def test_a_key_that_is_not_let_in_is_told(server: SshServer) -> None:
    server.key.write_text((server.key.parent / "host").read_text())

    said = why({"DOCKER_HOST": server.url, "PATH": server.client})

    assert "Permission denied" in said
    assert "Try it as the same user" in said


def test_a_server_whose_key_is_not_known_is_not_trusted(server: SshServer) -> None:
    """Fails when `OPTIONS` lack BatchMode, or say anything about the host's key: ssh would ask, or believe."""
    server.known_hosts.write_text("")

    assert "Host key verification failed" in why({"DOCKER_HOST": server.url, "PATH": server.client})


def test_a_server_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch, server: SshServer) -> None:
    """Fails when `_wait_for_login` has no deadline of its own."""
    monkeypatch.setattr(tunnels, "LOGIN_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        said = why({"DOCKER_HOST": f"ssh://127.0.0.1:{silent.getsockname()[1]}", "PATH": server.client})

    assert "did not accept the login within 0.5 s" in said


def test_a_host_that_is_not_there_is_not_laid_to_keys(server: SshServer) -> None:
    """Fails when whoever meets a host that is down, or mistyped, is sent to look at keys."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]

    said = why({"DOCKER_HOST": f"ssh://127.0.0.1:{port}", "PATH": server.client})

    assert "Connection refused. Check that the host is up" in said
    assert "must not prompt" not in said


def test_a_machine_without_ssh_is_told(tmp_path: Path) -> None:
    said = why({"DOCKER_HOST": "ssh://host.invalid", "PATH": str(tmp_path)})

    assert "there is no `ssh` on the PATH" in said


def test_a_server_that_forwards_nothing_is_told(tmp_path: Path, listening: Path) -> None:
    """Fails when `refusal` does not look whether the socket is there: the server's answer is the same."""
    with serving(tmp_path / "sshd", AllowStreamLocalForwarding="no") as server:
        said = why({"DOCKER_HOST": f"{server.url}{listening}", "PATH": server.client})

    assert "does not forward to" in said
    assert "AllowStreamLocalForwarding yes" in said


def test_a_host_without_an_engine_is_told(server: SshServer, tmp_path: Path) -> None:
    said = why({"DOCKER_HOST": f"{server.url}{tmp_path}/docker.sock", "PATH": server.client})

    assert f"cannot use a Docker socket at {tmp_path}/docker.sock" in said
    assert "the group `docker`" in said


def test_nothing_is_left_of_a_login(server: SshServer, listening: Path) -> None:
    """Fails when `close` lets nothing go."""
    tunnel = login(server, str(listening))
    assert tunnel.docker.exists()
    assert tunnel.folder.stat().st_mode & 0o777 == 0o700

    tunnel.close()

    assert not tunnel.folder.exists()


def test_a_port_of_the_remote_host_is_reached_over_the_same_login(server: SshServer, listening: Path) -> None:
    """Fails when `_forward` does not ask the ssh that runs already."""
    tunnel = login(server, str(listening))
    with socket.create_server(("127.0.0.1", 0)) as there:
        socket_path = tunnel.port("127.0.0.1", there.getsockname()[1])
        with socket.socket(socket.AF_UNIX) as here:
            here.connect(str(socket_path))
            here.sendall(b"hello")
            with there.accept()[0] as accepted:
                assert accepted.recv(5) == b"hello"
        assert tunnel.port("127.0.0.1", there.getsockname()[1]) == socket_path
    tunnel.close()

    assert server.logins == 1


def test_a_lost_login_can_be_made_anew(server: SshServer, listening: Path) -> None:
    """Fails when `open` does not take what the lost one left, or `lost` does not wait for ssh to notice."""
    tunnel = login(server, str(listening))
    assert tunnel.lost() is None
    before = tunnel.docker

    server.cut()
    lost = str(tunnel.lost(10))
    assert "closed by remote host" in lost or "Broken pipe" in lost  # whether ssh was reading or writing
    tunnel.open()

    assert tunnel.lost() is None
    assert tunnel.docker == before
    assert before.exists()
    tunnel.close()


def test_a_long_temporary_folder_leaves_room_for_sockets(
    server: SshServer, listening: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket's path has 108 bytes. Fails when `_short_folder` takes any folder."""
    long = tmp_path / ("x" * 80)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))

    login(server, str(listening)).close()
