"""Decides which commit an event means, or which pull request's head only the server can tell.

Fields: GitHub's webhook payloads, and what Gitea 1.26 was seen to send (tests/payloads).
"""

from msgspec.structs import replace

from freshness.core.event.fields import Environment, Payload, full_id, object_at, or_set_revision, remedy_for
from freshness.core.event.pull_request import NEEDED
from freshness.core.event.rules import GITEA_WORDS, RULES
from freshness.core.event.shape import caller_of
from freshness.core.fork import fork_of, tells_forks_apart
from freshness.core.quoting import quoted
from freshness.core.revision import EXPLICIT, Candidate, Question
from freshness.core.run import Run
from freshness.errors import Refused

__all__ = ["choose", "interpret"]

_OF_FORGE = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY")
NAMING = ", ".join(RULES)


def interpret(
    event_name: str, payload: Payload, env: Environment, *, revision: str | None = None, pr: int | None = None
) -> Candidate | Question:
    """The commit that the event means, `revision` (a full id) where it is given, or a question to the server.

    Raises Refused where there is none, and Superseded where a pull request's sources name different commits. A fork's
    commit is returned with `fork` set: also for a `revision` that is given on a fork's event.
    """
    event = GITEA_WORDS.get(event_name, event_name)
    if event == "workflow_call" and (payload or revision is None):
        event = caller_of(payload, env)
    if revision is not None:
        return _explicit(event, payload, env, revision)
    if pr is not None:
        return _by_number(event, payload, env, pr)
    if event in RULES:
        return RULES[event].read(event, payload, env)
    if not event:
        raise Refused(
            "There is no event and no `revision`; expected one of them to name a commit.",
            'Give a full commit id, such as `--revision "$(git rev-parse HEAD)"`.',
        )
    raise Refused(
        f"The event {quoted(event)} names no commit to gate; expected one of {NAMING}.",
        f"Run the gate on one of these events{or_set_revision(event)}.",
    )


def choose(
    event_name: str, payload: Payload, env: Environment, revision: str | None, pr: int | None = None
) -> Candidate:
    """As `interpret`, without a server to ask: a question is refused."""
    chosen = interpret(event_name, payload, env, revision=revision, pr=pr)
    if isinstance(chosen, Candidate):
        return chosen
    where = f" on {chosen.event}" if chosen.event else ""
    unset = " and ".join(name for name in _OF_FORGE if not env.get(name))
    raise Refused(
        f"Only the server knows the head of pull request #{chosen.number}, which {chosen.asker} names{where}, and it"
        f" was not asked{f': {unset} must say where it is' if unset else ''}.",
        f"Allow the request ({f'set {unset}, ' if unset else ''}`recheck-head: true`, no"
        f" `--offline`){or_set_revision(chosen.event)}.",
    )


def _explicit(event: str, payload: Payload, env: Environment, revision: str) -> Candidate:
    if not tells_forks_apart(event):
        raise Refused(
            f"`revision` is given on the event {quoted(event)}, which does not say whether the commit is a fork's;"
            " expected pull_request, push or workflow_dispatch.",
            "Run the gate on pull_request, or start it manually with workflow_dispatch and `revision`.",
        )
    commit = full_id(revision, EXPLICIT, "Give the output of `git rev-parse`.")
    sha = Run.of(env).commit
    why = f", and GITHUB_SHA {quoted(sha)} is not it" if sha not in {"", commit} else ""
    note = f"Commit {commit} is the one in the setting `revision` (GIT_SHA); the event was ignored{why}."
    candidate = Candidate(commit=commit, source=EXPLICIT, event=event, note=note)
    if payload.get("pull_request") is None and not event.startswith("pull_request"):
        return candidate
    pull_request = object_at(payload, "pull_request", "event", remedy_for(event, env, NEEDED))
    return replace(candidate, fork=fork_of(pull_request, payload, env))


def _by_number(event: str, payload: Payload, env: Environment, number: int) -> Question:
    if "pull_request" in payload or event.startswith("pull_request") or not tells_forks_apart(event):
        raise Refused(
            f"`pr` is {number}, but the event {quoted(event)} already names a commit.",
            "Leave `pr` empty there; it is for workflow_dispatch and the command line.",
        )
    return Question(number=number, event=event, asker="the setting `pr`", sha=Run.of(env).commit)
