"""The gate as a workflow uses it: which commit it builds, what following jobs see, and what reaches it from outside."""

import json
from pathlib import Path

from tests.action.gating import OUTPUTS, dispatch, gate_job, in_a_row, seen
from tests.support.act import Act, write_workflow
from tests.support.applications import Application, python_application
from tests.support.engines import Sandbox
from tests.support.runner import pull_request


def in_staging(app: Application, sandbox: Sandbox, *words: str) -> str:
    return sandbox.cli("exec", f"{app.project}-{app.staging}-1", *words)


def test_a_pull_request_is_gated_by_its_head_whatever_the_checkout_holds(
    act_on_machine: Act, machine_only: Sandbox, tmp_path: Path
) -> None:
    """I1. As on GitHub: HEAD and GITHUB_SHA are the merge commit. Breaks when `of_pull_request` returns GITHUB_SHA."""
    app = python_application(tmp_path / "app", machine_only)
    repo = app.repo
    repo.branch("feature")
    head = repo.commit({"content.txt": "of the head"})
    repo.switch("main")
    repo.commit({"main-only.txt": "of main"})
    merge = repo.merge("feature")
    repo.write({"content.txt": "dirty", "untracked.txt": "untracked"})
    assert repo.git("status", "--porcelain") == "M content.txt\n?? untracked.txt"
    pull_request(tmp_path / "event.json", head)
    workflow = write_workflow(tmp_path / "w.yml", on="pull_request", jobs={"gate": gate_job(app)})

    run = act_on_machine.run(
        workflow, repo=repo.path, event_name="pull_request", event=json.loads((tmp_path / "event.json").read_text())
    )

    outputs = run.outputs("gate")
    assert (run.result("gate"), outputs["gate"], outputs["verdict"]) == ("success", "open", "fresh"), run.log
    expected = {
        "revision": head,
        "tree": repo.head(f"{head}^{{tree}}"),
        "image": app.staging_image,
        "image-id": machine_only.image_id(app.staging_image),
        "daemon-id": machine_only.docker.info()["ID"],
    }
    assert expected.items() <= outputs.items()
    assert set(outputs) == set(OUTPUTS)
    assert merge[:12] in run.log, "GITHUB_SHA was the head: this test looks at nothing"
    assert set(in_staging(app, machine_only, "ls", "-A").split()) == set(
        repo.git("ls-tree", "--name-only", head).split()
    )
    assert in_staging(app, machine_only, "cat", "content.txt") == "of the head"


def test_the_switches_reach_the_gate_from_inputs_and_environment_and_are_never_fresh(
    act_on_machine: Act, machine_only: Sandbox, tmp_path: Path
) -> None:
    """I10. Breaks when `FRESHNESS_ENABLED` in action.yml is called `ORCH_IMAGE_FRESHNESS_ENABLED`."""
    app = python_application(tmp_path / "app", machine_only)
    app.repo.git("remote", "add", "origin", "https://github.com/org/app")
    off, elsewhere = {"ORCH_IMAGE_FRESHNESS_ENABLED": "false"}, {"ORCH_IMAGE_FRESHNESS_REPOS": "other/*"}
    jobs = {
        "off-by-env": gate_job(app, env=off),
        "off-by-input": gate_job(app, {"enabled": "FALSE"}),
        "elsewhere-by-env": gate_job(app, env=elsewhere),
        "elsewhere-by-input": gate_job(app, {"repos": "other/app, org/ap"}),
        "odd-switch": gate_job(app, {"enabled": "no"}),
        "odd-scope": gate_job(app, {"repos": "org"}),
        "input-wins": gate_job(app, {"enabled": "true", "repos": "org/*"}, env=off | elsewhere),
    }

    run = dispatch(act_on_machine, app, tmp_path, jobs)

    assert seen(run) == {
        "off-by-env": ("open", "disabled"),
        "off-by-input": ("open", "disabled"),
        "elsewhere-by-env": ("open", "out-of-scope"),
        "elsewhere-by-input": ("open", "out-of-scope"),
        "odd-switch": ("closed", "error"),
        "odd-scope": ("closed", "error"),
        "input-wins": ("open", "fresh"),
    }, run.log
    assert {run.outputs(name)["image-id"] for name in jobs if name != "input-wins"} == {""}
    assert run.log.count("nothing was built, recreated, checked or proven") >= 2 * 4


def test_nothing_else_of_the_jobs_environment_reaches_the_gate(
    act_on_machine: Act, machine_only: Sandbox, tmp_path: Path
) -> None:
    """Breaks when action.yml no longer sets one of these variables from its input, or install.sh no FRESHNESS_ACTION.

    What Compose interpolates is given by an input, too: the job's own variable is named there.
    """
    app = python_application(tmp_path / "app", machine_only)
    compose = (app.repo.path / "compose.yaml").read_text()
    own = "TARGET: staging\n"
    app.repo.commit({"compose.yaml": compose.replace(own, f"{own}      GIVEN: ${{GIVEN}}\n")})
    wrong = {
        "GIT_SHA": "f" * 40,
        "COMPOSE_FILE": "/nowhere/compose.yaml",
        "COMPOSE_PROJECT_NAME": "somebody-elses",
        "COMPOSE_ENV": "GIVEN=leaked",
        "GIVEN": "of the job",
        "TARGET_SERVICE": "orchestrator",
        "HEALTH_PATH": "/nowhere",
        "STAGING_CHECK_PATH": "nowhere.py",
        "CHECK_COMMAND": "false",
        "BUILD_CONTEXT": "nowhere",
        "DOCKERFILE": "nowhere",
        "BUILD_ARGS": "nothing",
        "BUILD_TARGET": "nowhere",
        "REVISION_LABEL": "org.example.other",
        "INCOMPLETE": "perhaps",
        "PYTHONPATH": str(tmp_path),
    }
    (tmp_path / "click.py").write_text("raise SystemExit('another click')")
    port_by_env = gate_job(app, {"port": "", "compose-env": "GIVEN=x"}, env={"TARGET_PORT": "1"})

    unnamed = gate_job(app, env={"GIVEN": "of the job"})
    named = gate_job(app, {"compose-env": "GIVEN"}, env=wrong)

    run = dispatch(
        act_on_machine, app, tmp_path, in_a_row({"gate": named, "port-by-env": port_by_env, "unnamed": unnamed})
    )

    assert seen(run) == {
        "gate": ("open", "fresh"),
        "port-by-env": ("open", "fresh"),
        "unnamed": ("closed", "error"),
    }, run.log
    assert "Compose finds no value for GIVEN" in run.outputs("unnamed")["reason"]
    assert run.outputs("gate")["revision"] == app.repo.head()
    image = machine_only.docker.images.get(run.outputs("gate")["image-id"])
    assert image.labels["org.opencontainers.image.revision"] == app.repo.head()
