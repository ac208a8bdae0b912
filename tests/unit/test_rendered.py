"""The actions, `.env.example` and the reference say what the tables say; planted drift is found."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from freshness.cli.main import commands
from freshness.settings.declaration import Setting
from freshness.settings.env_file import read_env_file
from freshness.settings.options import SettingsCommand, options
from freshness.settings.table import GATE, PROMOTE

ROOT = Path(__file__).parents[2]
SCHEMAS = ("docs/schema/freshness.json", "docs/schema/host.json")
STATUS = "commit-status/action.yml"
REFERENCE, EVENTS = "docs/reference.md", "docs/events.md"
FILES = ("action.yml", "promote/action.yml", STATUS, ".env.example", REFERENCE, EVENTS, *SCHEMAS)
PLANTED = {EVENTS: ("GITHUB_SHA", "HEAD"), STATUS: ("freshness/gate", "freshness/gat")}
PLANTED |= dict.fromkeys(SCHEMAS, ("properties", "property"))
"""What drift looks like there; in all others, another port of production."""


def render(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = ROOT / "scripts" / "render_settings.py"
    command = [sys.executable, str(script), "--root", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def tables(text: str) -> list[tuple[str, str]]:
    """What stands between the markers."""
    return re.findall(r"settings:(\w+).*?\n(.*?)/settings:\1", text, re.DOTALL)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_what_is_rendered_is_up_to_date() -> None:
    answer = render(ROOT, "--check")
    assert (answer.returncode, answer.stderr) == (0, "")


@pytest.mark.parametrize("name", FILES)
def test_planted_drift_is_found_and_mended(copy: Path, name: str) -> None:
    path = copy / name
    right = path.read_text(encoding="utf-8")
    path.write_text(right.replace(*PLANTED.get(name, ("8500", "8555"))), encoding="utf-8")
    answer = render(copy, "--check")
    assert answer.returncode == 1
    assert str(path) in answer.stderr
    assert render(copy).returncode == 0
    assert name in SCHEMAS or tables(right)
    assert tables(path.read_text(encoding="utf-8")) == tables(right)
    assert name not in SCHEMAS or path.read_text(encoding="utf-8") == right


def test_missing_markers_are_found(copy: Path) -> None:
    (copy / "action.yml").write_text("name: x\n", encoding="utf-8")
    assert "markers" in render(copy, "--check").stderr


@pytest.mark.parametrize(("name", "table"), [("action.yml", GATE), ("promote/action.yml", PROMOTE)])
def test_no_default_in_an_action_hides_that_an_input_is_empty(name: str, table: tuple[Setting, ...]) -> None:
    defaults = [
        line for line in (ROOT / name).read_text(encoding="utf-8").splitlines() if line.startswith("    default:")
    ]
    assert len(defaults) == sum(bool(setting.action_default) for setting in table)


def test_the_example_holds_every_variable_and_can_be_read(tmp_path: Path) -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    path = tmp_path / "env"
    path.write_text(text.replace("\n#", "\n").replace("\n ", "\n# "), encoding="utf-8")
    variables = read_env_file(path)
    assert variables.keys() >= {setting.variable for setting in GATE + PROMOTE}
    assert variables["TARGET_SERVICE"] == "orchestrator-staging"


@pytest.mark.parametrize(("name", "table"), [("gate", GATE), ("promote", PROMOTE)])
def test_every_input_is_an_option_but_what_ps_would_show(name: str, table: tuple[Setting, ...]) -> None:
    seen: dict[str, str | None] = {}

    @click.command(cls=SettingsCommand)
    @options(name)
    def command(**given: str | None) -> None:
        seen.update(given)

    shown = CliRunner().invoke(command, ["--port", "9000"])
    assert shown.exit_code == 0
    assert seen.keys() == {setting.field for setting in table if setting.name not in {"github-token", "compose-env"}}
    assert seen["port"] == "9000"
    assert {value for field, value in seen.items() if field != "port"} == {None}


def test_a_command_may_take_some_of_the_options() -> None:
    """Where they were asked for, among its own."""

    @click.command(cls=SettingsCommand)
    @click.argument("image")
    @options("gate", "port", "path")
    @click.option("--own")
    def command(**_: str | None) -> None:
        pass

    assert names_of(command) == names_of(command) == ["image", "port", "path", "own"]


def test_an_option_that_no_setting_has_is_a_defect() -> None:
    @click.command(cls=SettingsCommand)
    @options("gate", "unknown")
    def command(**_: str | None) -> None:
        pass

    with pytest.raises(LookupError, match="unknown"):
        names_of(command)


@pytest.mark.parametrize("name", sorted(commands.commands))
def test_each_command_has_the_options_that_it_asks_for(name: str) -> None:
    assert names_of(commands.commands[name])


def test_the_list_of_commands_reads_no_settings() -> None:
    """It is what a person waits for. Breaks where `options` makes them on import."""
    program = "import sys, freshness.cli.main; sys.exit('freshness.settings.model' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def names_of(command: click.Command) -> list[str | None]:
    return [one.name for one in command.get_params(click.Context(command)) if "--help" not in one.opts]
