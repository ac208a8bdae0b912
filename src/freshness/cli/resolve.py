"""The command `resolve`: says which commit the gate would validate, and why."""

import json
from collections.abc import Mapping
from typing import Any

from freshness.ci.event_file import read_event
from freshness.core.agreement import References
from freshness.core.event.number import number_in_payload
from freshness.core.fork import AGIT, UNKNOWN_REPOSITORY, refuse_fork
from freshness.core.revision import Candidate
from freshness.core.run import Run
from freshness.errors import FreshnessError, Refused, SettingsError
from freshness.git.address import ForgeAddress
from freshness.git.checkout import open_or_make
from freshness.git.find import find_revision, refuse_other_than_full_id
from freshness.git.resolve_commit import GitSource, find_checkout, forge_address, require_own_commit, resolve_candidate
from freshness.process.private_folder import private_folder
from freshness.settings.model import GateSettings
from freshness.settings.read import read_gate

Texts = Mapping[str, str]

_NOT_LOOKED_UP = " The commit was not looked up: there is no local repository"
_NOT_SHOWN = ", and it is not yet verified that this repository contains it."
_LACKS = " Its tree was not looked up: the local checkout lacks the commit, and no server was asked for it."
FIELDS = ("revision", "tree", "source", "event", "number", "fork", "reason")


def resolve_commit(given: Mapping[str, Any], env: Texts, env_file: Texts) -> tuple[bool, str]:
    """Which commit the gate would validate: whether there is one, and the text to print (JSON where asked for).

    Offline no server is asked, so what only it knows is refused. Raises RepositoryError where it cannot be asked,
    SettingsError for an event file without the event's name.
    """
    asked = {
        **env,
        **({"GITHUB_EVENT_PATH": str(given["event"])} if given["event"] else {}),
        **({"GITHUB_EVENT_NAME": given["event_name"]} if given["event_name"] else {}),
    }
    if given["event"] and not Run.of(asked).event:
        raise SettingsError(
            "`--event` names a file, but its event is not named; expected both.",
            "Add the event's name, such as `--event-name pull_request`.",
        )
    settings = read_gate({name: given[name] for name in ("revision", "pr", "path")}, asked, env_file)
    answer: dict[str, Any] = dict.fromkeys(FIELDS) | {"event": Run.of(asked).event or None}
    try:
        answer |= _resolve(settings, asked, offline=given["offline"])
    except Refused as error:
        answer |= {"number": settings.head.pr or number_in_payload(read_event(asked)[1]), "reason": str(error)}
    text = json.dumps(answer, indent=2) if given["as_json"] else answer["reason"]
    return answer["revision"] is not None, text


def unanswered(given: Mapping[str, Any], env: Texts, error: FreshnessError) -> str:
    """The JSON object for a question that could not be worked on."""
    event = given["event_name"] or Run.of(env).event or None
    return json.dumps(dict.fromkeys(FIELDS) | {"event": event, "reason": str(error)}, indent=2)


def _resolve(settings: GateSettings, env: Texts, *, offline: bool) -> dict[str, Any]:
    address = None if offline else forge_address(settings, env)
    candidate, references = resolve_candidate(
        env,
        revision=settings.revision,
        pr=settings.head.pr,
        recheck_head=settings.head.recheck and not offline,
        address=address,
        checkout=find_checkout(settings),
    )
    tree, why_none = _find_tree(settings, env, address, candidate, references)
    return {
        "revision": candidate.commit,
        "tree": tree,
        "source": candidate.source,
        "number": candidate.number,
        "fork": candidate.fork,
        "reason": candidate.note + _word_of_fork(settings, candidate) + why_none,
    }


def _word_of_fork(settings: GateSettings, candidate: Candidate) -> str:
    if candidate.fork is None:
        return ""
    taken = "treated as a fork" if candidate.fork in (AGIT, UNKNOWN_REPOSITORY) else "a fork"
    try:
        refuse_fork(candidate, allowed=settings.forks.allow, allowed_with_secrets=settings.forks.allow_with_secrets)
    except Refused:
        return f" It comes from {candidate.fork}, {taken}, and the gate refuses it."
    return f" It comes from {candidate.fork}, {taken}, which the settings allow."


def _find_tree(
    settings: GateSettings,
    env: Texts,
    address: ForgeAddress | None,
    candidate: Candidate,
    references: References | None,
) -> tuple[str | None, str]:
    """The commit's tree, found as the gate finds it, or None and the sentence that says why."""
    checkout = find_checkout(settings)
    if checkout is not None:
        tree = _look_up(GitSource(repository=checkout, address=address), candidate, references, env)
        return tree, "" if tree else _LACKS
    if address is None:
        return None, _NOT_LOOKED_UP + (_NOT_SHOWN if candidate.is_explicit else ".")
    with private_folder(env) as folder:
        own = open_or_make(settings.source.folder, address, folder)
        return _look_up(GitSource(repository=own, address=address), candidate, references, env), ""


def _look_up(git_source: GitSource, candidate: Candidate, references: References | None, env: Texts) -> str | None:
    """None where no server is known to fetch a commit from that is not here. Raises Refused, and RepositoryError."""
    refuse_other_than_full_id(candidate)
    lacks = git_source.address is None and candidate.commit not in git_source.repository.odb
    tree = None if lacks else find_revision(git_source.repository, candidate, git_source.address).tree
    if candidate.is_explicit:
        require_own_commit(git_source, candidate, references, env)
    return tree
