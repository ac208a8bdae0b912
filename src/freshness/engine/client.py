"""Reaches the Docker Engine, and turns what docker-py raises into our errors."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import docker
import requests
from docker.context import ContextAPI
from docker.context.config import get_current_context_name
from docker.utils import kwargs_from_env

from freshness.errors import EngineError

# An answer that takes longer than this means a hanging Engine; building and recreating are not done through it.
TIMEOUT_SECONDS = 60
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
DEFAULT_ENDPOINT = "unix:///var/run/docker.sock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A reached Engine: its own `id`, the `endpoint` where it was reached, the Docker `context` that names it.

    `env` is the environment for Docker's plugins, so that they reach the same Engine.
    """

    client: docker.DockerClient
    endpoint: str
    context: str
    id: str
    env: Mapping[str, str]

    @property
    def is_local(self) -> bool:
        """Whether it listens on this machine, so that published ports are this machine's too."""
        return "unix://" in self.endpoint or urlsplit(self.endpoint).hostname in LOOPBACK


def reach(env: Mapping[str, str]) -> Engine:
    """Connects to the Engine that `DOCKER_HOST`, else the Docker context names. Raises EngineError with the remedy."""
    context = "default" if env.get("DOCKER_HOST") else env.get("DOCKER_CONTEXT") or get_current_context_name()
    endpoint = env.get("DOCKER_HOST") or f"the Docker context {context!r}"
    try:
        where = kwargs_from_env(env) if env.get("DOCKER_HOST") else _context_address(context)
        endpoint = where["base_url"]
        _refuse_ssh(endpoint)
        client = docker.DockerClient(**where, timeout=TIMEOUT_SECONDS)
        return Engine(client=client, endpoint=endpoint, context=context, id=client.info()["ID"], env=env)
    except (
        docker.errors.DockerException,
        requests.exceptions.RequestException,
        ValueError,
        OSError,
        KeyError,
        TypeError,
    ) as error:
        raise EngineError(
            f"The Docker Engine at {endpoint} cannot be reached: {_cause(error)}.", _remedy(endpoint, error)
        ) from error


def _context_address(name: str) -> dict[str, Any]:
    address: dict[str, Any] = dict(ContextAPI.kwargs_from_context(name))
    if not address and name != "default":
        raise EngineError(f"There is no Docker context named {name!r}.", "Correct DOCKER_CONTEXT, or set DOCKER_HOST.")
    return address or {"base_url": DEFAULT_ENDPOINT}


def _refuse_ssh(endpoint: str) -> None:
    if endpoint.startswith("ssh://"):
        raise EngineError(
            f"The Docker Engine is {endpoint}; an Engine behind ssh:// is not supported.",
            "Run the job on the Docker host itself, or reach its Engine by unix:// or tcp:// with TLS.",
        )


def _cause(error: Exception) -> str:
    """The innermost reason in words, without Python's own wrapping."""
    inner: BaseException = error
    while inner.__cause__ or inner.__context__:
        inner = inner.__cause__ or inner.__context__ or inner
    return os.strerror(inner.errno) if isinstance(inner, OSError) and inner.errno else str(inner).strip().rstrip(".")


def _remedy(endpoint: str, error: Exception) -> str:
    cause = _cause(error)
    if "Permission denied" in cause:
        return (
            "Let the runner's user use the socket (add it to the group `docker`), or mount the socket with that right."
        )
    if "No such file" in cause:
        return "Start Docker, mount its socket into the job's container, or set DOCKER_HOST to where it listens."
    return f"Start Docker, or correct DOCKER_HOST (now {endpoint}: unix:///path/to/socket or tcp://host:port)."


@contextmanager
def asking(doing: str) -> Iterator[None]:
    """Wraps calls to the Engine: what they raise becomes an EngineError that says what was being done."""
    try:
        yield
    except requests.exceptions.Timeout as error:
        raise EngineError(
            f"{doing}: the Engine did not answer within {TIMEOUT_SECONDS} s.",
            "Look at the Docker daemon, then run again.",
        ) from error
    except (docker.errors.DockerException, requests.exceptions.RequestException, OSError) as error:
        said = getattr(error, "explanation", None) or _cause(error)
        raise EngineError(f"{doing}: the Engine said: {said}.", "Look at the Docker daemon, then run again.") from error
