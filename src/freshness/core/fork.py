"""Decides whether an event is about a commit that a fork wrote."""

from collections.abc import Mapping

from freshness.core.quoting import quoted
from freshness.core.scope import is_repository_name
from freshness.errors import Refused

Payload = Mapping[str, object]

# Whoever comments, or whose run ended, may be about a fork's commit, and the payload does not say which repository's.
# The others are about a commit of the repository itself, or have a `pull_request` that says whose.
_TELLING = frozenset(
    {
        "",
        "create",
        "merge_group",
        "pull_request",
        "pull_request_review",
        "pull_request_review_comment",
        "pull_request_target",
        "push",
        "release",
        "repository_dispatch",
        "schedule",
        "workflow_dispatch",
    }
)


def origin_is_told(event_name: str) -> bool:
    """Whether the event's payload tells a fork's commit from the repository's own."""
    return event_name in _TELLING


def fork_of(pull_request: Payload, payload: Payload, env: Mapping[str, str]) -> str | None:
    """The head repository where it is not the base repository, else None. A deleted repository was a fork.

    Compares names and, where both sides have one, ids; never `head.repo.fork`, which is also true of a forked project
    that takes pull requests from itself. Raises Refused where the payload does not say.
    """
    head = pull_request.get("head")
    repository = head.get("repo") if isinstance(head, Mapping) else None
    if repository is None:
        return "a deleted repository"
    name = _name(repository, "event.pull_request.head.repo")
    bases = _bases(pull_request, payload)
    if not bases:
        bases = [{"full_name": env.get("GITHUB_REPOSITORY")}]
    same = all(name == _name(base, "event.repository") and _same_id(repository, base) for base in bases)
    return None if same else name


def _bases(pull_request: Payload, payload: Payload) -> list[object]:
    base = pull_request.get("base")
    own = base.get("repo") if isinstance(base, Mapping) else None
    return [repository for repository in (payload.get("repository"), own) if repository is not None]


def _name(repository: object, field: str) -> str:
    name = repository.get("full_name") if isinstance(repository, Mapping) else repository
    if not isinstance(name, str) or not is_repository_name(name):
        raise Refused(
            f"{field}.full_name is {quoted(name)}; expected the repository's owner/name.",
            "A fork's commit is never gated, and this payload does not tell: give the forge's own payload.",
        )
    return name.lower()


def _same_id(one: object, other: object) -> bool:
    ids = [repository.get("id") for repository in (one, other) if isinstance(repository, Mapping)]
    return None in ids or ids[0] == ids[1]
