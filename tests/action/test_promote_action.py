"""Gate and promote in one workflow, as the README shows it, with both actions."""

import json
from pathlib import Path

from tests.action.gating import ALWAYS, CHECKOUT, Job, documented_if, gate_job
from tests.support.act import RELEASED, Act, ActRun, write_workflow
from tests.support.applications import Application, behave, python_application
from tests.support.engines import Sandbox

PROMOTE = RELEASED.replace("@", "/promote@")
OUTCOME = ("outcome", "reason", "image-id", "previous-image-id", "report-path")
OURS = {
    "expected-revision": "${{ needs.gate.outputs.revision }}",
    "source-image": "${{ needs.gate.outputs.image-id }}",
}


def promote_job(app: Application, inputs: dict[str, str], env: dict[str, str] | None = None) -> Job:
    return {
        "needs": "gate",
        "if": documented_if(),
        "runs-on": "ubuntu-latest",
        "env": env or {},
        "outputs": {name: f"${{{{ steps.promotion.outputs.{name} }}}}" for name in OUTCOME},
        "steps": [
            CHECKOUT,
            {"id": "promotion", "uses": PROMOTE, "with": {"port": str(app.production_port), **inputs}},
        ],
    }


def deploy(
    act: Act, app: Application, tmp_path: Path, *, jobs: dict[str, Job], event_name: str = "workflow_dispatch"
) -> ActRun:
    """Runs the jobs on the commit that is checked out, behind a gate of it."""
    workflow = write_workflow(tmp_path / "w.yml", on=event_name, jobs={"gate": gate_job(app), **jobs})
    return act.run(workflow, repo=app.repo.path, event_name=event_name)


def production(app: Application, sandbox: Sandbox) -> str:
    return sandbox.cli(
        "inspect", "--format", "{{.Id}} {{.Image}} {{.State.StartedAt}}", f"{app.project}-orchestrator-1"
    )


def test_a_dispatch_promotes_what_the_gate_proved_and_nothing_else_does(
    act_on_machine: Act, machine_only: Sandbox, tmp_path: Path
) -> None:
    """I7. First deployment, next commit, the same again; then a push and a closed gate, after which nothing changed."""
    app = python_application(tmp_path / "app", machine_only)
    promote = promote_job(app, OURS)
    first = deploy(act_on_machine, app, tmp_path, jobs={"promote": promote})
    assert outcome(first) == ("success", "promoted", ""), first.log
    assert first.outputs("promote")["image-id"] == first.outputs("gate")["image-id"]
    assert machine_only.get(app.production_port, "/version") == (200, app.repo.head())

    second_commit = app.repo.commit({"later.txt": ""})
    second = deploy(act_on_machine, app, tmp_path, jobs={"promote": promote})
    assert outcome(second) == ("success", "promoted", first.outputs("gate")["image-id"]), second.log
    assert machine_only.get(app.production_port, "/version") == (200, second_commit)
    before = production(app, machine_only)

    pushed = deploy(act_on_machine, app, tmp_path, event_name="push", jobs={"promote": promote})
    assert (pushed.result("promote"), pushed.outputs("gate")["gate"]) == ("skipped", "open"), pushed.log

    app.repo.commit(behave(check="fail"))
    closed = deploy(act_on_machine, app, tmp_path, jobs={"promote": promote})
    assert (closed.result("promote"), closed.outputs("gate")["gate"]) == ("skipped", "closed"), closed.log
    assert production(app, machine_only) == before


