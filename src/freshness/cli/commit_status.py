"""The command `commit-status`: sets the status that another job's gate or promotion has earned."""

import time
from collections.abc import Mapping

from freshness.ci.event_file import read_event
from freshness.ci.forge_api import TooLarge, explain_failure
from freshness.ci.forge_calls import ALL_SECONDS, ForgeCalls, Unanswered
from freshness.core.event import interpret
from freshness.core.hexid import is_full_id
from freshness.core.quoting import quoted
from freshness.core.revision import Candidate
from freshness.core.secret import conceal
from freshness.core.state import State, state_of
from freshness.core.verdict import Verdict
from freshness.errors import Refused, RepositoryError
from freshness.report.comment import describe_decision
from freshness.report.forge import set_status
from freshness.settings.read import read_status
from freshness.settings.status import StatusSettings

_NETWORK = "Check GITHUB_API_URL and the network to it, and run this job again."
_UNSAID = "the job that it is about did not say how it ended: it was stopped, or did not run"


def set_commit_status(given: Mapping[str, str | None], env: Mapping[str, str], env_file: Mapping[str, str]) -> str:
    """What was done, in a sentence. Raises Refused where no commit is known, RepositoryError where it was not set."""
    settings = read_status(given, env, env_file)
    conceal([settings.token.reveal()] if settings.token else [])
    state, words = _earned(settings)
    if state is None:
        return f"No status was set: the verdict {settings.verdict} proves nothing."
    commit = _commit(settings, env, state)
    calls = ForgeCalls(env=env, token=settings.token, until=time.monotonic() + ALL_SECONDS)
    try:
        set_status(calls, commit, settings.context, state, words)
    except Unanswered as error:
        raise _unset(settings, str(error), "Change that, and run this job again.") from error
    except (OSError, ValueError, TooLarge) as error:  # a TimeoutError is an OSError
        raise _unset(settings, *explain_failure(error, _NETWORK)) from error
    return f"{settings.context} is {state} on {commit}: {words}"


def _earned(settings: StatusSettings) -> tuple[State | None, str]:
    """The state and its words. What is not known for sure is an error, never a success."""
    verdict, reason = settings.verdict, settings.reason
    if verdict == State.PENDING:
        return State.PENDING, describe_decision(verdict, reason or "at work")
    state = state_of(verdict)
    if state is State.ERROR and verdict != Verdict.ERROR:
        return State.ERROR, describe_decision(Verdict.ERROR, _UNSAID)
    if verdict == Verdict.FRESH and settings.gate != "open":
        return State.ERROR, describe_decision(Verdict.ERROR, f"the verdict is fresh, and the gate {settings.gate!r}")
    return state, describe_decision(verdict, reason)


def _commit(settings: StatusSettings, env: Mapping[str, str], state: State) -> str:
    """The gate's; of a pull request also the head that the event names, but for a success."""
    if is_full_id(settings.revision):
        return settings.revision.lower()
    if state is not State.SUCCESS:
        named = interpret(*read_event(env), env)
        if isinstance(named, Candidate) and named.number is not None:
            return named.commit
    raise Refused(
        f"`revision` is {quoted(settings.revision)}; expected the full id of the commit that gets the status.",
        "Give the gate's output `revision`, or run this on pull_request, whose event names the head.",
    )


def _unset(settings: StatusSettings, why: str, remedy: str) -> RepositoryError:
    return RepositoryError(f"The status {settings.context} was not set: {why}.", remedy)
