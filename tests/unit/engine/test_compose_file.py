"""Which files Compose would read in a folder, where nothing names one and no `.env` speaks of Compose itself."""

import os
from pathlib import Path

import pytest

from freshness.core import secret
from freshness.engine.compose_file import NAMES, OVERRIDES, ComposeFile
from freshness.errors import SettingsError
from freshness.settings.read import read_gate


def found(workspace: Path, **env: str) -> ComposeFile:
    return ComposeFile.of(read_gate({}, {"GITHUB_REPOSITORY": "org/shop", **env}, cwd=workspace), {})


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("services: {}\n")


def names(file: ComposeFile) -> list[str]:
    return [path.name for path in file.paths]


def test_the_usual_file_and_the_override_beside_it_are_read_by_composes_own_order(tmp_path: Path) -> None:
    """Fails when `_usual_files` takes another order than Compose, or an override of the file's own family alone."""
    write(tmp_path, *NAMES, *OVERRIDES)
    seen = []
    for name in NAMES:
        seen.append(names(found(tmp_path))[0])
        (tmp_path / name).unlink()
    write(tmp_path, "docker-compose.yml")
    for name in OVERRIDES:
        assert names(found(tmp_path)) == ["docker-compose.yml", name]
        (tmp_path / name).unlink()

    assert seen == list(NAMES)
    assert names(found(tmp_path)) == ["docker-compose.yml"]


def test_a_file_that_is_named_is_read_alone(tmp_path: Path) -> None:
    """As `docker compose --file` has it. Fails when `find` looks for an override beside a file that was named."""
    write(tmp_path, "compose.yaml", "compose.override.yaml")

    assert names(found(tmp_path, COMPOSE_FILE="compose.yaml")) == ["compose.yaml"]


@pytest.mark.parametrize("text", ["deploy/a.yaml:b.yaml", "deploy/a.yaml\nb.yaml\n", "deploy/a.yaml : b.yaml"])
def test_several_files_are_read_in_their_order_from_the_first_ones_folder(text: str, tmp_path: Path) -> None:
    """Fails when `_split` loses one, or the project's folder is another than the first file's."""
    write(tmp_path, "deploy/a.yaml", "b.yaml", ".env", "deploy/.env")

    file = found(tmp_path, COMPOSE_FILE=text)

    assert file.paths == (tmp_path / "deploy/a.yaml", tmp_path / "b.yaml")
    assert (file.folder, file.env_files) == (tmp_path / "deploy", (tmp_path / "deploy/.env",))


def test_another_separator_is_composes_own_variable(tmp_path: Path) -> None:
    """Fails when `_separator` no longer reads COMPOSE_PATH_SEPARATOR."""
    write(tmp_path, "a.yaml", "b.yaml")

    assert names(found(tmp_path, COMPOSE_FILE="a.yaml;b.yaml", COMPOSE_PATH_SEPARATOR=";")) == ["a.yaml", "b.yaml"]


def test_the_project_directory_moves_what_is_relative_and_not_the_file(tmp_path: Path) -> None:
    """Fails when `find` takes the Compose file from `project-directory`, or `.env` from beside the file."""
    write(tmp_path, "checkout/compose.yaml", "checkout/.env", "host/.env", "host/compose.yaml")

    file = found(tmp_path / "checkout", PROJECT_DIRECTORY=str(tmp_path / "host"))

    assert file.paths == (tmp_path / "checkout/compose.yaml",)
    assert (file.folder, file.env_files) == (tmp_path / "host", (tmp_path / "host/.env",))


def test_env_files_that_are_named_stand_for_the_one_beside_the_file(tmp_path: Path) -> None:
    """As `docker compose --env-file` has it. Fails when `find` reads `.env` besides."""
    write(tmp_path, "compose.yaml", ".env", "a.env", "b.env")

    assert found(tmp_path, COMPOSE_ENV_FILES="a.env\nb.env").env_files == (tmp_path / "a.env", tmp_path / "b.env")


def test_where_no_env_file_is_none_is_looked_for(tmp_path: Path) -> None:
    write(tmp_path, "compose.yaml")

    assert found(tmp_path).words[-2:] == ["--env-file", "/dev/null"]


def test_each_file_has_to_be_there(tmp_path: Path) -> None:
    """Fails when `_require_files` looks at the first alone."""
    write(tmp_path, "a.yaml")

    with pytest.raises(SettingsError, match=r"no Compose file at .*/b\.yaml"):
        found(tmp_path, COMPOSE_FILE="a.yaml:b.yaml")
    with pytest.raises(SettingsError, match=r"no Compose file at .*/compose\.yaml"):
        found(tmp_path)


def test_the_name_may_stand_in_any_of_the_files(tmp_path: Path) -> None:
    """Fails when `_name` looks at the first file alone: the repository's name would win over the second's."""
    write(tmp_path, "a.yaml", "b.yaml")
    assert found(tmp_path, COMPOSE_FILE="a.yaml:b.yaml").project == "shop"

    (tmp_path / "b.yaml").write_text("name: other\nservices: {}\n")

    assert found(tmp_path, COMPOSE_FILE="a.yaml:b.yaml").project is None


def test_no_plugin_of_the_workspace_is_asked_what_an_env_file_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails when `ask` looks for Compose in what Compose inherits: it does not say where the workspace is."""
    write(tmp_path, "other.yaml")
    (tmp_path / ".env").write_text("COMPOSE_FILE=other.yaml\nWORD=one\n")
    planted, trace = tmp_path / ".docker/cli-plugins/docker-compose", tmp_path / "was-started"
    planted.parent.mkdir(parents=True)
    planted.write_text(f"#!/bin/sh\ntouch {trace}\nexit 1\n")
    planted.chmod(0o755)
    monkeypatch.chdir("/")
    job = {"FRESHNESS_ACTION": "true", "GITHUB_REPOSITORY": "org/shop", "GITHUB_WORKSPACE": str(tmp_path)}
    env = {**job, "PATH": os.environ["PATH"], "HOME": "/nonexistent", "DOCKER_CONFIG": str(tmp_path / ".docker")}

    file = ComposeFile.of(read_gate({}, env), env)

    assert file.only_inputs
    assert file.paths == (tmp_path / "other.yaml",)
    assert file.ask(["WORD"], env) == {"WORD": "one"}
    assert not trace.exists()


@pytest.mark.parametrize(
    "line",
    [
        "DB_PASSWORD=hunter2", "export DB_PASSWORD=hunter2 # the old one", "DB_PASSWORD: hunter2",
        "DB_PASSWORD='hunter2'", 'DB_PASSWORD="hunter2" # with a comment',
        'DB_PASSWORD="first line\nhunter2\nlast line"',
        "DB_PASSWORD='first line\nhunter2'", "DB_PASSWORD=hunter2\nDB_PASSWORD=another",
        "DSN=postgres://app:hunter2@db/shop",
    ],
)  # fmt: skip
def test_what_an_env_file_calls_a_secret_is_concealed(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before Compose reads anything and repeats it. Fails when `_ASSIGNMENT` no longer reads such a line."""
    monkeypatch.setattr(secret, "_known", set())
    write(tmp_path, "compose.yaml")
    (tmp_path / ".env").write_text(f"A=1\n{line}\nLOG_LEVEL=verbose\n")

    found(tmp_path)

    assert secret.redacted("invalid port: hunter2") == "invalid port: [REDACTED]"
    assert secret.redacted("verbose") == "verbose"
