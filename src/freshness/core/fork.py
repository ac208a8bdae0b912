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
    ours = _identity(repository, "event.pull_request.head.repo")
    bases = _bases(pull_request, payload) or [{"full_name": env.get("GITHUB_REPOSITORY")}]
    same = all(_is_same(ours, _identity(base, "event.repository")) for base in bases)
    return None if same else ours[0]


def _bases(pull_request: Payload, payload: Payload) -> list[object]:
    base = pull_request.get("base")
    own = base.get("repo") if isinstance(base, Mapping) else None
    return [repository for repository in (payload.get("repository"), own) if repository is not None]


def _identity(repository: object, field: str) -> tuple[str, object]:
    name = repository.get("full_name") if isinstance(repository, Mapping) else None
    if isinstance(repository, Mapping) and isinstance(name, str) and is_repository_name(name):
        return name.lower(), repository.get("id")
    raise Refused(
        f"{field}.full_name is {quoted(name)}; expected the repository's owner/name.",
        "A fork's commit is never gated, and this payload does not tell: give the forge's own payload.",
    )


def _is_same(one: tuple[str, object], other: tuple[str, object]) -> bool:
    (name, number), (other_name, other_number) = one, other
    return name == other_name and (number is None or other_number is None or number == other_number)
