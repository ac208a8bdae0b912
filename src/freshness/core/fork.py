"""Decides whether an event is about a commit that a fork wrote, and which switches let it be built all the same."""

from collections.abc import Mapping

from freshness.core.quoting import quoted
from freshness.core.revision import Candidate
from freshness.core.run import Run
from freshness.core.scope import is_repository_name
from freshness.errors import Refused

Payload = Mapping[str, object]

DELETED = "a deleted repository"
UNKNOWN_REPOSITORY = "a repository that the event does not name"
"""The `fork` of a commit whose origin the payload leaves open: taken for a fork's until the server says otherwise."""

AGIT = "an AGit push (refs/for/…), which needs read access only"
"""The `fork` of a pull request without a branch, which Gitea itself treats as a fork's."""

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
# Both forges run these without secrets and with a token that may only read where the commit is a fork's.
_WITHOUT_SECRETS = frozenset({"pull_request", "pull_request_review", "pull_request_review_comment"})


def tells_forks_apart(event_name: str) -> bool:
    """Whether the event's payload tells a fork's commit from the repository's own."""
    return event_name in _TELLING


def refuse_fork(candidate: Candidate, *, allowed: bool, allowed_with_secrets: bool) -> None:
    """Raises Refused for a fork's commit, unless `allow-forks` is on, and with secrets at hand the second switch."""
    if candidate.fork is None:
        return
    what = f"The commit {candidate.commit} comes from {candidate.fork}, not from this repository"
    if not allowed:
        remedy = "Code of a fork is not built here: review it and push the branch to this repository."
        if candidate.fork == UNKNOWN_REPOSITORY:
            other = ", or give its commit in `revision`" if tells_forks_apart(candidate.event) else ""
            remedy += f" If the branch was this repository's own, restore it{other}."
        raise Refused(f"{what}.", remedy)
    if candidate.event not in _WITHOUT_SECRETS and not allowed_with_secrets:
        run = f"on {candidate.event}" if candidate.event else "without an event"
        raise Refused(
            f"{what}, and a run {run} has secrets and a token with write access; `allow-forks` alone is not enough.",
            "Gate forks on pull_request, which gives them neither; or set `allow-forks-with-secrets` too.",
        )


def fork_of(pull_request: Payload, payload: Payload, env: Mapping[str, str]) -> str | None:
    """The head repository where it is not the base repository, else None. A deleted repository was a fork.

    Compares names and, where both sides have one, ids; never `head.repo.fork`, which is also true of a forked project
    that takes pull requests from itself. Gitea names the base as the head of an AGit push, and leaves its `label`
    empty. Raises Refused where the payload does not say.
    """
    head = pull_request.get("head")
    if isinstance(head, Mapping) and head.get("label") == "":
        return AGIT
    repository = head.get("repo") if isinstance(head, Mapping) else None
    base = pull_request.get("base")
    own = base.get("repo") if isinstance(base, Mapping) else None
    return other_repository(repository, "event.pull_request.head.repo", (payload.get("repository"), own), env)


def other_repository(repository: object, field: str, bases: tuple[object, ...], env: Mapping[str, str]) -> str | None:
    """`repository`'s name where it is not each of the known `bases`, else None. Null is a deleted repository."""
    if repository is None:
        return DELETED
    ours = _identity(repository, field)
    known = [base for base in bases if base is not None] or [{"full_name": Run.of(env).repository or None}]
    same = all(_is_same(ours, _identity(base, "event.repository")) for base in known)
    return None if same else ours[0]


def _identity(repository: object, field: str) -> tuple[str, object]:
    name = repository.get("full_name") if isinstance(repository, Mapping) else None
    if isinstance(repository, Mapping) and isinstance(name, str) and is_repository_name(name):
        return name.lower(), repository.get("id")
    raise Refused(
        f"{field}.full_name is {quoted(name)}; expected the repository's owner/name.",
        "A fork's commit is never gated, and this payload does not say: use the forge's own payload.",
    )


def _is_same(one: tuple[str, object], other: tuple[str, object]) -> bool:
    (name, number), (other_name, other_number) = one, other
    return name == other_name and (number is None or other_number is None or number == other_number)
