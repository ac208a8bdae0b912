"""Reaches the Docker Engine, and turns what docker-py raises into our errors."""

import atexit
import os
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import docker
import requests
from docker.context import ContextAPI
from docker.context.config import get_current_context_name
from docker.utils import kwargs_from_env

from freshness.core.endpoint import FORMS, host_of, lacks_host, read_ssh, shown
from freshness.engine.session import Client, ConnectionLost
from freshness.engine.ssh import Tunnel, opened
from freshness.errors import EngineError, FreshnessError, SettingsError

# An answer that takes longer means a hanging Engine, where no setting says otherwise.
TIMEOUT_SECONDS = 60
_TIMEOUT = re.compile(r"timeout=([0-9.]+)")  # urllib3's words
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
DEFAULT_ENDPOINT = "unix:///var/run/docker.sock"
# What would name an Engine, or how to speak with it, beside the DOCKER_HOST that we set.
_NAMING = frozenset({"DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A reached Engine: its own `id`, the `endpoint` where it was reached, the Docker `context` that names it.

    `env` is the environment for Docker's plugins, so that they reach the same Engine. `tunnel` is the login that leads
    there, None where none is needed. An answer that takes longer than `timeout` seconds means that it hangs.
    """

    client: docker.DockerClient
    endpoint: str
    context: str
    id: str
    env: Mapping[str, str]
    timeout: float
    tunnel: Tunnel | None = None

    @property
    def is_local(self) -> bool:
        """Whether it listens on this machine, so that published ports are this machine's too."""
        return self.tunnel is None and (host_of(self.endpoint) or "localhost") in LOOPBACK

    @property
    def lifelines(self) -> tuple[int, ...]:
        """The descriptors that a child needs that must reach this Engine without us."""
        return (self.tunnel.lifeline,) if self.tunnel else ()


def reach(env: Mapping[str, str], timeout: float = TIMEOUT_SECONDS) -> Engine:
    """Connects to the Engine that `DOCKER_HOST`, else the Docker context names.

    Logs in once where that is ssh://; the login ends with this process, and with what has its lifeline. Raises
    SettingsError where no host is named, else EngineError with the remedy.
    """
    context = _context_name(env)
    endpoint = env.get("DOCKER_HOST") or f"the Docker context {context!r}"
    tunnel = None
    try:
        endpoint = _endpoint(env, context)
        _refuse_hostless(env, context, endpoint)
        where = _address(env, context)
        ssh, endpoint = read_ssh(endpoint), shown(endpoint)
        if ssh:
            tunnel = opened(ssh, endpoint, env)
            where, context, env = {"base_url": f"unix://{tunnel.docker}"}, "default", _through(tunnel, env)
        client = Client(tunnel, timeout, where)
        if tunnel:  # which waits for the last connection: before it is let go, ours are closed
            atexit.register(client.close)
        return Engine(
            client=client,
            endpoint=endpoint,
            context=context,
            id=client.info()["ID"],
            env=env,
            timeout=timeout,
            tunnel=tunnel,
        )
    except FreshnessError:
        raise
    except (
        docker.errors.DockerException,
        requests.exceptions.RequestException,
        ValueError,
        OSError,
        KeyError,
        TypeError,
    ) as error:
        if tunnel:
            raise tunnel.refusal(_cause(error)) from error
        raise EngineError(
            f"The Docker Engine at {shown(endpoint)} cannot be reached: {shown(_cause(error))}.",
            _remedy(shown(endpoint), error),
        ) from error


def _context_name(env: Mapping[str, str]) -> str:
    name: str = "default" if env.get("DOCKER_HOST") else env.get("DOCKER_CONTEXT") or get_current_context_name()
    return name


def _endpoint(env: Mapping[str, str], context: str) -> str:
    return env.get("DOCKER_HOST") or str(_context_address(context)["base_url"])


def _address(env: Mapping[str, str], context: str) -> dict[str, Any]:
    return dict(kwargs_from_env(env)) if env.get("DOCKER_HOST") else _context_address(context)


def _refuse_hostless(env: Mapping[str, str], context: str, endpoint: str) -> None:
    """A remote Engine is asked for and none is named, or not as both docker-py and Docker's plugins understand it."""
    if lacks_host(endpoint):
        place = "DOCKER_HOST" if env.get("DOCKER_HOST") else f"The Docker context {context!r}"
        raise SettingsError(f"{place} is {shown(endpoint)!r}, which names no host; expected one.", f"Write {FORMS}.")
    if env.get("DOCKER_TLS_VERIFY") and not env.get("DOCKER_HOST") and context == "default":
        raise SettingsError(
            "DOCKER_TLS_VERIFY is set, and no Engine is named whose certificate could be verified.",
            "Set DOCKER_HOST to tcp://host:port too, or unset DOCKER_TLS_VERIFY.",
        )
    if env.get("DOCKER_CERT_PATH") and not env.get("DOCKER_TLS_VERIFY") and endpoint.startswith("tcp://"):
        raise SettingsError(
            f"DOCKER_CERT_PATH is set for {shown(endpoint)}, and DOCKER_TLS_VERIFY is not: anybody could answer there.",
            "Set DOCKER_TLS_VERIFY=1, or unset DOCKER_CERT_PATH.",
        )


def _through(tunnel: Tunnel, env: Mapping[str, str]) -> dict[str, str]:
    """The environment in which Docker's plugins find our end of the tunnel."""
    kept = {name: value for name, value in env.items() if name not in _NAMING}
    return {**kept, "DOCKER_HOST": f"unix://{tunnel.docker}"}


def staying_here(env: Mapping[str, str]) -> dict[str, str]:
    """The environment for a plugin that needs no Engine: behind ssh:// it would log in all the same, more than once.

    Raises EngineError for a context that is not there.
    """
    with asking("reading the Docker context"):
        endpoint = _endpoint(env, _context_name(env))
    if not endpoint.startswith("ssh://"):
        return dict(env)
    kept = {name: value for name, value in env.items() if name not in _NAMING}
    return {**kept, "DOCKER_HOST": f"unix://{os.devnull}"}


def _context_address(name: str) -> dict[str, Any]:
    address: dict[str, Any] = dict(ContextAPI.kwargs_from_context(name))
    if not address and name != "default":
        raise EngineError(f"There is no Docker context named {name!r}.", "Correct DOCKER_CONTEXT, or set DOCKER_HOST.")
    return address or {"base_url": DEFAULT_ENDPOINT}


def _cause(error: Exception) -> str:
    """The innermost reason in words, without Python's own wrapping."""
    inner: BaseException = error
    while inner.__cause__ or (inner.__context__ and not inner.__suppress_context__):
        inner = inner.__cause__ or inner.__context__ or inner
    inner = next((told for told in inner.args if isinstance(told, ssl.SSLError)), inner)  # urllib3 wraps it so
    if isinstance(inner, ssl.SSLError):  # whose number is OpenSSL's
        return f"TLS: {getattr(inner, 'verify_message', None) or inner.reason or inner}"
    return os.strerror(inner.errno) if isinstance(inner, OSError) and inner.errno else str(inner).strip().rstrip(".")


def _remedy(endpoint: str, error: Exception) -> str:
    cause = _cause(error)
    if "Permission denied" in cause:
        return (
            "Let the runner's user use the socket (add it to the group `docker`), or mount the socket with that right."
        )
    if "No such file" in cause:
        return "Start Docker, mount its socket into the job's container, or set DOCKER_HOST to where it listens."
    if cause.startswith("TLS"):
        return (
            "DOCKER_CERT_PATH must hold the ca.pem that signed the Engine's certificate, and a cert.pem and key.pem"
            " that the Engine's own CA signed; the host in DOCKER_HOST must be one that its certificate names."
        )
    return f"Start Docker, or correct DOCKER_HOST (now {shown(endpoint)}: unix:///path/to/socket or tcp://host:port)."


@contextmanager
def asking(doing: str) -> Iterator[None]:
    """Wraps calls to the Engine: what they raise becomes an EngineError that says what was being done."""
    try:
        yield
    except ConnectionLost as error:
        raise EngineError(f"{doing}: {error}.", "Look at that host and at the way to it, then run again.") from error
    except requests.exceptions.Timeout as error:
        raise EngineError(
            f"{doing}: the Engine did not answer within {_waited(error)} s.",
            "Look at the Docker daemon, then run again; `engine-timeout` is how long it may take.",
        ) from error
    except (docker.errors.DockerException, requests.exceptions.RequestException, OSError) as error:
        said = getattr(error, "explanation", None) or _cause(error)
        raise EngineError(f"{doing}: the Engine said: {said}.", "Look at the Docker daemon, then run again.") from error


def _waited(error: requests.exceptions.Timeout) -> str:
    """The seconds that the request was given, which its error alone still knows."""
    found = _TIMEOUT.search(str(error))
    return found[1] if found else "the given"


def insist_reachable(engine: Engine, doing: str) -> None:
    """For what a child of ours could not do: raises EngineError where the Engine does not answer, and is the reason."""
    with asking(doing):
        engine.client.ping()
