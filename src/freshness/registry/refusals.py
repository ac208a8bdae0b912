"""Says in words why a registry did not do what it was asked, and what leads out."""

from http import HTTPStatus

import requests

from freshness.core.answer import first_line, printable
from freshness.core.manifest import NotAManifest, json_object
from freshness.core.registry_name import Repository
from freshness.errors import RegistryError
from freshness.registry.authorization import NotLetIn
from freshness.registry.transport import Misdirected, Reply, TooLarge

FAILURES = (requests.exceptions.RequestException, OSError, ValueError, TooLarge, Misdirected, NotLetIn)
"""All that a question can raise."""
_RUN_AGAIN = "Look at the registry and its log, then run again."


def is_cut(error: Exception) -> bool:
    """Whether the connection was made, and ended before the answer did: the same question may be asked again."""
    other = requests.exceptions.SSLError | requests.exceptions.ConnectTimeout
    return isinstance(error, requests.exceptions.ConnectionError | requests.exceptions.ChunkedEncodingError) and (
        not isinstance(error, other)
    )


def explain_failure(error: Exception, repository: Repository, what: str, seconds: float) -> RegistryError:
    """There was no answer."""
    doing = f"asking {repository} for {what}"
    match error:
        case requests.exceptions.SSLError():
            return RegistryError(
                f"{doing}: its certificate is not trusted, or it speaks no TLS.",
                f"Put its CA's certificate into /etc/docker/certs.d/{repository.host}/ca.crt, as Docker wants it too.",
            )
        case NotLetIn():
            return RegistryError(f"{doing}: {printable(str(error))}.", log_in(repository))
        case Misdirected():
            return RegistryError(
                f"{doing}: it leads to {printable(str(error))}; expected https.",
                "Serve the registry, its tokens and its storage with TLS: plain http is for loopback alone.",
            )
        case TooLarge():
            return RegistryError(f"{doing}: its answer is larger than any manifest.", _RUN_AGAIN)
        case TimeoutError() | requests.exceptions.Timeout():
            return RegistryError(f"{doing}: no whole answer within {seconds:g} s.", _RUN_AGAIN)
    return RegistryError(
        f"{doing}: {repository.host} cannot be reached, or cut the connection ({type(error).__name__}).",
        "Check that the registry runs, and that this machine reaches it under the name that the Docker Engine uses.",
    )


def explain_status(reply: Reply, repository: Repository, what: str) -> RegistryError:
    """There was an answer, and it is not a good one."""
    said = _said(reply.body)
    place = f" from {reply.elsewhere}" if reply.elsewhere else ""
    got = f"asking {repository} for {what}: HTTP {reply.status}{place}{f' ({said})' if said else ''}"
    if reply.elsewhere:
        return RegistryError(f"{got}, where it redirected to.", "Look at the registry's storage, then run again.")
    match reply.status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return RegistryError(f"{got}.", log_in(repository))
        case HTTPStatus.TOO_MANY_REQUESTS:
            after = printable(reply.headers.get("Retry-After", ""))
            wait = f"after {after} s" if after.isdigit() else "later"
            return RegistryError(f"{got}: too many requests.", f"Run again {wait}, or log in for a higher limit.")
    return RegistryError(f"{got}.", _RUN_AGAIN)


def log_in(repository: Repository) -> str:
    """The remedy for whoever was not let in."""
    return f"Run `docker login {repository.host}` as the user of this run, who must be allowed to push {repository}."


def _said(body: bytes) -> str:
    """The first error as registries tell it, else the first line of whatever stands between."""
    try:
        errors = json_object(body).get("errors")
    except NotAManifest:
        return first_line(body)
    told = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    return printable(" ".join(str(told[name]) for name in ("code", "message") if told.get(name)))
