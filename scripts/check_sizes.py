"""Finds functions of the package that are longer than a screen, and says where files have grown too long altogether."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
FUNCTION = 40
"""So many lines a function may have."""
FILE = 100
"""So many lines the median file may have."""


def main() -> int:
    paths = sorted(ROOT.glob("src/**/*.py"))
    found = [line for path in paths for line in too_long(path)]
    typical = median(len(path.read_text(encoding="utf-8").splitlines()) for path in paths)
    if typical > FILE:
        found.append(f"src: the median file has {typical:g} lines; expected at most {FILE}")
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


def too_long(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and (lines := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION:
            where = f"{path.relative_to(ROOT)}:{node.lineno}"
            yield f"{where}: {node.name} has {lines} lines; expected at most {FUNCTION}"


if __name__ == "__main__":
    sys.exit(main())
