"""`make lint` reports what it is there for: a finding is planted in a copy, and each tool must see it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.engines import ROOT
from tests.support.git import GitRepo, run_git

LINTED = (
    "action.yml",
    "promote",
    "commit-status",
    "src",
    "scripts",
    "requirements",
    "pyproject.toml",
    ".gitea",
    ".github",
    "docs",
    "demo",
    "benchmarks",
    ".env.example",
)
INJECTION = '\n    - shell: sh\n      run: echo "${{ inputs.service }}"\n'


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what is linted, with this checkout's tools."""
    for name in LINTED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy2(source, tmp_path / name)
    (tmp_path / "tests").mkdir()
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    return tmp_path


def lint(folder: Path, *tools: str) -> dict[str, str]:
    """What each of these tools of `make lint` printed, by its command line."""
    done = subprocess.run(
        ["bash", "scripts/lint.sh", *tools], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    parts = re.split(r"^== (.*)$", done.stdout, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True)) | {"findings by": done.stderr}


def test_an_expression_in_an_action_s_script_is_reported(copy: Path) -> None:
    action = copy / "action.yml"
    action.write_text(action.read_text().rstrip() + INJECTION)

    printed = lint(copy, "zizmor")

    (zizmor,) = (text for tool, text in printed.items() if tool.startswith("zizmor"))
    assert "error[template-injection]" in zizmor
    assert "zizmor" in printed["findings by"]


def test_an_expression_in_a_workflow_s_script_is_reported(copy: Path) -> None:
    """The folder's name begins with a dot, which hides it from a tool that is given a folder."""
    (workflow := copy / ".gitea/workflows/planted.yml").parent.mkdir(parents=True, exist_ok=True)
    steps = "[{run: 'echo ${{ github.event.pull_request.title }}'}]"
    workflow.write_text(f"on: pull_request\njobs: {{a: {{runs-on: x, steps: {steps}}}}}\n")

    printed = lint(copy, "zizmor")

    (zizmor,) = (text for tool, text in printed.items() if tool.startswith("zizmor"))
    assert re.search(r"error\[template-injection\].*?planted\.yml", zizmor, flags=re.DOTALL)


def test_a_key_that_no_action_has_is_reported(copy: Path) -> None:
    action = copy / "promote/action.yml"
    action.write_text(action.read_text() + "surprise: yes\n")

    assert "check-jsonschema" in lint(copy, "check-jsonschema")["findings by"]


UPWARDS = (
    ("core", "docker"),
    ("core", "time"),
    ("core", "freshness.engine"),
    ("ci", "pygit2"),
    ("settings", "freshness.process"),
    ("engine", "freshness.git"),
    ("engine", "freshness.promotion"),
    ("git", "freshness.engine"),
    ("report", "freshness.gate"),
    ("gate", "freshness.promotion"),
    ("board", "freshness.settings"),
)
"""Rooms, and what each must not import."""


def test_a_room_that_touches_what_is_not_its_own_is_reported(copy: Path) -> None:
    for number, (room, module) in enumerate(UPWARDS):
        (copy / f"src/freshness/{room}/planted_{number}.py").write_text(f'"""Planted."""\n\nimport {module}\n')

    printed = lint(copy, "lint-imports")

    found = set(re.findall(r"freshness\.(\w+)\.planted_\d+ -> ([\w.]+)", printed["lint-imports --no-logo"]))
    assert found >= set(UPWARDS)
    assert "lint-imports" in printed["findings by"]


def test_every_action_and_workflow_of_the_repository_is_linted_by_name(copy: Path) -> None:
    files = [ROOT / name for name in run_git(ROOT, "ls-files", "*.yml", "*.yaml").splitlines()]
    expected = {path for path in files if re.search(r"^(jobs|runs):", path.read_text(), flags=re.MULTILINE)}

    for tool in ("zizmor", "check-jsonschema"):
        named = {word for command in lint(copy, tool) if command.startswith(tool) for word in command.split()}
        assert expected <= {ROOT / word for word in named}


def test_a_module_that_lies_loose_beside_the_rooms_is_reported(copy: Path) -> None:
    (copy / "src/freshness/planted.py").write_text('"""Planted."""\n')

    printed = lint(copy, "lint-imports")

    assert "freshness.planted" in printed["lint-imports --no-logo"]
    assert "lint-imports" in printed["findings by"]


def test_code_that_a_tests_docstring_names_and_that_is_gone_is_reported(copy: Path) -> None:
    """A comment or a docstring that still speaks of it does not bring it back."""
    (copy / "src/freshness/core/planted.py").write_text('"""Planted: `_gone`."""\n\nhere = 1  # _gone\n')
    test = 'def test_it():\n    """Fails when `_gone` or `here` does nothing."""\n'
    (copy / "tests/test_planted.py").write_text(test)

    printed = lint(copy, "python")

    said = printed["python scripts/check_docstrings.py"].strip()
    assert said == "tests/test_planted.py:1: `_gone` is nowhere in the code"
    assert "python" in printed["findings by"]


def test_a_function_that_is_longer_than_a_screen_is_reported(copy: Path) -> None:
    lines = "".join(f"    print({number})\n" for number in range(40))
    (copy / "src/freshness/core/planted.py").write_text(f'"""Planted."""\n\n\ndef planted() -> None:\n{lines}')

    said = lint(copy, "python")["python scripts/check_sizes.py"].strip()

    assert said == "src/freshness/core/planted.py:4: planted has 41 lines; expected at most 40"


def committed(path: Path, subject: str) -> Path:
    """A shallow history's like: of one commit, whose subject is looked at, whatever came before the rule."""
    repo = GitRepo.init(path)
    repo.commit({"scripts/lint.sh": (ROOT / "scripts/lint.sh").read_text()}, subject)
    return repo.path


def test_a_commits_subject_that_is_too_long_is_reported(tmp_path: Path) -> None:
    assert "commit_subjects" in lint(committed(tmp_path / "repo", "x" * 73), "commit_subjects")["findings by"]


def test_a_commits_subject_that_just_fits_is_fine(tmp_path: Path) -> None:
    assert lint(committed(tmp_path / "repo", "ä" * 72), "commit_subjects")["findings by"] == ""
