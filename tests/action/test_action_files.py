"""What no run of an action shows: nothing is pasted into its shell, and each output that it writes is declared."""

import ast
import re
from pathlib import Path

import pytest

from freshness.ci.outputs import GATE_OUTPUTS, PROMOTE_OUTPUTS
from tests.support.engines import ROOT

FILES = {"gate": ROOT / "action.yml", "promote": ROOT / "promote/action.yml"}
DECLARED = {"gate": set(GATE_OUTPUTS), "outcome": set(PROMOTE_OUTPUTS)}
both = pytest.mark.parametrize("path", FILES.values(), ids=list(FILES))


def steps(path: Path) -> list[str]:
    """The text of each step of a composite action."""
    _, _, runs = path.read_text().partition("\nruns:\n")
    text = re.sub(r"^ *#.*\n", "", runs, flags=re.MULTILINE)
    return re.split(r"^    - ", text, flags=re.MULTILINE)[1:]


@both
def test_each_step_is_one_constant_line_of_a_named_shell(path: Path) -> None:
    for step in steps(path):
        (line,) = re.findall(r"^ *run: (.*)$", step, re.MULTILINE)
        assert "${{" not in line
        assert line[0] not in "|>"
        assert re.findall(r"^ *shell: (.*)$", step, re.MULTILINE) == ["sh"]
        assert "uses:" not in step


@both
def test_only_the_first_step_writes_outputs_and_is_what_the_runner_signals(path: Path) -> None:
    first, last = steps(path)
    assert re.search(r"^ *run: exec sh ", first, re.MULTILINE)
    assert re.search(r"^ *id: ", first, re.MULTILINE)
    assert 'run: ":"' in last
    assert "if: ${{ always() }}" in last
    assert "id:" not in last


@pytest.mark.parametrize("story", FILES)
def test_each_output_is_declared_and_comes_from_the_step_that_writes(story: str) -> None:
    text = FILES[story].read_text()
    (step,) = re.findall(r"^ *id: (\w+)$", text, re.MULTILINE)
    declared = dict(re.findall(r"^  ([-\w]+):\n    description: .*\n    value: \$\{\{ (.*) \}\}$", text, re.MULTILINE))
    assert declared == {name: f"steps.{step}.outputs.{name}" for name in DECLARED[decisive(story)]}


def decisive(story: str) -> str:
    return {"gate": "gate", "promote": "outcome"}[story]


@pytest.mark.parametrize("story", FILES)
def test_the_code_writes_no_output_that_is_not_declared(story: str) -> None:
    """GitHub drops those, and act hands them on: a workflow that uses one works in tests only."""
    tree, name = ast.parse((ROOT / f"src/freshness/cli/{story}.py").read_text()), decisive(story)
    written = [keys for keys in map(literal_keys, ast.walk(tree)) if name in keys]
    assert written
    assert set().union(*written) <= DECLARED[name]
    assert {"reason", "report-path"} <= DECLARED[name], "Publisher.tell adds them"


def literal_keys(node: ast.AST) -> set[str]:
    """The keys of a dict that the code writes out."""
    if not isinstance(node, ast.Dict):
        return set()
    return {key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}


def test_the_installer_writes_no_output_that_is_not_declared() -> None:
    written = set(
        re.findall(r'["\s;](\w+)=[^"\s]*"? *(?:"\$closed" *)?>>"\$GITHUB_OUTPUT"', (ROOT / "install.sh").read_text())
    )
    assert written == {"verdict", "reason"}
    assert written <= DECLARED["gate"]
    assert written - {"verdict"} <= DECLARED["outcome"]
