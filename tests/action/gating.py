"""A workflow that gates an application, and a run of it."""

from pathlib import Path

from tests.act import RELEASED, Act, ActRun, write_workflow
from tests.applications import Application

INPUTS = {
    "COMPOSE_FILE": "compose-file",
    "TARGET_SERVICE": "service",
    "TARGET_PORT": "port",
    "PROD_PORT": "prod-port",
    "BUILD_CONTEXT": "context",
    "HEALTH_PATH": "health-path",
    "CHECK_COMMAND": "check-command",
}


def gate_job(app: Application) -> dict[str, object]:
    """Checks out and gates; every output of interest is the job's."""
    inputs = {INPUTS[name]: value for name, value in app.settings.items() if name in INPUTS}
    names = ("gate", "verdict", "reason", "revision", "image-id")
    return {
        "runs-on": "ubuntu-latest",
        "outputs": {name: f"${{{{ steps.freshness.outputs.{name} }}}}" for name in names},
        "steps": [{"uses": "actions/checkout@v4"}, {"id": "freshness", "uses": RELEASED, "with": inputs}],
    }


def run_gate(act: Act, app: Application, tmp_path: Path) -> ActRun:
    workflow = write_workflow(tmp_path / "workflow.yml", on="push", jobs={"gate": gate_job(app)})
    return act.run(workflow, repo=app.repo.path)
