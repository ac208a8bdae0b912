"""Decides which commit an event means. Payloads are foreign: whatever is damaged in them is a refusal, never a crash.

Fields: GitHub's webhook payloads, and what Gitea 1.26 was seen to send (tests/payloads).
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from freshness.core.fork import fork_of, origin_is_told
from freshness.core.hexid import is_full_id
from freshness.core.quoting import quoted
from freshness.core.revision import Candidate
from freshness.errors import Refused, Superseded

Payload = Mapping[str, object]

_HEAD = "event.pull_request.head.sha"
_PULL_REQUEST_BY_ACT = (
    "Give act the event: `act pull_request -e event.json`, with `number` and, in `pull_request`, "
    "`head.sha`, `head.repo.full_name` and `base.repo.full_name`."
)
_DAMAGED = "Run the gate again with the payload as the forge sent it, or give the commit with `revision`."


def choose(event_name: str, payload: Payload, env: Mapping[str, str], revision: str | None) -> Candidate:
    """The commit that the event means, or `revision` (a full id) where it is given.

    Raises Refused where there is none, and Superseded where a pull request's sources name different commits. A fork's
    commit is returned with `fork` set: also for a `revision` that is given on a fork's event.
    """
    if revision is not None:
        return _explicit(event_name, payload, env, revision)
    match event_name:
        case "pull_request":
            return _pull_request(payload, env)
        case "push":
            return _push(payload, env)
        case "workflow_dispatch":
            note = "the tip of the branch or tag that the workflow was started on (GITHUB_SHA)"
            return _started_on(event_name, env, note)
        case "":
            raise Refused(
                "There is no event and no `revision`; expected one of them to name a commit.",
                'Give a full commit id, such as `--revision "$(git rev-parse HEAD)"`.',
            )
    raise Refused(
        f"The event {quoted(event_name)} names no commit to gate; expected pull_request, push or workflow_dispatch.",
        "Run the gate on one of these events, or give the commit's full id with `revision`.",
    )


def _explicit(event_name: str, payload: Payload, env: Mapping[str, str], revision: str) -> Candidate:
    if not origin_is_told(event_name):
        raise Refused(
            f"A `revision` is given on the event {quoted(event_name)}, which does not tell whether it is a fork's; "
            "expected pull_request, push or workflow_dispatch.",
            "Run the gate on pull_request, or start it by hand with workflow_dispatch and `revision`.",
        )
    commit = _full_id(revision, "revision", "Give what `git rev-parse` prints.")
    note = f"Commit {commit} is the one that the setting `revision` (GIT_SHA) names; the event was not asked."
    candidate = Candidate(commit=commit, source="revision", event=event_name, note=note)
    if payload.get("pull_request") is None and not event_name.startswith("pull_request"):
        return candidate
    pull_request = _object(payload, "pull_request", "event", _PULL_REQUEST_BY_ACT if _is_act(env) else _DAMAGED)
    return replace(candidate, fork=fork_of(pull_request, payload, env))


def _pull_request(payload: Payload, env: Mapping[str, str]) -> Candidate:
    remedy = _PULL_REQUEST_BY_ACT if _is_act(env) else _DAMAGED
    pull_request = _object(payload, "pull_request", "event", remedy)
    number = _number(payload, pull_request, remedy)
    _insist_on_open(pull_request, payload.get("action"), number, remedy)
    head = _object(pull_request, "head", "event.pull_request", remedy)
    commit = _full_id(head.get("sha"), _HEAD, remedy)
    return Candidate(
        commit=commit,
        source=_HEAD,
        event="pull_request",
        note=f"Commit {commit} is the head of pull request #{number} ({_HEAD}){_why_not_sha(commit, number, env)}.",
        number=number,
        fork=fork_of(pull_request, payload, env),
    )


def _number(payload: Payload, pull_request: Payload, remedy: str) -> int:
    number = payload.get("number", pull_request.get("number"))
    if isinstance(number, bool) or not isinstance(number, int) or not 0 < number < 2**63:
        raise Refused(f"event.number is {quoted(number)}; expected the pull request's number.", remedy)
    return number


def _insist_on_open(pull_request: Payload, action: object, number: int, remedy: str) -> None:
    """A closed pull request's branch may have moved on since, and a merged one's `GITHUB_SHA` is another commit.

    Both forges always send `state`; an event that a person wrote for act may lack it.
    """
    state, merged = pull_request.get("state", "open"), pull_request.get("merged")
    if merged is True or state == "closed" or action == "closed":
        raise Refused(
            f"Pull request #{number} is {'merged' if merged is True else 'closed'}; expected an open one.",
            "Gate the branch that it was merged into, on push or workflow_dispatch, or open it again.",
        )
    if state != "open":
        raise Refused(f"event.pull_request.state is {quoted(state)}; expected 'open'.", remedy)


def _why_not_sha(commit: str, number: int, env: Mapping[str, str]) -> str:
    """The end of the note, where GITHUB_SHA is another commit. On Gitea that is a race, and nothing tells who is right.

    Gitea reads head.sha from the head branch and GITHUB_SHA from refs/pull/N/head, at different times.
    """
    sha = env.get("GITHUB_SHA", "").lower()
    if _is_gitea(env) and sha != commit:
        raise Superseded(
            f"Pull request #{number}: {_HEAD} says {commit}, GITHUB_SHA (refs/pull/{number}/head) says "
            f"{quoted(sha)}; expected the same commit.",
            "The pull request moved meanwhile: let the run of its newest commit decide, or push once more.",
        )
    if not sha or sha == commit:
        return ""
    if _is_act(env):
        return f"; GITHUB_SHA {quoted(sha)} is not it: under act that is the local HEAD"
    return f"; GITHUB_SHA {quoted(sha)} is not it: that is GitHub's own merge of the head into the base, for tests"


def _push(payload: Payload, env: Mapping[str, str]) -> Candidate:
    after = payload.get("after")
    if payload.get("deleted") is True or (isinstance(after, str) and re.fullmatch("0{40,64}", after)):
        raise Refused(
            "The push deleted its branch or tag; expected a commit.",
            "There is nothing to gate: run it on other pushes.",
        )
    where = "the local HEAD, which act calls pushed (GITHUB_SHA)" if _is_act(env) else "the pushed one (GITHUB_SHA)"
    candidate = _started_on("push", env, where)
    if not isinstance(after, str) or after.lower() == candidate.commit:
        return candidate
    why = f"; event.after says {quoted(after)}, which is a tag object or an earlier push to the same branch."
    return replace(candidate, note=candidate.note.removesuffix(".") + why)


def _started_on(event_name: str, env: Mapping[str, str], what: str) -> Candidate:
    commit = _full_id(env.get("GITHUB_SHA"), "GITHUB_SHA", "Give the commit with `revision`.")
    return Candidate(commit=commit, source="GITHUB_SHA", event=event_name, note=f"Commit {commit} is {what}.")


def _full_id(value: object, field: str, remedy: str) -> str:
    text = value.lower() if isinstance(value, str) else ""
    if not is_full_id(text) or not text.strip("0"):
        raise Refused(f"{field} is {quoted(value)}; expected a full commit id.", remedy)
    return text


def _object(parent: Payload, name: str, where: str, remedy: str) -> Payload:
    value = parent.get(name)
    if not isinstance(value, Mapping):
        raise Refused(f"{where}.{name} is {quoted(value)}; expected an object.", remedy)
    return value


def _is_gitea(env: Mapping[str, str]) -> bool:
    """Gitea's runner sets ACT as well, so Gitea is asked first."""
    return env.get("GITEA_ACTIONS", "").lower() == "true"


def _is_act(env: Mapping[str, str]) -> bool:
    return env.get("ACT", "").lower() == "true" and not _is_gitea(env)
