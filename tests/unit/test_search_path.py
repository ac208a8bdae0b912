"""Programs are taken from absolute folders outside the workspace."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from freshness.process.search_path import with_safe_path

ROOT = Path(__file__).parents[2]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, as a step has it."""
    folder = tmp_path / "workspace"
    (folder / "bin").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def planted(folder: Path, name: str) -> Path:
    """A program that leaves a trace."""
    program = folder / name
    program.write_text(f"#!/bin/sh\ntouch {folder / 'was-started'}\nexit 1\n")
    program.chmod(0o755)
    return folder / "was-started"


def test_neither_relative_nor_empty_entries_nor_the_workspace_count(workspace: Path, tmp_path: Path) -> None:
    """Fails when one of these stays on the PATH of what we start."""
    (tmp_path / "link").symlink_to(workspace / "bin")
    entries = ("", ".", "bin", "./bin", "../workspace", str(workspace), f"{workspace}/bin", str(tmp_path / "link"))
    env = {"GITHUB_WORKSPACE": str(workspace), "PATH": os.pathsep.join((*entries, "/usr/bin", str(tmp_path)))}

    assert with_safe_path(env)["PATH"] == f"/usr/bin:{tmp_path}"
    assert with_safe_path({**env, "PATH": "bin"})["PATH"] == os.defpath, "an empty PATH would mean the workspace"
    assert "PATH" not in with_safe_path({})


def test_on_a_command_line_the_work_tree_is_the_workspace(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails when only a runner's variable names it."""
    env = {"PATH": f"{workspace}/bin:/usr/bin"}
    assert with_safe_path(env) == env, "no Git work tree: nobody's commit"

    (workspace / ".git").mkdir()
    (workspace / "sub").mkdir()
    monkeypatch.chdir(workspace / "sub")
    assert with_safe_path(env)["PATH"] == "/usr/bin"


@pytest.mark.parametrize("path", ["", "bin", "{0}/bin"])
def test_no_command_starts_a_program_of_the_workspace(workspace: Path, path: str) -> None:
    """Fails when cli.py hands on the environment as it is: ssh is what the first call to the Engine starts."""
    traces = [planted(workspace / "bin", "ssh"), planted(workspace, "ssh")]
    (workspace / "compose.yaml").write_text("services: {app: {image: a}, app-staging: {image: b}}")
    env = {
        "HOME": str(workspace.parent), "GITHUB_WORKSPACE": str(workspace), "DOCKER_HOST": "ssh://nobody@127.0.0.1:1",
        "PATH": f"{path.format(workspace)}:/usr/bin:/bin",
    }  # fmt: skip

    ended = subprocess.run(
        [sys.executable, "-I", str(ROOT / "src"), "verify", "image", "--revision", "a" * 40],
        env=env, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert ended.returncode == 3, ended.stderr
    assert [trace for trace in traces if trace.exists()] == []


@pytest.mark.parametrize("path", ["", "bin", "{0}/bin"])
def test_the_installation_starts_no_python_of_the_workspace(workspace: Path, path: str) -> None:
    """Fails when install.sh looks for Python on the PATH as it is. It ends at the story, which is unknown, or later."""
    traces = [planted(workspace / name, program) for name in ("", "bin") for program in ("dirname", "python3")]
    env = {"GITHUB_WORKSPACE": str(workspace), "PATH": f"{path.format(workspace)}:/usr/bin:/bin"}
    temp = workspace.parent / "closed"
    temp.mkdir(mode=0o500)

    subprocess.run(
        ["sh", str(ROOT / "install.sh"), "gate"],
        env={**env, "RUNNER_TOOL_CACHE": "/dev/null/none", "RUNNER_TEMP": "/dev/null/none", "TMPDIR": "/dev/null/none"},
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip

    assert [trace for trace in traces if trace.exists()] == []
