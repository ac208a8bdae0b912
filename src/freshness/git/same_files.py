"""Compares files that were read from the checkout with the same ones of the commit."""

import os
from collections.abc import Iterable
from pathlib import Path

from freshness.errors import Refused


def require_same_files(files: Iterable[Path], checkout: Path, tree: Path) -> int:
    """How many of them lie in the checkout, each byte for byte as in the exported `tree`. Raises Refused.

    What lies outside the checkout is the operator's, and no commit's.
    """
    roots = (checkout, Path(os.path.realpath(checkout)))
    count = 0
    for file in files:
        root = next((root for root in roots if file.is_relative_to(root)), None)
        if root is None:
            continue
        count += 1
        _require_same(file, file.relative_to(root), tree)
    return count


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
            f"Check that commit out, or commit the change; `git diff COMMIT -- {name}` shows it.",
        )
