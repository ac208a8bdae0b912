"""The Engines that scenarios run on are what the tests take them for."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.engines import BASE_IMAGE, Sandbox, free_port
from tests.support.runner import Runner, eventually


def test_a_published_port_is_reached_on_loopback(engine: Sandbox) -> None:
    port = free_port()
    engine.cli(
        "run", "--detach", "--name", engine.name, "--publish", f"127.0.0.1:{port}:80", BASE_IMAGE,
        "python3", "-m", "http.server", "--directory", "/etc", "80",
    )  # fmt: skip

    assert "<title>Directory listing" in engine.wait_for(port)


def test_the_private_engine_keeps_images_in_containerd(engine: Sandbox) -> None:
    stores_in_containerd = ["driver-type", "io.containerd.snapshotter.v1"] in engine.docker.info()["DriverStatus"]

    assert stores_in_containerd == (engine.engine.label == "containerd")


@pytest.mark.skipif(shutil.which("podman") is None, reason="Debian's package podman is not installed")
def test_podman_is_called_by_its_name(runner: Runner, tmp_path: Path) -> None:
    """Fails when `connect` takes Podman's interface for an Engine's: its ID is a new one at each call."""
    socket = tmp_path / "podman.sock"
    service = subprocess.Popen(["podman", "system", "service", "--time=0", f"unix://{socket}"])
    try:
        eventually(socket.exists, "Podman's socket")

        ended = runner.gate(DOCKER_HOST=f"unix://{socket}")
    finally:
        service.terminate()
        service.wait()

    assert ended.decision == ("closed", "error", 3), ended.log
    assert f"answers at unix://{socket}; expected Docker Engine. Podman is not supported" in ended.reason
