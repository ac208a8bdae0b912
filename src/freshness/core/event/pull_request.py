"""Pull requests and their reviews, open, closed or merged: the commit is the payload's head, never a merge of it.

Gitea has no single truth: it reads head.sha from the head branch and GITHUB_SHA from refs/pull/N/head, at different
times. On GitHub, GITHUB_SHA is a merge commit that GitHub made, or the base branch's tip.
"""

from freshness.core.agreement import agree, disagreement
from freshness.core.event.fields import (
    Environment,
    Payload,
    full_id,
    object_at,
    pull_number,
    remedy_for,
)
from freshness.core.fork import fork_of
from freshness.core.quoting import quoted
from freshness.core.revision import Candidate
from freshness.core.run import Run
from freshness.errors import Refused

HEAD = "event.pull_request.head.sha"
NEEDED = "`number` and, in `pull_request`, `head.sha`, `head.repo.full_name` and `base.repo.full_name`"


def of_pull_request(event: str, payload: Payload, env: Environment) -> Candidate:
    """The head of the event's pull request. Raises Superseded where Gitea's two sources name different commits."""
    remedy = remedy_for(event, env, NEEDED)
    pull_request = object_at(payload, "pull_request", "event", remedy)
    number = _number(payload, pull_request, remedy)
    commit = full_id(object_at(pull_request, "head", "event.pull_request", remedy).get("sha"), HEAD, remedy)
    if Run.of(env).is_gitea and event != "pull_request_target":
        _require_on_gitea(payload, pull_request, number, commit, env)
    state = _state(pull_request, number, remedy)
    return Candidate(
        commit=commit,
        source=HEAD,
        event=event,
        note=f"Commit {commit} is the head of {state}pull request #{number} ({HEAD})"
        f"{_why_not_sha(event, pull_request, commit, env)}.",
        number=number,
        fork=fork_of(pull_request, payload, env),
    )


def _number(payload: Payload, pull_request: Payload, remedy: str) -> int:
    """Reviews have it in the pull request alone."""
    number = pull_number(payload.get("number", pull_request.get("number")), "event.number", remedy)
    inner = pull_request.get("number", number)
    if inner != number:
        raise Refused(
            f"event.number is {number} and event.pull_request.number is {quoted(inner)}; expected the same number.",
            remedy,
        )
    return number


def _state(pull_request: Payload, number: int, remedy: str) -> str:
    """Both forges always send `state`; an event that a person wrote for act may lack it."""
    state = pull_request.get("state", "open")
    if state not in ("open", "closed"):
        raise Refused(f"event.pull_request.state of #{number} is {quoted(state)}; expected open or closed.", remedy)
    if pull_request.get("merged") is True:
        return "the merged "
    return "the closed " if state == "closed" else ""


def _require_on_gitea(payload: Payload, pull_request: Payload, number: int, commit: str, env: Environment) -> None:
    """GITHUB_SHA is the merge commit on the event that a merge makes, and refs/pull/N/head on every other."""
    if payload.get("action") == "closed" and pull_request.get("merged") is True:
        _require_on_merge(pull_request, number, env)
        return
    agree(number, {HEAD: commit, f"GITHUB_SHA (refs/pull/{number}/head)": Run.of(env).commit})


def _require_on_merge(pull_request: Payload, number: int, env: Environment) -> None:
    merged_as, sha = pull_request.get("merge_commit_sha"), Run.of(env).commit
    if sha and isinstance(merged_as, str) and merged_as.lower() == sha:
        return
    said = {"event.pull_request.merge_commit_sha": merged_as, "GITHUB_SHA (the merge commit)": sha}
    raise disagreement(f"Pull request #{number}, merged", said)


def _why_not_sha(event: str, pull_request: Payload, commit: str, env: Environment) -> str:
    """The end of the note, where GITHUB_SHA is another commit."""
    sha = Run.of(env).commit
    if not sha or sha == commit:
        return ""
    not_it = f"; GITHUB_SHA {quoted(sha)} is not it:"
    if Run.of(env).is_act:
        return f"{not_it} under act that is the local HEAD"
    if event == "pull_request_target":
        return f"{not_it} that is the tip of the base branch, whose workflow runs"
    if pull_request.get("merged") is True:
        return f"{not_it} that is the merge commit"
    return f"{not_it} that is GitHub's test merge of the head into the base"
