"""The applications that other scenarios gate and promote are what those take them for."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.applications import Application, python_application, static_application
from tests.support.engines import Sandbox

REVISION = "0123456789" * 4


@pytest.mark.parametrize("build", [python_application, static_application])
def test_an_application_serves_the_revision_it_was_built_from(
    build: Callable[[Path, Sandbox], Application], engine: Sandbox, tmp_path: Path
) -> None:
    app = build(tmp_path / "app", engine)
    context = app.repo.path / app.settings.get("BUILD_CONTEXT", ".")
    engine.cli(
        "buildx", "build", "--quiet", "--build-arg", f"GIT_SHA={REVISION}", "--tag", app.staging_image, str(context)
    )
    compose = app.repo.path / app.settings.get("COMPOSE_FILE", "compose.yaml")
    engine.cli("compose", "--file", str(compose), "up", "--detach", app.staging)

    engine.wait_for(app.staging_port, app.settings.get("HEALTH_PATH", "/health"))
    assert engine.get(app.staging_port, "/version") == (200, REVISION)


def test_the_static_application_has_no_shell_and_no_python(machine_only: Sandbox, tmp_path: Path) -> None:
    app = static_application(tmp_path / "app", machine_only)
    context = app.repo.path / app.settings["BUILD_CONTEXT"]
    machine_only.cli("buildx", "build", "--quiet", "--tag", app.staging_image, str(context))
    machine_only.cli("run", "--detach", "--name", machine_only.name, app.staging_image)

    for program in ("sh", "/bin/sh", "python3", "wget", "busybox"):
        assert machine_only.run(["docker", "exec", machine_only.name, program, "-h"]).returncode in {126, 127}
    machine_only.cli("exec", machine_only.name, "/grep", "-q", "ready", "/www/ready.txt")
