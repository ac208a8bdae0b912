"""Finds code that a test's docstring names in backticks and that is nowhere: a claim that nobody can try any more."""

import ast
import keyword
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CODE = (
    "src/**/*.py",
    "install.sh",
    "action.yml",
    "promote/action.yml",
    "commit-status/action.yml",
    "scripts/*",
    "demo/*.py",
    "tests/support/**/*.py",
    ".gitea/workflows/*.yml",
)
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
NAMED = re.compile(r"`([A-Za-z_][\w.]*)(?:\(\))?`")


def main() -> int:
    known = set(keyword.kwlist) | {word for pattern in CODE for path in ROOT.glob(pattern) for word in words_of(path)}
    gone = [
        f"{path.relative_to(ROOT)}:{line}: `{name}` is nowhere in the code"
        for path in sorted(ROOT.glob("tests/**/test_*.py"))
        for line, name in named_in(path)
        if not known.issuperset(WORD.findall(name))
    ]
    print("\n".join(gone), end="\n" if gone else "")
    return 1 if gone else 0


def words_of(path: Path) -> Iterator[str]:
    """The words of a file's code; a comment or a docstring does not bring back what is gone."""
    if path.suffix == ".py":
        yield from words_of_python(ast.parse(path.read_text(encoding="utf-8")))
    elif path.is_file():
        yield from WORD.findall(path.read_text(encoding="utf-8"))


def words_of_python(tree: ast.Module) -> Iterator[str]:
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name) | ast.Name(id=name):
                yield name
            case ast.Attribute(attr=name) | ast.keyword(arg=str(name)) | ast.alias(name=name):
                yield from WORD.findall(name)
            case ast.Constant(value=str(text)) if id(node) not in prose:
                yield from WORD.findall(text)


def named_in(path: Path) -> Iterator[tuple[int, str]]:
    """Line and name of what the docstrings of the file's tests have in backticks and may be code."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and (text := ast.get_docstring(node)):
            yield from ((node.lineno, found[1]) for found in NAMED.finditer(text))


if __name__ == "__main__":
    sys.exit(main())
