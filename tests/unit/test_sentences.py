"""What the tool says can be read at once: no sentence that it writes has more than 160 characters."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engines import ROOT

LONGEST = 160
VALUE = "X" * 8  # stands for what is filled in
_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`])|\n")
_TYPED = re.compile(r"`[^`]*`")
_PATTERN = re.compile(r"[|\\][^ ]+[|\\]")  # a regular expression says nothing to anybody
FILES = sorted((ROOT / "src/freshness").rglob("*.py"))


def sentences(path: Path) -> Iterator[tuple[int, str]]:
    """The line and the text of each sentence in the file's strings, but for docstrings and commands to type."""
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        text = text_of(node)
        if text is None:
            waiting += [one for one in ast.iter_child_nodes(node) if not is_docstring(one)]
            continue
        line = getattr(node, "lineno", 0)
        yield from ((line, one) for one in _END.split(_TYPED.sub(VALUE, text)) if not _PATTERN.search(one))


def text_of(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else VALUE for one in node.values)
    return None


def is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and text_of(node.value) is not None


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT / "src/freshness")))
def test_no_sentence_is_longer_than_a_person_reads_at_once(path: Path) -> None:
    """Fails for a sentence that says what was got, what was expected and what to do at once: make it two."""
    assert [found for found in sentences(path) if len(found[1]) > LONGEST] == []


def test_a_long_sentence_is_found(tmp_path: Path) -> None:
    path = tmp_path / "one.py"
    path.write_text(
        f'"""{"a" * 200}"""\nraise Refused(f"{{x}} {"is long " * 20}.", "Do it. {"b" * 90}. C{"c" * 90}")\n'
    )

    assert [line for line, found in sentences(path) if len(found) > LONGEST] == [2]
