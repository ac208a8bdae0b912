"""Jobs that gate an application, what the documented `if:` opens behind them, and a run of such a workflow."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.act import RELEASED, Act, ActRun, copy_action, write_workflow
from tests.support.applications import Application
from tests.support.engines import ROOT

Job = dict[str, object]
Step = dict[str, object]

INPUTS = {
    "COMPOSE_FILE": "compose-file",
    "TARGET_SERVICE": "service",
    "TARGET_PORT": "port",
    "PROD_PORT": "prod-port",
    "BUILD_CONTEXT": "context",
    "HEALTH_PATH": "health-path",
    "HOLD_TIME": "hold-time",
    "CHECK_COMMAND": "check-command",
}
OUTPUTS = ("gate", "verdict", "reason", "revision", "tree", "image", "image-id", "images", "daemon-id", "report-path")
PROMOTE = "promote-"
ALWAYS = "${{ always() }}"
CHECKOUT: Step = {"uses": "actions/checkout@v4"}


def shell(line: str) -> Step:
    return {"shell": "sh", "run": line}


def gate_job(
    app: Application,
    inputs: Mapping[str, str] | None = None,
    *,
    uses: str = RELEASED,
    before: Sequence[Step] = (CHECKOUT,),
    after: Sequence[Step] = (),
    env: Mapping[str, str] | None = None,
) -> Job:
    """Gates, between the steps `before` and `after`; every output is the job's. `inputs` add to the app's."""
    given = {INPUTS[name]: value for name, value in app.settings.items() if name in INPUTS}
    return {
        "runs-on": "ubuntu-latest",
        "env": dict(env or {}),
        "outputs": {name: f"${{{{ steps.freshness.outputs.{name} }}}}" for name in OUTPUTS},
        "steps": [*before, {"id": "freshness", "uses": uses, "with": {**given, **(inputs or {})}}, *after],
    }


def in_a_row(jobs: Mapping[str, Job]) -> dict[str, Job]:
    """The jobs one after another, however each ends: they share one staging."""
    names = list(jobs)
    after = dict(zip(names[1:], names, strict=False))
    return {name: {**job, "needs": [after[name]], "if": ALWAYS} if name in after else job for name, job in jobs.items()}


def documented_if() -> str:
    """The `if:` of the promoting job in our own deploy.yml, which the README shows as well."""
    found = re.search(
        r"^ +if: (\$\{\{ .*needs\.gate\..* \}\})$", (ROOT / ".gitea/workflows/deploy.yml").read_text(), re.MULTILINE
    )
    assert found, "deploy.yml has no promoting job"
    assert f"if: {found[1]}\n" in (ROOT / "README.md").read_text()
    return found[1]


def with_promotions(jobs: Mapping[str, Job], condition: str | None = None) -> dict[str, Job]:
    """Adds `promote-NAME` for each job, opened by the documented `if:`, else by `condition` on `needs.gate`."""
    opened = condition or documented_if()
    return {
        **jobs,
        **{
            f"{PROMOTE}{name}": {
                "needs": [name],
                "if": opened.replace("needs.gate.", f"needs.{name}."),
                "runs-on": "ubuntu-latest",
                "steps": [shell("echo promoted")],
            }
            for name in jobs
        },
    }


def run_gate(act: Act, app: Application, tmp_path: Path) -> ActRun:
    workflow = write_workflow(tmp_path / "workflow.yml", on="push", jobs={"gate": gate_job(app)})
    return act.run(workflow, repo=app.repo.path)


def dispatch(act: Act, app: Application, tmp_path: Path, jobs: Mapping[str, Job]) -> ActRun:
    """Runs the jobs as a person starts them by hand."""
    workflow = write_workflow(tmp_path / "workflow.yml", on="workflow_dispatch", jobs=jobs)
    return act.run(workflow, repo=app.repo.path, event_name="workflow_dispatch")


def seen(run: ActRun) -> dict[str, tuple[str, str]]:
    """What the job after them saw of each gate: `gate` and `verdict`."""
    gates = {name: run.outputs(name) for name in run.needs if not name.startswith(PROMOTE)}
    return {name: (outputs["gate"], outputs["verdict"]) for name, outputs in gates.items()}


def promoted(run: ActRun) -> dict[str, str]:
    """How each job that `with_promotions` added ended, by its gate."""
    return {name.removeprefix(PROMOTE): run.result(name) for name in run.needs if name.startswith(PROMOTE)}


def broken_copy(app: Application, name: str, file: str, piece: str, instead: str) -> str:
    """Puts a copy of the action with one line changed into the work tree; what a job `uses`."""
    folder = copy_action(app.repo.path / "actions" / name)
    text = (folder / file).read_text()
    assert text.count(piece) == 1, f"{piece!r} is {text.count(piece)} times in {file}"
    (folder / file).write_text(text.replace(piece, instead))
    return f"./actions/{name}"
