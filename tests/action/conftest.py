"""Act, on this machine and in job containers, with a copy of the action that all tests share."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.act import Act, JobContainers, copy_action
from tests.support.engines import ROOT, Sandbox


@pytest.fixture(scope="session")
def action(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a release holds. A test that breaks a line takes a copy of its own, see `copy_action`."""
    return copy_action(tmp_path_factory.mktemp("released") / "action")


@pytest.fixture(scope="session")
def act_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where act keeps things, and so the runner's tool cache, with the dependencies in it.

    They are installed here: jobs beside the private Engine have no way to a package index.
    """
    cache = tmp_path_factory.mktemp("act-cache")
    tools = cache / "act/tool_cache"
    tools.mkdir(parents=True)
    subprocess.run(
        ["sh", str(ROOT / "install.sh"), "gate", "--help"],
        env={**os.environ, "RUNNER_TOOL_CACHE": str(tools)},
        capture_output=True,
        check=True,
    )
    return cache


@pytest.fixture
def act(engine: Sandbox, action: Path, act_cache: Path, isolated: Path) -> Act:
    """Jobs on this machine, once for each Engine. Take `engine` beside it for the sandbox."""
    return Act(action=action, home=isolated, cache=act_cache)


@pytest.fixture
def act_on_machine(machine_only: Sandbox, action: Path, act_cache: Path, isolated: Path) -> Act:
    """As `act`, for what does not depend on the image store; its sandbox is `machine_only`."""
    return Act(action=action, home=isolated, cache=act_cache)


@pytest.fixture
def act_in_containers(machine_only: Sandbox, action: Path, act_cache: Path, isolated: Path, tmp_path: Path) -> Act:
    """Jobs in containers on a network of their own; the sandbox is `machine_only`."""
    containers = JobContainers.prepare(machine_only, tmp_path / "job-image")
    return Act(action=action, home=isolated, cache=act_cache, containers=containers)
