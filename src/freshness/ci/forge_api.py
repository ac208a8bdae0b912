"""Asks the forge's API whose a pull request is; both forges have the same address and the same fields for it."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from freshness.core.fork import fork_of
from freshness.core.secret import Secret
from freshness.errors import RepositoryError
from freshness.git.address import DEFAULT_PORTS, NOT_TRUSTED, TRUST_IT
from freshness.process.deadline import within

if TYPE_CHECKING:
    import requests

TIMEOUT_SECONDS = 30  # from the connection to the end of the answer
LARGEST = 4 * 1024 * 1024  # bytes; a description of 64 KiB, the most that GitHub takes, makes some 100 KiB
PUSH = "Push the commit to a branch, or tag it."
MAY_READ = "Let `github-token` read pull requests (`pull-requests: read`), or push the commit to a branch, or tag it."


def is_own_pull_request(api_url: str, repository: str, number: int, server_url: str, token: Secret | None) -> bool:
    """Whether the pull request's head repository is `repository` itself. One request; no redirect is followed.

    `api_url` is GITHUB_API_URL. The token goes to it only where scheme, host and port are the server's own, as on
    Gitea. Raises RepositoryError where the API cannot be asked, Refused where it does not name the head's repository.
    """
    url = f"{api_url.rstrip('/')}/repos/{repository}/pulls/{number}"
    own_host = _origin(api_url) == _origin(server_url)
    headers = headers_for(token if own_host else None)
    remedy = MAY_READ if own_host else PUSH
    return fork_of(_get(url, headers, remedy), {}, {"GITHUB_REPOSITORY": repository}) is None


def headers_for(token: Secret | None) -> dict[str, str]:
    """What every request bears."""
    accepted = {"Accept": "application/json"}
    return {**accepted, "Authorization": f"token {token.reveal()}"} if token else accepted


def takes_token(api_url: str, server_url: str) -> bool:
    """Whether the job's token is meant for this API: the server's own, or GitHub's, which has a host of its own."""
    api, server = _origin(api_url), _origin(server_url)
    return api == server or (api[::2] == server[::2] == ("https", 443) and api[1] == f"api.{server[1]}")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)


def _as_it_is(request: "requests.PreparedRequest") -> "requests.PreparedRequest":
    """Adds nothing: where requests is given no way to authorize, it takes one from `.netrc`, in place of the token."""
    return request


def _get(url: str, headers: Mapping[str, str], remedy: str) -> Mapping[str, object]:
    """What the address answers, a JSON object. Raises RepositoryError."""
    try:
        status, found = call("GET", url, headers)
    except TimeoutError as error:
        raise RepositoryError(f"asking {url}: no whole answer within {TIMEOUT_SECONDS} s.", remedy) from error
    except TooLarge as error:
        raise RepositoryError(f"asking {url}: an answer of more than {LARGEST} bytes.", remedy) from error
    except (OSError, ValueError) as error:  # every error of requests is an OSError
        why, remedy = explain_failure(error, remedy)
        raise RepositoryError(f"asking {url}: {why}.", remedy) from error
    if not isinstance(found, dict) or not is_good(status):
        raise RepositoryError(f"asking {url}: HTTP {status} without a pull request.", remedy)
    return found


class TooLarge(Exception):
    """The answer is larger than any that we ask for."""


def explain_failure(error: Exception, remedy: str) -> tuple[str, str]:
    """Why `call` raised this, in words, and what leads out: `remedy`, except where the machine is what to change."""
    import requests

    if isinstance(error, requests.exceptions.SSLError):
        return NOT_TRUSTED, TRUST_IT
    return type(error).__name__, remedy


def is_good(status: int) -> bool:
    """Whether the API did what it was asked."""
    return status in {200, 201, 204}


def call(
    method: str, url: str, headers: Mapping[str, str], payload: object = None, seconds: float | None = None
) -> tuple[int, object]:
    """The answer's status, and its JSON (None where it is none, or the status is not good). No redirect is followed.

    Raises TimeoutError, TooLarge, and what requests raises.
    """
    return within(TIMEOUT_SECONDS if seconds is None else seconds, _call, method, url, headers, payload)


def _call(method: str, url: str, headers: Mapping[str, str], payload: object) -> tuple[int, object]:
    import requests

    from freshness.process.trust import Trusting

    body = bytearray()
    with requests.Session() as session:
        if url.startswith("https:"):
            session.mount("https://", Trusting())
        with session.request(
            method, url, headers=headers, json=payload, auth=_as_it_is, timeout=TIMEOUT_SECONDS, allow_redirects=False,
            stream=True,
        ) as answer:  # fmt: skip
            for piece in answer.iter_content(64 * 1024) if is_good(answer.status_code) else ():
                body += piece
                if len(body) > LARGEST:
                    raise TooLarge
    try:
        return answer.status_code, json.loads(body)
    except (ValueError, RecursionError):
        return answer.status_code, None
