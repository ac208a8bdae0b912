"""Tells pull request, commit and environment at their forge how a run goes, where the settings ask for it.

Nothing of it changes a verdict or an exit status: what the forge refuses is a note, within seconds.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from freshness.ci.forge_api import TooLarge, explain_failure
from freshness.ci.forge_calls import ALL_SECONDS, ForgeCalls, Unanswered
from freshness.core.comment import Marker
from freshness.core.endpoint import without_userinfo
from freshness.core.revision import Candidate
from freshness.core.run import Run
from freshness.core.secret import Secret
from freshness.core.state import State, state_of
from freshness.report.comment import GATE, describe, render_beginning, render_comment
from freshness.report.deployment import open_deployment, set_state
from freshness.report.json_report import Report
from freshness.report.pull_comment import find_merged, write_comment

STATUS_NEEDS = (
    "the job needs `statuses: write`, on Gitea `contents: write`, a personal token there `write:repository`; a fork's"
    " run never gets it"
)
_COMMENT, _STATUS, _DEPLOYMENT = "The comment on the pull request", "The commit's status", "The deployment"


class Forge(Struct, frozen=True, kw_only=True):
    """What to tell, and with which right. `comments`: the pull request gets one; `context`: the commit's status.

    `promoted` is the commit that a promotion is about; a gate's stands in its report. `environment` is that of the
    deployment, whose id is `deployment` once it is open.
    """

    command: str
    env: Mapping[str, str]
    token: Secret | None
    application: str
    comments: bool
    context: str | None
    promoted: Candidate | None = None
    environment: str | None = None
    deployment: int | None = None

    def begin(self, candidate: Candidate) -> tuple["Forge", tuple[str, ...]]:
        """Says that the run is at work. Returns what tells its end, and in words what could not be told."""
        now, calls = datetime.now(UTC), self._calls()
        words = f"at work since {now:%H:%M} UTC, run {Run.of(self.env).number or 'without a number'}"
        text = render_beginning(self.command, candidate.commit, self.env, now)
        notes = [self._comment(calls, candidate, text), self._status(calls, candidate.commit, State.PENDING, words)]
        forge, note = self._deploy(calls, candidate.commit, "in_progress", words)
        return forge, tuple(filter(None, (*notes, note)))

    def end(self, report: Report) -> tuple[str, ...]:
        """Says how it ended. What could not be told, in words."""
        candidate, calls = report.candidate or self.promoted, self._calls()
        if candidate is None:
            return ()
        state, words = state_of(report.decision), describe(report)
        notes = [self._comment(calls, candidate, render_comment(report, self.env))]
        if state:
            notes.append(self._status(calls, candidate.commit, state, words))
            notes.append(self._deploy(calls, candidate.commit, state, words)[1])
        return tuple(filter(None, notes))

    def _calls(self) -> ForgeCalls:
        return ForgeCalls(env=self.env, token=self.token, until=time.monotonic() + ALL_SECONDS)

    def _comment(self, calls: ForgeCalls, candidate: Candidate, text: str) -> str:
        is_promotion = self.command != GATE
        if not self.comments or (candidate.number is None and not is_promotion):
            return ""
        commit, run = candidate.commit, Run.of(self.env).id or "0"
        marker = Marker(application=self.application, commit=commit, run=run)

        def write() -> None:
            number = candidate.number or find_merged(calls, commit)
            if number:
                write_comment(calls, number, marker, text, follows_merge=is_promotion)

        return _tried(_COMMENT, write)

    def _status(self, calls: ForgeCalls, commit: str, state: State, words: str) -> str:
        if not self.context:
            return ""
        context = self.context
        return _tried(_STATUS, lambda: set_status(calls, commit, context, state, words))

    def _deploy(self, calls: ForgeCalls, commit: str, state: str, words: str) -> tuple["Forge", str]:
        """Opens the deployment where that was not done yet; the one returned knows it."""
        if not self.environment:
            return self, ""
        environment, opened = self.environment, [self.deployment] if self.deployment else []

        def write() -> None:
            if not opened:
                opened.append(open_deployment(calls, commit, environment))
            set_state(calls, opened[0], state, words, run_url(self.env))

        note = _tried(_DEPLOYMENT, write)
        return replace(self, deployment=opened[0] if opened else None), note


def set_status(calls: ForgeCalls, commit: str, context: str, state: State, words: str) -> None:
    """Always on the full id: Gitea takes a branch's name too. Raises as `ForgeCalls.ask`."""
    payload = {"state": state.value, "context": context, "description": words}
    address = run_url(calls.env)
    calls.ask("POST", f"statuses/{commit}", STATUS_NEEDS, {**payload, **({"target_url": address} if address else {})})


def run_url(env: Mapping[str, str]) -> str:
    """The run's page; empty outside a workflow."""
    run = Run.of(env)
    return f"{without_userinfo(run.server_url).rstrip('/')}/{run.repository}/actions/runs/{run.id}" if run.id else ""


def _tried(what: str, write: Callable[[], None]) -> str:
    """Why it was not written, as a sentence; empty where it was."""
    try:
        write()
    except Unanswered as error:
        return f"{what} was not written: {error}."
    except TimeoutError:
        return f"{what} was not written: the forge did not answer within seconds."
    except (OSError, ValueError, TooLarge) as error:
        why, remedy = explain_failure(error, "")
        return f"{what} was not written: {why}. {remedy}".rstrip()
    return ""
