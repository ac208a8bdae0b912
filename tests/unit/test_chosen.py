"""tests/chosen.py is whole: each invariant is in it, each test exists, and no file of scenarios is forgotten."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.chosen import CHOSEN, NOT_CHOSEN, find_lost, is_chosen

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
INVARIANTS = {f"I{number}" for number in range(1, 14)}


@cache
def names_in(file: str) -> frozenset[str]:
    """The names of the tests in it, by its text: nothing is imported."""
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[:5] == "test_")


def chosen() -> list[tuple[str, str]]:
    """File and test of each line, without the case; the test is empty where the whole file is chosen."""
    parts = (line.partition("[")[0].partition("::") for lines in CHOSEN.values() for line in lines)
    return [(file, test) for file, _, test in parts]


def test_each_invariant_has_scenarios() -> None:
    assert {claim.partition(":")[0] for claim, lines in CHOSEN.items() if lines} >= INVARIANTS


def test_each_test_that_is_chosen_exists() -> None:
    """Fails when a scenario that CI runs at each push is renamed or removed, and its line here is not."""
    assert [one for one in chosen() if one[1] not in names_in(one[0]) | {""}] == []


def test_each_case_that_is_chosen_exists() -> None:
    """Fails when a case has another name: the workers of `make test` end then, and pytest-xdist does not say why."""
    words = [sys.executable, "-m", "pytest", "--chosen", "--collect-only", "-qq", "-p", "no:cacheprovider"]
    words += ["tests/scenarios", "tests/action"]
    collected = subprocess.run(words, check=False, cwd=ROOT, capture_output=True, text=True)
    assert collected.returncode == 0, collected.stdout[-500:] + collected.stderr


def test_each_file_of_scenarios_has_a_chosen_one_or_says_why_not() -> None:
    files = {
        f"{folder}/{path.name}" for folder in ("scenarios", "action") for path in TESTS.glob(f"{folder}/test_*.py")
    }
    with_one = {file for file, _ in chosen()}
    assert files == with_one | set(NOT_CHOSEN)
    assert not with_one & set(NOT_CHOSEN)
    assert all(NOT_CHOSEN.values())


@pytest.mark.parametrize(("case", "expected"), [("[9]", True), ("[2]", False)])
def test_a_case_in_brackets_chooses_that_case_alone(case: str, expected: bool) -> None:  # noqa: FBT001 -- a case
    assert is_chosen(f"scenarios/test_kills.py::test_killed_at_any_call_to_docker{case}") == expected


def test_a_name_without_a_case_chooses_all_of_its_cases() -> None:
    assert is_chosen("scenarios/test_promote_retag.py::test_without_recreation_only_the_tag_moves[private]")


def test_a_case_that_has_another_name_now_is_not_lost_in_silence() -> None:
    """Fails when `make test` runs one scenario less, and nobody is told."""
    test = "scenarios/test_kills.py::test_killed_at_any_call_to_docker"
    assert f"{test}[9]" in find_lost([f"{test}[SIGKILL]"])
    assert f"{test}[9]" not in find_lost([f"{test}[9]", "scenarios/test_lock.py::test_of_another_file"])


def test_make_names_files_of_tests_that_are_there() -> None:
    """Fails where a file of tests gets another name, and a target of the Makefile keeps the old one."""
    targets = re.findall(r"^(test[\w-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    printed = subprocess.run(["make", "--dry-run", *targets], cwd=ROOT, capture_output=True, text=True, check=True)
    named = set(re.findall(r"\btests/[\w/.]+", printed.stdout))

    assert len(named) > 20
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []
