"""A gate that fails cannot come out open, in whatever way it fails: judged by what following jobs see and do."""

import json
from pathlib import Path

from tests.action.gating import Job, broken_copy, dispatch, gate_job, in_a_row, promoted, seen, with_promotions
from tests.support.act import Act, write_workflow
from tests.support.applications import Application, behave, python_application
from tests.support.engines import BASE_IMAGE, ROOT, Sandbox
from tests.support.git import Content
from tests.support.runner import pull_request

LFS_POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"
SHORT = {"health-retries": "2", "health-interval": "0.5"}


def failing_jobs(app: Application) -> dict[str, Job]:
    """A job, most of them for a commit of its own, for each way in which a dispatched gate decides against it."""

    def of(files: dict[str, Content], **inputs: str) -> Job:
        return gate_job(app, {"revision": app.repo.commit(files), **inputs})

    good = app.repo.head()
    dockerfile = (app.repo.path / "Dockerfile").read_text()
    return {
        "good": gate_job(app, {"revision": good}),  # first, since `success()` looks at all jobs before
        "settings": gate_job(app, {"revision": good, "port": "none"}),
        "no-engine": gate_job(app, {"revision": good}, env={"DOCKER_HOST": "unix:///nowhere.sock"}),
        "incomplete": of({"model.bin": LFS_POINTER}),
        "build": of({"model.bin": None, "Dockerfile": f"FROM {BASE_IMAGE}\nRUN exit 1\n"}),
        "health": of({"Dockerfile": dockerfile, **behave(health=503)}, **SHORT),
        "exit": of(behave(exit_after=0)),
        "check": of(behave(check="fail")),
        "killed-check": of(behave(check="kill")),
        "late-check": of(behave(check="hang"), **{"check-timeout": "1"}),
        "other-project": gate_job(app, {"revision": good, "project": f"{app.project}-other"}),
    }


def test_no_verdict_but_fresh_opens(act_on_machine: Act, machine_only: Sandbox, tmp_path: Path) -> None:
    """I5. Breaks when `Verdict.opens` is true of one more verdict. The first job shows that a good one does open."""
    app = python_application(tmp_path / "app", machine_only)
    jobs = failing_jobs(app)

    run = dispatch(act_on_machine, app, tmp_path, with_promotions(in_a_row(jobs)))

    assert seen(run) == {
        "good": ("open", "fresh"),
        "settings": ("closed", "error"),
        "no-engine": ("closed", "error"),
        "incomplete": ("closed", "refused"),
        "build": ("closed", "build-failed"),
        "health": ("closed", "unhealthy"),
        "exit": ("closed", "unhealthy"),
        "check": ("closed", "check-failed"),
        "killed-check": ("closed", "check-failed"),
        "late-check": ("closed", "check-failed"),
        "other-project": ("closed", "stale"),
    }, run.log
    assert promoted(run) == {name: "success" if name == "good" else "skipped" for name in jobs}
    assert {run.result(name) for name in jobs if name != "good"} == {"failure"}
    assert {run.outputs(name)["image-id"] for name in jobs if name != "good"} == {""}


def test_a_fork_and_a_head_that_moved_do_not_open(act_on_machine: Act, machine_only: Sandbox, tmp_path: Path) -> None:
    """Breaks when `refuse_fork` returns, or `_require_on_gitea` no longer raises Superseded on Gitea."""
    app = python_application(tmp_path / "app", machine_only)
    head = app.repo.head()
    app.repo.commit({"later.txt": ""})
    pull_request(tmp_path / "event.json", head, repository="somebody/app")
    jobs = {"fork": gate_job(app), "moved": gate_job(app, env={"GITEA_ACTIONS": "true"})}
    jobs = with_promotions(jobs, "${{ needs.gate.outputs.gate == 'open' }}")
    workflow = write_workflow(tmp_path / "w.yml", on="pull_request", jobs=jobs)

    event = json.loads((tmp_path / "event.json").read_text())
    run = act_on_machine.run(workflow, repo=app.repo.path, event_name="pull_request", event=event)

    assert seen(run) == {"fork": ("closed", "refused"), "moved": ("closed", "superseded")}, run.log
    assert promoted(run) == {"fork": "skipped", "moved": "skipped"}
    assert "somebody/app" in run.outputs("fork")["reason"]
    assert machine_only.image_id(f"{app.staging_image}:{head}") is None


