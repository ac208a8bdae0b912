"""The Engines that scenarios run on are what the tests take them for."""

from tests.support.engines import BASE_IMAGE, Sandbox, free_port


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
