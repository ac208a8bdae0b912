"""Tells pull request and commit at their forge how a run goes, where the settings ask for it.

Nothing of it changes a verdict or an exit status: what the forge refuses is a note, within seconds.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from freshness.ci.forge_api import TooLarge, call, headers_for, is_good, takes_token
from freshness.core.comment import Marker, find_ours
from freshness.core.revision import Candidate
from freshness.core.run import Run
from freshness.core.secret import Secret
from freshness.report.comment import describe, render_beginning, render_comment, state_of
from freshness.report.json_report import Report

CALL_SECONDS = 5.0
ALL_SECONDS = 10.0
PAGE, MOST_PAGES = 100, 10
_COMMENT = "The comment on the pull request"
_STATUS = "The commit's status"
_NEEDS = {
    _COMMENT: "the job needs `contents: read` and `pull-requests: write`",
    _STATUS: "the job needs `statuses: write`, on Gitea `contents: write`",
}


class _Unanswered(Exception):
    """What the forge did not do, in words; empty where that is not worth a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forge:
    """The forge's API, for one run. `comments`: the pull request gets one; `context`: the commit gets this status.

    `promoted` is the commit that a promotion is about; a gate's stands in its report.
    """

    command: str
    env: Mapping[str, str]
    token: Secret | None
    application: str
    comments: bool
    context: str | None
    promoted: Candidate | None = None
    began: float = field(default_factory=time.monotonic)

    def tell_beginning(self, candidate: Candidate) -> tuple[str, ...]:
        """A gate is at work. What could not be told, in words."""
        return self._tell(candidate, lambda: render_beginning(candidate.commit, self.env), "pending", "at work")

    def tell_end(self, report: Report) -> tuple[str, ...]:
        """As `tell_beginning`, how it ended."""
        candidate = report.candidate or self.promoted
        if candidate is None:
            return ()
        return self._tell(candidate, lambda: render_comment(report, self.env), state_of(report), describe(report))

    def _tell(
        self, candidate: Candidate, render: Callable[[], str], state: str | None, description: str
    ) -> tuple[str, ...]:
        until = time.monotonic() + ALL_SECONDS
        notes = []
        if self.comments and candidate.number is not None:
            notes.append(_tried(_COMMENT, lambda: self._comment(candidate, render(), until)))
        if self.context and state:
            notes.append(_tried(_STATUS, lambda: self._set_status(candidate.commit, state, description, until)))
        return tuple(note for note in notes if note)

    def _comment(self, candidate: Candidate, text: str, until: float) -> None:
        run = Run.of(self.env)
        marker = Marker(command=self.command, application=self.application, commit=candidate.commit, run=run.id or "0")
        path = f"issues/{candidate.number}/comments"
        comments = self._comments(path, until)
        ours = find_ours(comments, marker) or find_ours(comments, marker, self._user(comments, marker, until))
        body = {"body": f"{marker}\n{text}"}
        if ours is None:
            self._ask("POST", path, body, until, _COMMENT)
        elif not ours.is_newer:
            self._ask("PATCH", f"issues/comments/{ours.id}", body, until, _COMMENT)

    def _comments(self, path: str, until: float) -> list[object]:
        """All of them; Gitea sends them at once, whatever page it is asked for."""
        found: list[object] = []
        for page in range(1, MOST_PAGES + 1):
            more = self._ask("GET", f"{path}?per_page={PAGE}&page={page}", None, until, _COMMENT)
            if not isinstance(more, list) or not more or more[0] in found:
                break
            found += more
            if len(more) < PAGE:
                break
        return found

    def _user(self, comments: list[object], marker: Marker, until: float) -> str:
        """Who a personal token is, where somebody's comment bears our marker."""
        if not any(isinstance(one, dict) and str(one.get("body")).startswith(marker.beginning) for one in comments):
            return ""
        status, user = self._call("GET", f"{Run.of(self.env).api_url.rstrip('/')}/user", None, until)
        login = user.get("login") if isinstance(user, dict) and is_good(status) else None
        return login if isinstance(login, str) else ""

    def _set_status(self, commit: str, state: str, description: str, until: float) -> None:
        run = Run.of(self.env)
        payload = {"state": state, "context": self.context, "description": description}
        if run.id:
            payload["target_url"] = f"{run.server_url.rstrip('/')}/{run.repository}/actions/runs/{run.id}"
        self._ask("POST", f"statuses/{commit}", payload, until, _STATUS)

    def _ask(self, method: str, path: str, payload: object, until: float, what: str) -> object:
        """The answer. Raises _Unanswered where it is not good; a server's own failure is asked once more."""
        run = Run.of(self.env)
        url = f"{run.api_url.rstrip('/')}/repos/{run.repository}/{path}"
        status, found = self._call(method, url, payload, until)
        if status >= 500:  # noqa: PLR2004 -- HTTP's own border
            status, found = self._call(method, url, payload, until)
        if is_good(status):
            return found
        if status == 401:  # noqa: PLR2004 -- the run was cancelled, and its token with it
            raise _Unanswered
        needs = f": {_NEEDS[what]}" if status in {403, 404, 422} else ""
        raise _Unanswered(f"HTTP {status}{needs}")

    def _call(self, method: str, url: str, payload: object, until: float) -> tuple[int, object]:
        seconds = min(CALL_SECONDS, until - time.monotonic())
        if seconds <= 0:
            raise TimeoutError
        run = Run.of(self.env)
        headers = headers_for(self.token if takes_token(run.api_url, run.server_url) else None)
        return call(method, url, headers, payload, seconds)


def _tried(what: str, write: Callable[[], None]) -> str:
    """Why it was not written, as a sentence; empty where it was, or where nobody has to know."""
    try:
        write()
    except _Unanswered as error:
        return f"{what} was not written: {error}." if str(error) else ""
    except TimeoutError:
        return f"{what} was not written: the forge did not answer within seconds."
    except (OSError, ValueError, TooLarge) as error:
        return f"{what} was not written: {type(error).__name__}."
    return ""