RAISE = "raise RuntimeError('broken')"
BROKEN = {
    "import": ("src/freshness/cli/main.py", "import click", "import nothing_of_that_name"),
    "settings": ("src/freshness/cli/gate.py", "settings = read_gate(given, env, env_file)", RAISE),
    "build": ("src/freshness/engine/build.py", "image = find_image(self.engine, image_id)", RAISE),
    "check": ("src/freshness/engine/staging_check.py", "execution = check.prepare(wrap_check(", f"{RAISE} # "),
    "summary": ("src/freshness/report/publish.py", "self._try(partial(append_summary", f"{RAISE} # "),
    "outputs": ("src/freshness/ci/outputs.py", 'self._append("".join(', f"{RAISE} # "),
    "start": ("install.sh", 'exec "$environment/bin/python"', "exec /nowhere"),
    "step": ("action.yml", 'install.sh" gate', 'nowhere.sh" gate'),
}
"""By name: a file of the action, a piece of one of its lines, and what stands there in the broken copy."""


def test_each_line_to_break_is_there() -> None:
    """Where a line has moved, the scenario below ends before its first job, and it is not run at each push."""
    lost = [name for name, (file, piece, _) in BROKEN.items() if (ROOT / file).read_text().count(piece) != 1]

    assert lost == []


def test_an_exception_anywhere_does_not_open(act_on_machine: Act, machine_only: Sandbox, tmp_path: Path) -> None:
    """I5. In a copy of the action with one line broken, whose good commit would be fresh."""
    app = python_application(tmp_path / "app", machine_only)
    jobs = {"whole": gate_job(app, uses=broken_copy(app, "whole", "install.sh", "set -eu", "set -eu #"))}
    jobs |= {name: gate_job(app, uses=broken_copy(app, name, *change)) for name, change in BROKEN.items()}

    run = dispatch(act_on_machine, app, tmp_path, with_promotions(in_a_row(jobs)))

    assert {name: gate for name, (gate, _) in seen(run).items()} == {
        **dict.fromkeys(BROKEN, "closed"),
        "step": "",
        "whole": "open",
    }, run.log
    assert promoted(run) == {**dict.fromkeys(BROKEN, "skipped"), "whole": "success"}
    assert {run.result(name) for name in BROKEN} == {"failure"}


def test_outputs_that_were_cut_off_by_a_sigkill_do_not_open(
    act_on_machine: Act, machine_only: Sandbox, tmp_path: Path
) -> None:
    """I5. Breaks when `write` in ci/outputs.py writes `gate` first, or the gate writes `open` at its start."""
    app = python_application(tmp_path / "app", machine_only)
    last = "for name in names))"
    cut = "for name in names)[: -int(os.environ['CUT'])]); os.kill(os.getpid(), 9)"
    uses = broken_copy(app, "cut", "src/freshness/ci/outputs.py", last, cut)
    cuts = {"everything": "99999", "line": "10", "name": "7", "value": "5", "letter": "2"}
    jobs = {name: gate_job(app, uses=uses, env={"CUT": number}) for name, number in cuts.items()}

    run = dispatch(act_on_machine, app, tmp_path, with_promotions(in_a_row(jobs)))

    assert {name: gate for name, (gate, _) in seen(run).items()} == {
        "everything": "closed",
        "line": "closed",
        "name": "",
        "value": "",
        "letter": "ope",
    }, run.log
    assert set(promoted(run).values()) == {"skipped"}


TALKING = '      shell: sh\n      run: echo gate=open >>"$GITHUB_OUTPUT"\n'
SILENT = '      shell: sh\n      run: ":"\n'


def test_a_flip_by_a_last_step_that_writes_would_be_seen(
    act_on_machine: Act, machine_only: Sandbox, tmp_path: Path
) -> None:
    """Shows that the tests above can fail: these jobs would see a gate that opens by the runner's own doing."""
    app = python_application(tmp_path / "app", machine_only, check="fail")
    before = TALKING + "    - if: ${{ always() }}\n" + SILENT
    jobs = {
        "last": gate_job(app, uses=broken_copy(app, "last", "action.yml", SILENT, TALKING)),
        "before-the-silent": gate_job(app, uses=broken_copy(app, "before", "action.yml", SILENT, before)),
    }
    careless = "${{ !cancelled() && needs.gate.outputs.gate == 'open' }}"

    run = dispatch(act_on_machine, app, tmp_path, with_promotions(in_a_row(jobs), careless))

    assert {name: gate for name, (gate, _) in seen(run).items()} == {"last": "open", "before-the-silent": "closed"}
    assert promoted(run) == {"last": "success", "before-the-silent": "skipped"}
