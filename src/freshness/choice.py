"""Which commit is meant: what the event and the settings name, held against what the forge says now."""

from collections.abc import Mapping

from freshness.core.agreement import References, settle
from freshness.core.event import choose, interpret
from freshness.core.fork import UNTOLD
from freshness.core.revision import Candidate, Question
from freshness.errors import RepositoryError
from freshness.forge.event import read_event
from freshness.repository.address import ForgeAddress
from freshness.repository.ask import ask_references
from freshness.repository.checkout import Repository


def choose_commit(
    env: Mapping[str, str],
    *,
    revision: str | None,
    pr: int | None,
    recheck_head: bool,
    address: ForgeAddress | None,
    checkout: Repository | None,
) -> tuple[Candidate, References | None]:
    """The commit that the event, `revision` or `pr` names, and what the forge said where it was asked: one request.

    It is asked what only it knows (where there is an `address`), and with `recheck_head` whether it contradicts.
    `checkout` is only where credentials are found. Raises Refused, Superseded, SettingsError for the event file, and
    RepositoryError where the forge has to be asked and cannot be.
    """
    name, payload = read_event(env)
    chosen = interpret(name, payload, env, revision=revision, pr=pr)
    if isinstance(chosen, Question) and address is None and not recheck_head:
        return choose(name, payload, env, revision, pr), None
    if not (isinstance(chosen, Question) or (recheck_head and is_askable(chosen))):
        return chosen, None
    if address is None:
        raise RepositoryError(
            "The forge has to be asked, and GITHUB_SERVER_URL and GITHUB_REPOSITORY name none; expected its address.",
            "Set both, or set `recheck-head` to false, which is said aloud.",
        )
    references = ask_references(checkout, address)
    return settle(chosen, references), references


def is_askable(candidate: Candidate) -> bool:
    """Whether the forge can contradict: a pull request's head moves, and only the forge knows whose a commit is."""
    return candidate.number is not None or candidate.by_hand or candidate.fork == UNTOLD
