"""Calls of the forge's API about one repository: each ends within seconds, and each refusal is a sentence."""

import time
from collections.abc import Mapping

from msgspec import Struct

from freshness.ci.forge_api import call, headers_for, is_good, takes_token
from freshness.core.run import Run
from freshness.core.secret import Secret

CALL_SECONDS = 5.0
ALL_SECONDS = 10.0
_NO_CONTENT = 204
_NOT_THERE = 404
_SERVERS_OWN = 500
_WHY = {
    **dict.fromkeys((301, 302, 307, 308), "it redirects elsewhere: register the runner at the forge's own address"),
    401: "the forge does not know the token: it is missing, expired, or of a cancelled run",
}
_OF_RIGHTS = frozenset({403, 404, 422})


class Unanswered(Exception):
    """What the forge did not do, in words."""


class ForgeCalls(Struct, frozen=True, kw_only=True):
    """The run's own forge, as its environment names it. `until` is the monotonic clock's, for all calls together."""

    env: Mapping[str, str]
    token: Secret | None
    until: float

    def ask(self, method: str, path: str, needs: str, payload: object = None) -> object:
        """What `repos/OWNER/NAME/PATH` answers. `needs` are the rights, in words, for one who lacks them.

        A server's own failure is asked once more. Raises Unanswered, and what `call` raises.
        """
        status, found = self._repeated(method, f"repos/{Run.of(self.env).repository}/{path}", payload)
        if method != "GET" and is_good(status) and status != _NO_CONTENT and found is None:
            raise Unanswered(f"HTTP {status} without JSON: something else than the forge's API answers")
        return self._answer(status, found, needs)

    def ask_if_there(self, path: str, needs: str) -> object:
        """As `ask`, and None for what the forge has not."""
        status, found = self._repeated("GET", f"repos/{Run.of(self.env).repository}/{path}", None)
        return None if status == _NOT_THERE else self._answer(status, found, needs)

    def user(self) -> str:
        """Who the token is; empty for a job's, which is nobody's."""
        status, user = self._repeated("GET", "user", None)
        login = user.get("login") if isinstance(user, dict) and is_good(status) else None
        return login if isinstance(login, str) else ""

    def _answer(self, status: int, found: object, needs: str) -> object:
        if is_good(status):
            return found
        why = needs if status in _OF_RIGHTS else _WHY.get(status)
        raise Unanswered(f"HTTP {status}{f': {why}' if why else ''}")

    def _repeated(self, method: str, path: str, payload: object) -> tuple[int, object]:
        status, found = self._call(method, path, payload)
        return self._call(method, path, payload) if status >= _SERVERS_OWN else (status, found)

    def _call(self, method: str, path: str, payload: object) -> tuple[int, object]:
        seconds = min(CALL_SECONDS, self.until - time.monotonic())
        if seconds <= 0:
            raise TimeoutError
        run = Run.of(self.env)
        headers = headers_for(self.token if takes_token(run.api_url, run.server_url) else None)
        return call(method, f"{run.api_url.rstrip('/')}/{path}", headers, payload, seconds)
