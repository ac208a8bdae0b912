"""The way from a commit's id to its export, as the gate goes it."""

from pathlib import Path

from freshness.core.revision import Candidate, Revision
from freshness.git.checkout import open_repository
from freshness.git.export import Exported, export_tree
from freshness.git.find import find_revision
from tests.support.git import GitRepo


def name_commit(commit: str, number: int | None = None) -> Candidate:
    return Candidate(commit=commit, source="event.after", event="push", note="The pushed commit.", number=number)


def find(repo: GitRepo, commit: str) -> Revision:
    return find_revision(open_repository(repo.path), name_commit(commit), None)


def export(repo: GitRepo, commit: str, folder: Path, *, allow_incomplete: bool = False) -> Exported:
    revision = find(repo, commit)
    return export_tree(open_repository(repo.path), revision, folder, allow_incomplete=allow_incomplete)


def read_tree(folder: Path) -> dict[str, bytes]:
    """Path → content of every file below the folder; a link's content is its target."""
    return {
        str(path.relative_to(folder)): bytes(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }
