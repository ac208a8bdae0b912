"""What CI runs: `.ci/run` what the README says, and each `make test-…` in a workflow of its own."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TARGETS = re.findall(r"^(test(?:-[a-z]+)*): .*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
COMMANDS = {
    path.name: re.findall(r"^ +- run: make ([a-z-]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    for path in (ROOT / ".gitea/workflows").glob("*.yml")
}


@pytest.mark.parametrize("target", TARGETS)
def test_each_set_of_tests_has_a_workflow_and_is_explained(target: str) -> None:
    """Fails when a set of tests is added that nobody runs, or that CONTRIBUTING does not tell from the others."""
    assert [name for name, commands in COMMANDS.items() if target in commands]
    assert f"\nmake {target} " in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_ci_runs_lint_and_the_test_command_that_the_readme_gives() -> None:
    """Fails when `.ci/run` runs less than a reader of the README is told to, or another set."""
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert "\nmake test   # " in (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^make ([a-z-]+)", script, re.MULTILINE) == ["lint", "test"]
    assert COMMANDS["ci.yml"] == ["lint", "test"]
