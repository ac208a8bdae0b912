"""The one table of events: how each is read, and the words of `docs/events.md` for it."""

from collections.abc import Callable, Mapping

from msgspec import Struct

from freshness.core.event.fields import Environment, Payload
from freshness.core.event.indirect import RUN_HEAD, of_comment, of_run
from freshness.core.event.pull_request import HEAD, of_pull_request
from freshness.core.event.started_on import GROUP_HEAD, of_merge_group, of_push, of_release, of_start
from freshness.core.revision import Candidate, Question

_GITEA = "must be the same commit on Gitea (on a merge: the merge commit); a test merge on GitHub"
_COMPARED = "`head.repo` against the base repository"
_OWN = "always the repository's own"


class Rule(Struct, frozen=True, kw_only=True):
    """How one event is read. `field` names the commit; `sha` is what GITHUB_SHA is there; `fork` tells a fork."""

    read: Callable[[str, Payload, Environment], Candidate | Question]
    field: str
    sha: str
    fork: str
    refused: str = ""


_REVIEW = Rule(read=of_pull_request, field=HEAD, sha=_GITEA, fork=_COMPARED)

RULES: Mapping[str, Rule] = {
    "pull_request": Rule(
        read=of_pull_request,
        field=HEAD,
        sha=_GITEA,
        fork=_COMPARED,
        refused="none: every activity type, open, closed or merged",
    ),
    "pull_request_target": Rule(
        read=of_pull_request, field=HEAD, sha="the base branch's tip: not the commit", fork=_COMPARED
    ),
    "pull_request_review": _REVIEW,
    "pull_request_review_comment": _REVIEW,
    "issue_comment": Rule(
        read=of_comment,
        field="`refs/pull/N/head`, asked of the server",
        sha="the default branch's tip: not the commit",
        fork="the repository's own if a branch is at that commit, else treated as a fork's",
        refused="a comment on an issue",
    ),
    "push": Rule(
        read=of_push,
        field="GITHUB_SHA",
        sha="the commit; `event.after` can be a tag object, or older",
        fork=_OWN,
        refused="a deletion",
    ),
    "merge_group": Rule(
        read=of_merge_group, field=GROUP_HEAD, sha="must be the same commit", fork=_OWN, refused="a destroyed group"
    ),
    "workflow_run": Rule(
        read=of_run,
        field=RUN_HEAD,
        sha="the default branch's tip: not the commit",
        fork="`head_repository`; on Gitea, which leaves it out, as issue_comment",
        refused="a pull request's run whose commit is the head of none of the pull requests that it names",
    ),
    "workflow_dispatch": Rule(
        read=of_start,
        field="`revision`, or `pr`, else GITHUB_SHA",
        sha="the tip of the branch or tag it was started on",
        fork="the repository's own; with `pr` as issue_comment, with `revision` see below",
    ),
    "schedule": Rule(read=of_start, field="GITHUB_SHA", sha="the default branch's tip", fork=_OWN),
    "release": Rule(
        read=of_release, field="GITHUB_SHA", sha="the tag's commit", fork=_OWN, refused="a draft, a deletion"
    ),
    "create": Rule(read=of_start, field="GITHUB_SHA", sha="the new branch's or tag's commit", fork=_OWN),
}

GITEA_WORDS: Mapping[str, str] = {
    "pull_request_assign": "pull_request",
    "pull_request_comment": "issue_comment",
    "pull_request_label": "pull_request",
    "pull_request_milestone": "pull_request",
    "pull_request_review_approved": "pull_request_review",
    "pull_request_review_rejected": "pull_request_review",
    "pull_request_review_request": "pull_request",
    "pull_request_sync": "pull_request",
}
"""What Gitea 1.26 takes in `on:` besides GitHub's words, then says as GITHUB_EVENT_NAME, and sends the payload of."""
