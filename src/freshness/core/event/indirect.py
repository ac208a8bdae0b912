"""Events that run the default branch's workflow about something else: a comment, or another workflow's run."""

import re
from collections.abc import Mapping

from freshness.core.agreement import disagreement
from freshness.core.event.fields import (
    Environment,
    Payload,
    full_id,
    object_at,
    pull_number,
    remedy_for,
)
from freshness.core.fork import UNKNOWN_REPOSITORY, other_repository
from freshness.core.quoting import quoted
from freshness.core.revision import Candidate, Question
from freshness.core.run import Run
from freshness.errors import Refused

RUN_HEAD = "event.workflow_run.head_sha"
_NAMED = 5
"""Pull requests of a run that a refusal names."""
_PULLS = "event.workflow_run.pull_requests"
_OF_PULL_REQUEST = re.compile(r"pull_request\w*")
_OF_OTHERS = re.compile(r"pull_request|issue_comment|workflow_run")
"""Runs that may be about a fork's commit; Gitea's payload does not name the head's repository."""
_GITEA_PULL = re.compile(r"[^@]*@refs/pull/([1-9][0-9]{0,8})/head")
"""`workflow_run.path` as Gitea 1.26 was seen to send it for the run of a pull request."""


def of_comment(event: str, payload: Payload, env: Environment) -> Question:
    """The pull request that was commented on; its head is not in the payload of either forge."""
    remedy = remedy_for(event, env, "`issue.number` and `issue.pull_request`")
    issue = object_at(payload, "issue", "event", remedy)
    number = pull_number(issue.get("number"), "event.issue.number", remedy)
    if payload.get("is_pull") is False or not isinstance(issue.get("pull_request"), Mapping):
        raise Refused(
            f"The {event} is on issue #{number}, which names no commit; expected a pull request.",
            "Run the job only if `github.event.issue.pull_request` is set.",
        )
    return Question(number=number, event=event, asker="event.issue.number", sha=Run.of(env).commit)


def of_run(event: str, payload: Payload, env: Environment) -> Candidate:
    """The commit of the workflow run that ended; a fork is told by its head repository, which Gitea leaves out.

    Raises Superseded where the run's pull requests have other heads by now.
    """
    remedy = remedy_for(event, env, "`workflow_run.head_sha` and `workflow_run.head_repository`")
    run = object_at(payload, "workflow_run", "event", remedy)
    commit = full_id(run.get("head_sha"), RUN_HEAD, remedy)
    sha = Run.of(env).commit
    number = _number(run, commit, remedy)
    why = f"; GITHUB_SHA {quoted(sha)} is not it: that is the default branch's tip" if sha not in {"", commit} else ""
    return Candidate(
        commit=commit,
        source=RUN_HEAD,
        event=event,
        note=f"Commit {commit} is the one that the other workflow ran for ({RUN_HEAD}){why}.",
        number=number,
        fork=_fork(run, payload, env),
        unnumbered=number is None and _is_of_pull_request(run),
    )


def _fork(run: Payload, payload: Payload, env: Environment) -> str | None:
    if "head_repository" in run:
        bases = (payload.get("repository"), run.get("repository"))
        return other_repository(run["head_repository"], "event.workflow_run.head_repository", bases, env)
    started_by = run.get("event")
    own = isinstance(started_by, str) and started_by and not _OF_OTHERS.match(started_by)
    return None if own else UNKNOWN_REPOSITORY


def _number(run: Payload, commit: str, remedy: str) -> int | None:
    """The pull request whose head the run was for; None where the payload does not say, as GitHub's of forks."""
    in_path, pulls = _number_in_path(run), run.get("pull_requests")
    if in_path is not None or not _is_of_pull_request(run) or not pulls:
        return in_path
    if not isinstance(pulls, list):
        raise Refused(f"{_PULLS} is {quoted(pulls)}; expected a list.", remedy)
    heads = [_head(pull, remedy) for pull in pulls]
    for number, head in heads:
        if head == commit:
            return number
    said = {RUN_HEAD: commit} | {f"its pull request #{number}": head for number, head in heads[:_NAMED]}
    raise disagreement("The workflow run", said)


def numbers_of_run(run: Payload) -> list[object]:
    """What the run says of its pull requests' numbers, for a person: whatever is in the fields."""
    pulls = run.get("pull_requests")
    named = [pull.get("number") for pull in pulls if isinstance(pull, Mapping)] if isinstance(pulls, list) else []
    return [_number_in_path(run), *(named if _is_of_pull_request(run) else ())]


def _number_in_path(run: Payload) -> int | None:
    path = run.get("path")
    match = _GITEA_PULL.fullmatch(path) if isinstance(path, str) else None
    return int(match[1]) if match else None


def _is_of_pull_request(run: Payload) -> bool:
    started_by = run.get("event")
    return isinstance(started_by, str) and _OF_PULL_REQUEST.fullmatch(started_by) is not None


def _head(pull: object, remedy: str) -> tuple[int, str]:
    """Number and head of one of the run's pull requests, as GitHub names those that are open when the run ends."""
    if not isinstance(pull, Mapping):
        raise Refused(f"An entry of {_PULLS} is {quoted(pull)}; expected an object.", remedy)
    number = pull_number(pull.get("number"), f"{_PULLS}.number", remedy)
    head = object_at(pull, "head", _PULLS, remedy)
    return number, full_id(head.get("sha"), f"{_PULLS}.head.sha", remedy)