def test_promote_refuses_in_its_job_and_takes_nothing_but_its_inputs(
    act_on_machine: Act, machine_only: Sandbox, tmp_path: Path
) -> None:
    """I8. Breaks when promote/action.yml no longer sets EXPECTED_REVISION or PROD_SERVICE from its input."""
    app = python_application(tmp_path / "app", machine_only)
    other = "f" * 40
    leaked = {"EXPECTED_REVISION": app.repo.head(), "PROD_SERVICE": "elsewhere", "HEALTH_PATH": "/nowhere"}
    jobs = {
        "other": promote_job(app, OURS | {"expected-revision": other}),
        "none": promote_job(app, {"source-image": OURS["source-image"]}, env=leaked),
        "unknown": promote_job(app, OURS | {"source-image": f"sha256:{'0' * 64}"}),
        "staging-port": promote_job(app, OURS | {"port": str(app.staging_port)}),
    }

    run = deploy(act_on_machine, app, tmp_path, jobs=jobs)

    assert {name: (run.result(name), run.outputs(name)["outcome"]) for name in jobs} == {
        "other": ("failure", "refused"),
        "none": ("failure", "error"),
        "unknown": ("failure", "refused"),
        "staging-port": ("failure", "error"),
    }, run.log
    assert other in run.outputs("other")["reason"]
    assert "expected-revision" in run.outputs("none")["reason"]
    assert machine_only.image_id(app.production_image) is None

    again = deploy(act_on_machine, app, tmp_path, jobs={"promote": promote_job(app, OURS, env=leaked)})
    assert outcome(again) == ("success", "promoted", ""), again.log


def test_the_gates_old_outputs_are_refused_once_production_went_on(
    act_on_machine: Act, machine_only: Sandbox, tmp_path: Path
) -> None:
    """As `rerun-failed-jobs` starts promote alone, its gate's outputs as they were.

    I8. Breaks when promote believes its inputs: `require_forward` in ancestry.py or `prove` no longer raises.
    """
    app = python_application(tmp_path / "app", machine_only)
    old = deploy(act_on_machine, app, tmp_path, jobs={"promote": promote_job(app, OURS)}).outputs("gate")
    newer = app.repo.commit({"newer.txt": ""})
    newer_id = go_on(app, machine_only, newer)
    before = production(app, machine_only)

    given = {
        "old": {"expected-revision": old["revision"], "source-image": old["image-id"]},
        "new-revision": {"expected-revision": newer, "source-image": old["image-id"]},
        "new-image": {"expected-revision": old["revision"], "source-image": newer_id},
    }
    jobs = {name: {**promote_job(app, inputs), "needs": [], "if": ALWAYS} for name, inputs in given.items()}
    workflow = write_workflow(tmp_path / "rerun.yml", on="workflow_dispatch", jobs=jobs)
    run = act_on_machine.run(workflow, repo=app.repo.path, event_name="workflow_dispatch")

    assert {(run.result(name), run.outputs(name)["outcome"]) for name in jobs} == {("failure", "refused")}, run.log
    assert "is 1 commit behind" in run.outputs("old")["reason"]
    assert production(app, machine_only) == before


def go_on(app: Application, sandbox: Sandbox, commit: str) -> str:
    """A later run made this commit production; the ID of its image."""
    sandbox.cli(
        "buildx", "build", "--quiet", "--provenance=false", "--build-arg", f"GIT_SHA={commit}",
        "--label", f"org.opencontainers.image.revision={commit}", "--tag", app.production_image, str(app.repo.path),
    )  # fmt: skip
    sandbox.cli("compose", "--file", str(app.repo.path / "compose.yaml"), "up", "--detach", "--no-deps", app.production)
    assert sandbox.wait_for(app.production_port, "/version") == commit
    return sandbox.image_id(app.production_image) or ""


def outcome(run: ActRun) -> tuple[str, str, str]:
    outputs = run.outputs("promote")
    assert set(outputs) == set(OUTCOME), json.dumps(outputs)
    return run.result("promote"), outputs["outcome"], outputs["previous-image-id"]


def test_switched_off_it_promotes_without_a_proof_and_says_so(
    act_on_machine: Act, machine_only: Sandbox, tmp_path: Path
) -> None:
    """I10. Breaks when `enabled` of promote no longer reaches it by FRESHNESS_ENABLED."""
    app = python_application(tmp_path / "app", machine_only)
    off = promote_job(app, {}, env={"ORCH_IMAGE_FRESHNESS_ENABLED": "false"})

    run = deploy(act_on_machine, app, tmp_path, jobs={"promote": off})

    assert outcome(run) == ("success", "promoted", ""), run.log
    assert "ORCH_IMAGE_FRESHNESS_ENABLED" in run.log
