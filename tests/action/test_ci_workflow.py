"""Our own ci.yml gates and promotes this repository with this version of the actions, `./` and `./promote`."""

import shutil
from pathlib import Path

import pytest

from tests.support.act import Act
from tests.support.engines import ROOT, Sandbox, free_port
from tests.support.git import GitRepo, run_git


def this_version(path: Path) -> GitRepo:
    """A repository with one commit that holds every tracked file as it is here and now."""
    repo = GitRepo.init(path)
    for name in filter(None, run_git(ROOT, "ls-files", "-z").split("\0")):
        if (ROOT / name).is_file():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, path / name, follow_symlinks=False)
    repo.commit({})
    return repo


@pytest.mark.timeout(400)  # the board's image, where nothing of it is cached
def test_ci_gates_and_promotes_this_version(act_on_machine: Act, machine_only: Sandbox, tmp_path: Path) -> None:
    """In names and on ports of its own. Breaks when promote/action.yml no longer finds `../install.sh`."""
    repo = this_version(tmp_path / "app")
    workflow = tmp_path / "ci.yml"
    text = (ROOT / ".gitea/workflows/ci.yml").read_text()
    ours = {"freshness-ci": machine_only.name, "18501": free_port(), "18500": free_port()}
    for theirs, own in ours.items():
        assert theirs in text
        text = text.replace(theirs, str(own))
    workflow.write_text(text)

    run = act_on_machine.run(workflow, repo=repo.path, job="actions", timeout=390)

    assert run.status == 0, run.log
    for step in ("Gate", "Promote", "The gated revision answers", "Take it down"):
        assert f"Success - Main {step} [" in run.log
    assert f"revision={repo.head()}" in run.log
    assert machine_only.cli("ps", "--all", "--quiet", "--filter", f"name={machine_only.name}") == ""
