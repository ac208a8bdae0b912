"""Docker's plugins are found where the Docker command line finds them, and nowhere else."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from freshness.engine import plugin
from freshness.engine.plugin import find_plugin
from freshness.errors import EngineError

Env = dict[str, str]


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Env:
    """A home without plugins, a machine without plugins, and `docker` on the PATH."""
    monkeypatch.setattr(plugin, "SYSTEM_FOLDERS", (str(tmp_path / "system"),))
    install(tmp_path / "bin", "docker")
    return {"HOME": str(tmp_path / "home"), "PATH": str(tmp_path / "bin")}


def install(folder: Path, name: str, mode: int = 0o755) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text("#!/bin/sh\n")
    program.chmod(mode)
    return str(program)


def test_a_plugin_of_the_user_comes_before_the_machines(env: Env, tmp_path: Path) -> None:
    system = install(tmp_path / "system", "docker-buildx")
    assert find_plugin("buildx", env) == system

    own = install(tmp_path / "home/.docker/cli-plugins", "docker-buildx")
    assert find_plugin("buildx", env) == own


def test_dockers_own_variable_names_the_folder(env: Env, tmp_path: Path) -> None:
    """Breaks when DOCKER_CONFIG is not honoured."""
    install(tmp_path / "home/.docker/cli-plugins", "docker-compose")
    configured = install(tmp_path / "elsewhere/cli-plugins", "docker-compose")

    assert find_plugin("compose", {**env, "DOCKER_CONFIG": str(tmp_path / "elsewhere")}) == configured


def test_folders_of_dockers_configuration_are_looked_into(env: Env, tmp_path: Path) -> None:
    extra = install(tmp_path / "extra", "docker-compose")
    (tmp_path / "home/.docker").mkdir(parents=True)
    (tmp_path / "home/.docker/config.json").write_text(json.dumps({"cliPluginsExtraDirs": [str(tmp_path / "extra")]}))

    assert find_plugin("compose", env) == extra


@pytest.mark.parametrize("content", ["{", "[]", "null", '{"cliPluginsExtraDirs": [3, null]}', "\0"])
def test_a_damaged_configuration_hides_nothing(content: str, env: Env, tmp_path: Path) -> None:
    system = install(tmp_path / "system", "docker-compose")
    (tmp_path / "home/.docker").mkdir(parents=True)
    (tmp_path / "home/.docker/config.json").write_text(content)

    assert find_plugin("compose", env) == system


@pytest.mark.parametrize(
    ("name", "package"), [("buildx", "docker-buildx-plugin"), ("compose", "docker-compose-plugin")]
)
def test_a_missing_plugin_is_an_error_that_names_its_package(name: str, package: str, env: Env) -> None:
    with pytest.raises(EngineError, match=f"plugin `{name}` is not installed") as raised:
        find_plugin(name, env)

    assert package in raised.value.remedy


def test_a_plugin_that_cannot_be_started_is_none(env: Env, tmp_path: Path) -> None:
    """Breaks when it is enough that the file exists."""
    install(tmp_path / "system", "docker-buildx", 0o644)

    with pytest.raises(EngineError):
        find_plugin("buildx", env)


@pytest.mark.parametrize("path", ["", "/nonexistent"])
def test_a_missing_docker_command_is_an_error(path: str, env: Env, tmp_path: Path) -> None:
    install(tmp_path / "system", "docker-buildx")

    with pytest.raises(EngineError, match="not on the PATH"):
        find_plugin("buildx", {**env, "PATH": path})


def in_dockers_own_variable(env: Env, workspace: Path) -> Env:
    install(workspace / ".docker/cli-plugins", "docker-buildx")
    return {**env, "DOCKER_CONFIG": str(workspace / ".docker")}


def in_a_relative_folder(env: Env, workspace: Path) -> Env:
    install(workspace / ".docker/cli-plugins", "docker-buildx")
    return {**env, "DOCKER_CONFIG": ".docker"}


def in_a_folder_of_the_configuration(env: Env, workspace: Path) -> Env:
    install(workspace / "extra", "docker-buildx")
    home = Path(env["HOME"], ".docker")
    home.mkdir(parents=True)
    (home / "config.json").write_text(json.dumps({"cliPluginsExtraDirs": ["extra", str(workspace / "extra")]}))
    return env


def behind_a_link(env: Env, workspace: Path) -> Env:
    install(workspace / "plugins", "docker-buildx")
    plugins = Path(env["HOME"], ".docker/cli-plugins")
    plugins.parent.mkdir(parents=True)
    plugins.symlink_to(workspace / "plugins")
    return env


@pytest.mark.parametrize(
    "planted", [in_dockers_own_variable, in_a_relative_folder, in_a_folder_of_the_configuration, behind_a_link]
)
def test_a_plugin_in_the_workspace_is_never_started(
    planted: Callable[[Env, Path], Env], env: Env, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails when `find_plugin` does not ask where the program lies: the commit's author writes there."""
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    monkeypatch.chdir(workspace)
    env = {**planted(env, workspace), "GITHUB_WORKSPACE": str(workspace)}

    with pytest.raises(EngineError, match="which lies in the workspace"):
        find_plugin("buildx", env)
    system = install(tmp_path / "system", "docker-buildx")
    assert find_plugin("buildx", env) == system
