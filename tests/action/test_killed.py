"""A gate that is killed or interrupted stays closed, and one that can still speak says what state staging is in."""

import signal
from pathlib import Path

from tests.action.gating import Job, gate_job, in_a_row, promoted, seen, with_promotions
from tests.action.running import running
from tests.support.act import Act
from tests.support.applications import Application, behave, python_application
from tests.support.engines import BASE_IMAGE, Sandbox
from tests.support.git import Content

WAITING = {
    "build": "waiting in the build",
    "health": "Waiting for HTTP 2xx",
    "check": "waiting in the check",
}
"""By the phase in which a job waits for ever: what its log says then."""


def waiting_jobs(app: Application) -> dict[str, Job]:
    dockerfile = (app.repo.path / "Dockerfile").read_text()
    slow = f"FROM {BASE_IMAGE}\nRUN echo {WAITING['build']} && sleep 3600\n"
    files: dict[str, dict[str, Content]] = {
        "build": {"Dockerfile": slow},
        "health": {"Dockerfile": dockerfile, **behave(start_seconds=3600)},
        "check": behave(check="hang", check_log=WAITING["check"]),
    }
    return in_a_row({phase: gate_job(app, {"revision": app.repo.commit(files[phase])}) for phase in WAITING})


def test_a_sigkill_in_any_phase_does_not_open(act_on_machine: Act, machine_only: Sandbox, tmp_path: Path) -> None:
    """I5. As Gitea's runner cancels. Breaks when the gate writes `open` before its last write."""
    app = python_application(tmp_path / "app", machine_only)
    with running(act_on_machine, app, tmp_path, with_promotions(waiting_jobs(app))) as act:
        for said in WAITING.values():
            act.wait_for(said)
            act.send(signal.SIGKILL)
        run = act.end()

    assert seen(run) == dict.fromkeys(WAITING, ("closed", "")), run.log
    assert promoted(run) == dict.fromkeys(WAITING, "skipped")
    assert {run.result(phase) for phase in WAITING} == {"failure"}


def test_an_interrupt_in_any_phase_does_not_open_and_tells_what_staging_is(
    act_on_machine: Act, machine_only: Sandbox, tmp_path: Path
) -> None:
    """I5. As GitHub's runner cancels, here both signals at once. Breaks when a step's `run:` lacks its `exec`."""
    app = python_application(tmp_path / "app", machine_only)
    with running(act_on_machine, app, tmp_path, with_promotions(waiting_jobs(app))) as act:
        for said in WAITING.values():
            act.wait_for(said)
            act.send(signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT)
        run = act.end()

    assert seen(run) == dict.fromkeys(WAITING, ("closed", "error")), run.log
    assert promoted(run) == dict.fromkeys(WAITING, "skipped")
    assert "Traceback" not in run.log
    reasons = {phase: run.outputs(phase)["reason"] for phase in WAITING}
    assert "The gate was interrupted. Staging was not touched" in reasons["build"]
    for phase in ("health", "check"):
        assert f"in the container {app.project}-{app.staging}-1; it was not proven" in reasons[phase]
        assert reasons[phase] in run.log
