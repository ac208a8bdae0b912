"""docs/reliability.md is whole: each row names a scenario that exists, and each scenario about a fault has a row."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
HEADER = ["fault", "what happens", "what the user sees", "scenario"]
ABOUT_FAULTS = (
    "attacks*", "faults*", "kills*", "lock*", "remote*", "start_first*", "dry_run*", "recovery*",
    "gate_deaths*", "promote_interrupts*", "promote_way_back*",
)  # fmt: skip
NAMED = re.compile(r"`(tests/[\w./-]+\.py)::(test_\w+)`")


def rows() -> list[list[str]]:
    """The cells of each row of every table, without the tables' heads."""
    lines = [line for line in DOCUMENT.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return [row for row in cells if row not in (HEADER, ["---"] * len(HEADER))]


def named(row: list[str]) -> list[tuple[str, str]]:
    """File and function of each scenario that the row names."""
    return NAMED.findall(row[-1])


@cache
def functions_of(file: Path) -> frozenset[str]:
    """The names of the tests in it, by its text: nothing is imported."""
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[:5] == "test_")


def about_faults() -> Iterator[tuple[str, str]]:
    for pattern in ABOUT_FAULTS:
        for file in sorted((ROOT / "tests" / "scenarios").glob(f"test_{pattern}.py")):
            yield from ((str(file.relative_to(ROOT)), name) for name in sorted(functions_of(file)))


def test_each_row_is_whole_and_names_its_scenario() -> None:
    assert rows()
    assert [row for row in rows() if len(row) != len(HEADER) or not all(row)] == []
    assert [row for row in rows() if not named(row) or NAMED.sub("", row[-1]).strip(", ")] == []


def test_each_scenario_that_is_named_exists() -> None:
    assert [one for row in rows() for one in named(row) if one[1] not in functions_of(ROOT / one[0])] == []


def test_each_scenario_about_a_fault_has_a_row() -> None:
    listed = {one for row in rows() for one in named(row)}
    assert [one for one in about_faults() if one not in listed] == []


def test_no_row_is_there_twice() -> None:
    texts = [tuple(row[:3]) for row in rows()]
    scenarios = [tuple(named(row)) for row in rows()]
    assert [text for text in texts if texts.count(text) > 1] == []
    assert [scenario for scenario in scenarios if scenarios.count(scenario) > 1] == []
