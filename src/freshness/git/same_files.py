"""Compares files that were read from the checkout with the same ones of the commit."""

import os
from collections.abc import Iterable
from pathlib import Path

from freshness.errors import Refused


def require_same_files(files: Iterable[Path], checkout: Path, tree: Path) -> int:
    """How many of them lie in the checkout, each byte for byte as in the exported `tree`. Raises Refused.

    What lies outside the checkout is the operator's, and no commit's.
    """
    named = ((file, name_within(checkout, file)) for file in files)
    inside = [(file, name) for file, name in named if name is not None]
    for file, name in inside:
        _require_same(file, name, tree)
    return len(inside)


def name_within(checkout: Path, file: Path) -> Path | None:
    """The file's path in the checkout, by its name or by where it leads; None where it lies outside by both.

    A file that another one extends has its `..` still in it.
    """
    real = Path(os.path.realpath(checkout))
    for place in (Path(os.path.normpath(file)), Path(os.path.realpath(file))):
        for root in (checkout, real):
            if place.is_relative_to(root):
                return place.relative_to(root)
    return None


def _require_same(file: Path, name: Path, tree: Path) -> None:
    twin = tree / name
    if not twin.resolve().is_relative_to(tree.resolve()) or not twin.is_file():
        raise Refused(
            f"The Compose file {name} is not in the commit, and it says how the image is built.",
            "Commit it; or keep it outside the checkout, and name it in `compose-file`.",
        )
    if twin.read_bytes() != file.read_bytes():
        raise Refused(
            f"The Compose file {name} differs from the commit's, and it says how the image is built.",
            f"Check that commit out, or commit the change; `git diff COMMIT -- {name}` shows it. Where that is empty,"
            f" Git writes other ends of lines here: commit `{name} -text` in .gitattributes.",
        )
