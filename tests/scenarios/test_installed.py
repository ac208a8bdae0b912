"""As people install it: a wheel of this checkout, by pip as pipx does it, and by uv; then a shell's Tab."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.engines import ROOT

TOOLS = Path(sys.executable).parent
PACKAGE = ROOT / "src" / "freshness"


def run(*command: object, **environment: str) -> str:
    """What it printed. Fails where it did not end with 0, or had anything to complain about."""
    ended = subprocess.run(
        [str(word) for word in command],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = ("wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", folder)
    run(sys.executable, "-m", "pip", *build, ROOT)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command in a new environment of its own, with the newest of what it depends on."""
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", folder)
    run(folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", wheel)
    return folder / "bin" / "freshness"


def by_tab(command: Path, words: Sequence[str]) -> set[str]:
    """What bash offers at the last of the words, by the script that the command gave it."""
    ask = """
        eval "$(_FRESHNESS_COMPLETE=bash_source freshness)"
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        $(complete -p freshness | sed 's/.*-F \\([^ ]*\\) .*/\\1/') freshness
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    path = f"{command.parent}:{os.environ['PATH']}"
    return set(run("bash", "--norc", "-c", ask, "bash", *words, PATH=path).split())


def test_the_wheel_has_every_file_of_the_package(wheel: Path) -> None:
    """Fails under a build backend that takes Python files alone: the board reads its page and its style at run time."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    files = {path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert {name for name in names if name.startswith("freshness/")} == {
        str(path.relative_to(PACKAGE.parent)) for path in files
    }
    assert any(name.endswith("/LICENSE") for name in names)


def test_a_wheel_installs_as_pipx_does_it_and_works_from_any_folder(installed: Path, tmp_path: Path) -> None:
    """Fails when pyproject.toml does not name one of the packages that gate and promotion import."""
    home = {"HOME": str(tmp_path), "GITHUB_WORKSPACE": str(tmp_path)}
    assert run(installed, "--version", **home).startswith("freshness, version ")
    assert "--service" in run(installed, "gate", "--help", **home)
    heavy = "import freshness.board.page, freshness.gate.gate, freshness.promotion.promote"
    run(installed.parent / "python", "-I", "-c", heavy)


def test_a_wheel_installs_as_a_tool_of_uv(wheel: Path, tmp_path: Path) -> None:
    """Fails when pyproject.toml gives the command another name, or none."""
    folders = {f"UV_{name}": str(tmp_path / name) for name in ("TOOL_DIR", "TOOL_BIN_DIR", "CACHE_DIR")}
    run(TOOLS / "uv", "tool", "install", "--quiet", "--system-certs", "--python", sys.executable, wheel, **folders)
    assert run(tmp_path / "TOOL_BIN_DIR" / "freshness", "--version").startswith("freshness, version ")


def test_bash_completes_commands_and_options(installed: Path) -> None:
    """Fails when `_run` takes the end of Click's completion for a pipe that nobody reads: each Tab printed that."""
    assert {"gate", "promote", "rollback"} <= by_tab(installed, ["freshness", ""])
    assert by_tab(installed, ["freshness", "prom"]) == {"promote"}
    assert "--health-path" in by_tab(installed, ["freshness", "gate", "--health"])
