"""The command `export`: writes the commit's tree to a folder, as the gate builds it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from freshness.git.checkout import open_repository
from freshness.git.export import export_tree
from freshness.git.find import find_revision
from freshness.git.resolve_commit import forge_address, resolve_candidate
from freshness.settings.model import Incomplete
from freshness.settings.read import read_gate

Texts = Mapping[str, str]


def export_commit(folder: Path, given: Mapping[str, str | None], env: Texts, env_file: Texts) -> dict[str, Any]:
    """Writes the commit's tree to the folder and says what was written, in one line too (`reason`)."""
    settings = read_gate(given, env, env_file)
    address = forge_address(settings, env)
    repository = open_repository(settings.source.folder)
    candidate, _ = resolve_candidate(
        env, revision=settings.revision, pr=settings.head.pr, recheck_head=False, address=address, checkout=repository
    )
    revision = find_revision(repository, candidate, address)
    exported = export_tree(repository, revision, folder, allow_incomplete=settings.build.incomplete is Incomplete.ALLOW)
    return {
        "revision": revision.commit,
        "tree": revision.tree,
        "folder": str(folder),
        "files": exported.files,
        "bytes": exported.size,
        "reason": f"{revision.commit}: {exported.files} files, {exported.size} bytes in {folder}.",
    }
