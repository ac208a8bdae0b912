"""Writes the files that are not there yet, and says for which forge and from which commit of ours."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import freshness
from freshness.core.scaffold.files import ForgeKind
from freshness.core.scaffold.workflow import PLACEHOLDER
from freshness.errors import FreshnessError
from freshness.git.named import find_named
from freshness.git.work_tree import WorkTree


def write_new(folder: Path, files: Mapping[str, str]) -> tuple[str, ...]:
    """The paths that were written: what is there, be it a link that leads nowhere, is left alone. Raises OSError."""
    written = []
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            continue
        written.append(name)
    return tuple(written)


def find_forge(folder: Path) -> ForgeKind:
    """By the clone's remote, else by the folder of workflows that is there; Gitea reads GitHub's too."""
    remote = WorkTree.around(folder / "freshness.toml", None).remote()
    host = urlsplit(remote).hostname or remote.partition("@")[2].partition(":")[0]
    if host == "github.com":
        return ForgeKind.GITHUB
    has_github = (folder / ".github/workflows").is_dir() and not (folder / ".gitea").is_dir()
    return ForgeKind.GITHUB if has_github and not host else ForgeKind.GITEA


def own_commit() -> str:
    """The commit of the clone that this program runs from; where it was installed otherwise, words to fill in."""
    root = Path(freshness.__file__).resolve().parents[2]
    if not (root / "action.yml").is_file():
        return PLACEHOLDER
    try:
        return find_named(root, "HEAD")[0]
    except FreshnessError:
        return PLACEHOLDER
