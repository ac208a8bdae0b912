"""No Engine, no right to use it, no checkout: one clear sentence in the log, exit status 3 or 2, and a closed gate."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.action.gating import CHECKOUT, dispatch, gate_job, seen, shell
from tests.support.act import ACT, Act, ActRun, docker_programs, read_needs, write_workflow
from tests.support.applications import Application, python_application
from tests.support.engines import Sandbox
from tests.support.git import GitRepo

NOBODY = 65534
UNREACHABLE = {
    "no-socket": ("unix:///nowhere.sock", "unix:///nowhere.sock cannot be reached", "Start Docker"),
    "refused": ("tcp://127.0.0.1:1", "127.0.0.1:1 cannot be reached", "correct DOCKER_HOST"),
    "nonsense": ("nonsense://here", "nonsense://here", "DOCKER_HOST"),
    "ssh": ("ssh://deploy@127.0.0.1:1", "ssh://deploy@127.0.0.1:1", "ssh"),
}
"""By name: DOCKER_HOST, and words of the sentence: what was got, and what to do."""


def assert_told_once(run: ActRun, *jobs: str) -> None:
    """Each job's reason is its one annotation, and no traceback is in the log."""
    for job in jobs:
        (line,) = [line for line in run.log.splitlines() if f"/{job}" in line and "::error" in line]
        assert line.endswith(run.outputs(job)["reason"])
    assert "Traceback" not in run.log


def test_an_engine_that_cannot_be_reached_is_one_sentence(
    act_on_machine: Act, machine_only: Sandbox, tmp_path: Path
) -> None:
    """Breaks when `reach` in engine/client.py lets one of docker-py's exceptions through."""
    app = python_application(tmp_path / "app", machine_only)
    jobs = {name: gate_job(app, env={"DOCKER_HOST": host}) for name, (host, _, _) in UNREACHABLE.items()}

    run = dispatch(act_on_machine, app, tmp_path, jobs)

    assert seen(run) == dict.fromkeys(UNREACHABLE, ("closed", "error")), run.log
    for name, (_, got, remedy) in UNREACHABLE.items():
        assert got in run.outputs(name)["reason"]
        assert remedy in run.outputs(name)["reason"]
    assert_told_once(run, *UNREACHABLE)


def test_a_job_without_a_repository_is_one_sentence(act_on_machine: Act, machine_only: Sandbox, tmp_path: Path) -> None:
    """Breaks when `open_repository` lets a GitError through."""
    app = python_application(tmp_path / "app", machine_only)
    jobs = {
        "no-checkout": gate_job(app, before=()),
        "no-git": gate_job(app, before=(CHECKOUT, shell("rm -r .git"))),
    }

    run = dispatch(act_on_machine, app, tmp_path, jobs)

    assert seen(run) == dict.fromkeys(jobs, ("closed", "error")), run.log
    for job in jobs:
        assert "heck" in run.outputs(job)["reason"]
    assert_told_once(run, *jobs)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter; pytest's own is closed."""
    folder = Path(tempfile.mkdtemp(prefix="freshness-nobody-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def give_to_nobody(act: Act, app: Application, folder: Path) -> tuple[Act, Application]:
    """Copies all that act needs into the folder, with Docker's command line for a home, and gives it to nobody."""
    plugins = folder / "home/.docker/cli-plugins"
    plugins.mkdir(parents=True)
    for name, program in docker_programs().items():
        if name != "docker":
            shutil.copy2(program, plugins / name)
    shutil.copy2(ACT, folder / "act")
    shutil.copytree(act.action, folder / "action")
    shutil.copytree(app.repo.path, folder / "app", symlinks=True)
    (folder / "cache").mkdir()
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    theirs = replace(act, action=folder / "action", home=folder / "home", cache=folder / "cache")
    return theirs, replace(app, repo=GitRepo(folder / "app"))


def test_a_user_who_may_not_use_the_socket_is_told_so(
    act_on_machine: Act, machine_only: Sandbox, tmp_path: Path, open_folder: Path
) -> None:
    """Breaks when `_remedy` in engine/client.py no longer tells a missing right from a missing socket."""
    if os.geteuid() != 0:
        pytest.skip("only root can run act as another user")
    act, app = give_to_nobody(act_on_machine, python_application(tmp_path / "app", machine_only), open_folder)
    workflow = write_workflow(open_folder / "w.yml", on="push", jobs={"gate": gate_job(app)})
    _, *arguments = act.command(workflow, event_name="push", event={}, env={})
    as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", str(open_folder / "act")]

    done = subprocess.run(
        [*as_nobody, *arguments], cwd=app.repo.path, env=act.environment(), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=170, check=False,
    )  # fmt: skip

    run = ActRun(status=done.returncode, log=done.stdout, needs=read_needs(done.stdout))
    assert seen(run) == {"gate": ("closed", "error")}, run.log
    assert "Permission denied" in run.outputs("gate")["reason"], json.dumps(run.needs)
    assert "group `docker`" in run.outputs("gate")["reason"]
    assert_told_once(run, "gate")
