"""Events that run the default branch's workflow about something else: a comment, or another workflow's run."""

import re
from collections.abc import Mapping

from freshness.core.event.fields import (
    Environment,
    Payload,
    full_id,
    github_sha,
    object_at,
    pull_number,
    remedy_for,
)
from freshness.core.fork import UNTOLD, other_repository
from freshness.core.quoting import quoted
from freshness.core.revision import Candidate, Question
from freshness.errors import Refused

RUN_HEAD = "event.workflow_run.head_sha"
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
            f"The {event} is on the issue #{number}, which names no commit; expected a pull request.",
            "Let the job run only where `github.event.issue.pull_request` is set.",
        )
    return Question(number=number, event=event, asker="event.issue.number")


def of_run(event: str, payload: Payload, env: Environment) -> Candidate:
    """The commit of the workflow run that ended; a fork is told by its head repository, which Gitea leaves out."""
    remedy = remedy_for(event, env, "`workflow_run.head_sha` and `workflow_run.head_repository`")
    run = object_at(payload, "workflow_run", "event", remedy)
    commit = full_id(run.get("head_sha"), RUN_HEAD, remedy)
    sha = github_sha(env)
    why = f"; GITHUB_SHA {quoted(sha)} is not it: that is the default branch's tip" if sha not in {"", commit} else ""
    return Candidate(
        commit=commit,
        source=RUN_HEAD,
        event=event,
        note=f"Commit {commit} is the one that the other workflow ran for ({RUN_HEAD}){why}.",
        number=_number(run, commit),
        fork=_fork(run, payload, env),
    )


def _fork(run: Payload, payload: Payload, env: Environment) -> str | None:
    if "head_repository" in run:
        bases = (payload.get("repository"), run.get("repository"))
        return other_repository(run["head_repository"], "event.workflow_run.head_repository", bases, env)
    started_by = run.get("event")
    own = isinstance(started_by, str) and started_by and not _OF_OTHERS.match(started_by)
    return None if own else UNTOLD


def _number(run: Payload, commit: str) -> int | None:
    """The one pull request whose head the run was for; None where the payload does not say, as GitHub's of forks."""
    path, pulls = run.get("path"), run.get("pull_requests")
    if isinstance(path, str) and (match := _GITEA_PULL.fullmatch(path)):
        return int(match[1])
    if run.get("event") != "pull_request" or not isinstance(pulls, list) or len(pulls) != 1:
        return None
    number = pulls[0].get("number") if isinstance(pulls[0], Mapping) else None
    head = pulls[0].get("head") if isinstance(pulls[0], Mapping) else None
    if not isinstance(head, Mapping) or head.get("sha") != commit or not isinstance(number, int):
        return None
    return pull_number(number, "event.workflow_run.pull_requests.number", "Give the commit with `revision`.")
