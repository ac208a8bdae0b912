"""The gate works where a runner starts it: on the Docker host, and in a job container beside staging."""

from pathlib import Path

from tests.action.gating import run_gate
from tests.support.act import Act, ActRun
from tests.support.applications import Application, python_application, static_application
from tests.support.engines import Sandbox


def assert_fresh(run: ActRun, app: Application, sandbox: Sandbox) -> None:
    assert run.status == 0, run.log
    outputs = run.outputs("gate")
    assert (outputs["gate"], outputs["verdict"]) == ("open", "fresh"), run.log
    assert outputs["revision"] == app.repo.head()
    assert outputs["image-id"] == sandbox.image_id(app.staging_image)
    assert sandbox.get(app.staging_port, "/version") == (200, app.repo.head())


def test_a_job_on_the_docker_host_gates(act: Act, engine: Sandbox, tmp_path: Path) -> None:
    app = python_application(tmp_path / "app", engine)

    assert_fresh(run_gate(act, app, tmp_path), app, engine)


def test_a_job_in_a_container_gates(act_in_containers: Act, machine_only: Sandbox, tmp_path: Path) -> None:
    """Staging is published on the host's 127.0.0.1 only, which is not the job's, and is nothing but a web server."""
    app = static_application(tmp_path / "app", machine_only)

    assert_fresh(run_gate(act_in_containers, app, tmp_path), app, machine_only)


def test_a_failing_gate_fails_its_job_and_tells_why(act_on_machine: Act, machine_only: Sandbox, tmp_path: Path) -> None:
    app = python_application(tmp_path / "app", machine_only, check="fail")

    run = run_gate(act_on_machine, app, tmp_path)

    assert run.status == 1
    assert run.result("gate") == "failure"
    assert (run.outputs("gate")["gate"], run.outputs("gate")["verdict"]) == ("closed", "check-failed")
