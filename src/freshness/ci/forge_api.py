"""Asks the forge's API whose a pull request is; both forges have the same address and the same fields for it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from freshness.core.fork import fork_of
from freshness.core.secret import Secret
from freshness.errors import RepositoryError
from freshness.git.address import DEFAULT_PORTS

if TYPE_CHECKING:
    import requests

TIMEOUT_SECONDS = 30
PUSH = "Push the commit to a branch, or tag it."
MAY_READ = "Let `github-token` read pull requests (`pull-requests: read`), or push the commit to a branch, or tag it."


def is_own_pull_request(api_url: str, repository: str, number: int, server_url: str, token: Secret | None) -> bool:
    """Whether the pull request's head repository is `repository` itself. One request; no redirect is followed.

    `api_url` is GITHUB_API_URL. The token goes to it only where scheme, host and port are the server's own, as on
    Gitea. Raises RepositoryError where the API cannot be asked, Refused where it does not name the head's repository.
    """
    url = f"{api_url.rstrip('/')}/repos/{repository}/pulls/{number}"
    own_host = _origin(api_url) == _origin(server_url)
    headers = {"Accept": "application/json"}
    if token is not None and own_host:
        headers["Authorization"] = f"token {token.reveal()}"
    remedy = MAY_READ if own_host else PUSH
    return fork_of(_get(url, headers, remedy), {}, {"GITHUB_REPOSITORY": repository}) is None


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)


def _as_it_is(request: "requests.PreparedRequest") -> "requests.PreparedRequest":
    """Adds nothing: where requests is given no way to authorize, it takes one from `.netrc`, in place of the token."""
    return request


def _get(url: str, headers: Mapping[str, str], remedy: str) -> Mapping[str, object]:
    import requests

    try:
        answer = requests.get(url, headers=headers, auth=_as_it_is, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        pull_request = answer.json() if answer.status_code == requests.codes.ok else None
    except (requests.exceptions.RequestException, ValueError) as error:
        raise RepositoryError(f"asking {url}: {type(error).__name__}.", remedy) from error
    if not isinstance(pull_request, dict):
        raise RepositoryError(f"asking {url}: HTTP {answer.status_code} without a pull request.", remedy)
    return pull_request
