"""The commands that look at the commit: `resolve` says which one the gate would validate, `export` writes its tree."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from freshness.choice import Origin, checkout_at_hand, choose_commit, forge_address, insist_by_hand
from freshness.core.agreement import References
from freshness.core.fork import UNTOLD, refuse_fork
from freshness.core.revision import Candidate
from freshness.errors import Refused
from freshness.repository.checkout import open_repository
from freshness.repository.export import export_tree
from freshness.repository.find import find_revision
from freshness.settings.model import GateSettings, Incomplete
from freshness.settings.read import read_gate

Texts = Mapping[str, str]

FIELDS = ("revision", "tree", "source", "event", "number", "fork", "reason")


def resolve_commit(given: Mapping[str, Any], env: Texts, env_file: Texts) -> tuple[bool, str]:
    """Which commit the gate would validate: whether there is one, and the text to print (JSON where asked for).

    Offline no server is asked, so what only it knows is refused. Raises RepositoryError where it cannot be asked.
    """
    asked = {
        **env,
        **({"GITHUB_EVENT_PATH": str(given["event"])} if given["event"] else {}),
        **({"GITHUB_EVENT_NAME": given["event_name"]} if given["event_name"] else {}),
    }
    settings = read_gate({name: given[name] for name in ("revision", "pr", "path")}, asked, env_file)
    answer: dict[str, Any] = dict.fromkeys(FIELDS) | {"event": asked.get("GITHUB_EVENT_NAME") or None}
    try:
        answer |= _resolve(settings, asked, offline=given["offline"])
    except Refused as error:
        answer["reason"] = str(error)
    text = json.dumps(answer, indent=2) if given["as_json"] else answer["reason"]
    return answer["revision"] is not None, text


def _resolve(settings: GateSettings, env: Texts, *, offline: bool) -> dict[str, Any]:
    address = None if offline else forge_address(settings, env)
    repository = checkout_at_hand(settings)
    candidate, references = choose_commit(
        env,
        revision=settings.revision,
        pr=settings.pr,
        recheck_head=settings.recheck_head and not offline,
        address=address,
        checkout=repository,
    )
    tree = _look_up(Origin(repository=repository, address=address), candidate, references, env) if repository else None
    return {
        "revision": candidate.commit,
        "tree": tree,
        "source": candidate.source,
        "number": candidate.number,
        "fork": candidate.fork,
        "reason": candidate.note + _word_of_fork(settings, candidate),
    }


def _word_of_fork(settings: GateSettings, candidate: Candidate) -> str:
    if candidate.fork is None:
        return ""
    taken = "taken for a fork" if candidate.fork == UNTOLD else "a fork"
    try:
        refuse_fork(candidate, allowed=settings.allow_forks, allowed_with_secrets=settings.allow_forks_with_secrets)
    except Refused:
        return f" It comes from {candidate.fork}, {taken}, and the gate refuses it."
    return f" It comes from {candidate.fork}, {taken}, which the settings allow."


def _look_up(origin: Origin, candidate: Candidate, references: References | None, env: Texts) -> str | None:
    """The commit's tree; None where no server is known to fetch a commit from that is not here."""
    if candidate.by_hand:
        insist_by_hand(origin, candidate, references, env)
    if origin.address is None and candidate.commit not in origin.repository.odb:
        return None
    return find_revision(origin.repository, candidate, origin.address).tree


def export_commit(folder: Path, given: Mapping[str, str | None], env: Texts, env_file: Texts) -> str:
    """Writes the commit's tree to the folder and says what was written."""
    settings = read_gate(given, env, env_file)
    address = forge_address(settings, env)
    repository = open_repository(settings.repository_folder)
    candidate, _ = choose_commit(
        env, revision=settings.revision, pr=settings.pr, recheck_head=False, address=address, checkout=repository
    )
    revision = find_revision(repository, candidate, address)
    exported = export_tree(repository, revision, folder, allow_incomplete=settings.incomplete is Incomplete.ALLOW)
    return f"{revision.commit}: {exported.files} files, {exported.size} bytes in {folder}."
