"""Reaches the Docker Engine, and turns what docker-py raises into our errors."""

import atexit
import os
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

import docker
import requests
from msgspec import Struct

from freshness.core.endpoint import FORMS, host_of, read_ssh, shown
from freshness.engine.docker_host import DEFAULT, env_for_socket, read_docker_host
from freshness.engine.session import Client, ConnectionLost
from freshness.engine.tunnel import Tunnel, open_tunnel
from freshness.errors import EngineError, FreshnessError
from freshness.process.deadline import attended

Value = TypeVar("Value")
# An answer that takes longer means a hanging Engine, where no setting says otherwise.
TIMEOUT_SECONDS = 60
_TIMEOUT = re.compile(r"timeout=([0-9.]+)")  # urllib3's words
PAUSE_SECONDS = 0.2
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Engine(Struct, frozen=True, kw_only=True):
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
    def keepalive_fds(self) -> tuple[int, ...]:
        """The descriptors that a child needs that must reach this Engine without us."""
        return (self.tunnel.keepalive_fd,) if self.tunnel else ()


def connect(env: Mapping[str, str], timeout: float = TIMEOUT_SECONDS) -> Engine:
    """Connects to the Engine that `DOCKER_HOST`, else the Docker context names.

    Logs in once where that is ssh://; the login ends with this process, and with what has its lifeline. Raises
    SettingsError where no host is named, else EngineError with the remedy.
    """
    named = read_docker_host(env)
    tunnel = None
    try:
        where, context, endpoint = named.arguments(env), named.context, shown(named.endpoint)
        ssh = read_ssh(named.endpoint)
        if ssh:
            tunnel = open_tunnel(ssh, endpoint, env)
            where, context, env = {"base_url": f"unix://{tunnel.docker}"}, DEFAULT, env_for_socket(tunnel.docker, env)
        client = Client(tunnel, timeout, where)
        if tunnel:  # which waits for the last connection: ours are closed before it
            atexit.register(client.close)
        info = client.info()
        identity = info["ID"]
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
        raise _unreachable(named.endpoint, tunnel, error, timeout) from error
    if "BuildahVersion" in info:  # which the interface of Podman adds to what Docker's has
        raise EngineError(
            f"Podman {info.get('ServerVersion', '')} answers at {endpoint}; expected Docker Engine.",
            "Podman is not supported: install Docker Engine, and set DOCKER_HOST to where that listens.",
        )
    return Engine(
        client=client, endpoint=endpoint, context=context, id=identity, env=env, timeout=timeout, tunnel=tunnel
    )


def _unreachable(endpoint: str, tunnel: Tunnel | None, error: Exception, timeout: float) -> EngineError:
    late = isinstance(_innermost(error), TimeoutError)
    cause = f"no answer within {timeout:g} s" if late else shown(_cause(error))
    if tunnel:
        return tunnel.unreachable_error(cause)
    endpoint = shown(endpoint)
    return EngineError(f"The Docker Engine at {endpoint} cannot be reached: {cause}.", _remedy(endpoint, error))


def _innermost(error: Exception) -> BaseException:
    inner: BaseException = error
    while inner.__cause__ or (inner.__context__ and not inner.__suppress_context__):
        inner = inner.__cause__ or inner.__context__ or inner
    return next((told for told in inner.args if isinstance(told, ssl.SSLError)), inner)  # urllib3 wraps it so


def _cause(error: Exception) -> str:
    """The innermost reason in words, without Python's own wrapping."""
    inner = _innermost(error)
    if isinstance(inner, ssl.SSLError):  # whose number is OpenSSL's
        return f"TLS: {getattr(inner, 'verify_message', None) or inner.reason or inner}"
    return os.strerror(inner.errno) if isinstance(inner, OSError) and inner.errno else str(inner).strip().rstrip(".")


def _remedy(endpoint: str, error: Exception) -> str:
    cause = _cause(error)
    if "Permission denied" in cause:
        return (
            "Give the runner's user access to the socket: add it to the group `docker`, or mount the socket with"
            " that right."
        )
    if "No such file" in cause:
        return "Start Docker, mount its socket into the job's container, or set DOCKER_HOST to where it listens."
    if cause.startswith("TLS"):
        return (
            "DOCKER_CERT_PATH must hold the ca.pem that signed the Engine's certificate, and a cert.pem and key.pem"
            " that the Engine's own CA signed. The Engine's certificate must name the host in DOCKER_HOST."
        )
    return f"Start Docker, or correct DOCKER_HOST (now {shown(endpoint)}): unix:///path/to/socket, {FORMS}."


@contextmanager
def engine_call(doing: str) -> Iterator[None]:
    """Wraps calls to the Engine: what they raise becomes an EngineError that says what was being done."""
    try:
        yield
    except ConnectionLost as error:
        raise EngineError(f"{doing}: {error}.", "Check that host and the network to it, then run again.") from error
    except requests.exceptions.Timeout as error:
        raise EngineError(
            f"{doing}: the Engine did not answer within {_waited(error)} s.",
            "Check the Docker daemon, then run again, or raise `engine-timeout`.",
        ) from error
    except (docker.errors.DockerException, requests.exceptions.RequestException, OSError) as error:
        said = getattr(error, "explanation", None) or _cause(error)
        raise EngineError(f"{doing}: the Engine said: {said}.", "Check the Docker daemon, then run again.") from error


def _waited(error: requests.exceptions.Timeout) -> str:
    """The seconds that the request was given, which its error alone still knows."""
    found = _TIMEOUT.search(str(error))
    return f"{float(found[1]):g}" if found else "the given"


def time_of(engine: Engine) -> datetime:
    """The Engine's own clock, which made all its times. Raises EngineError."""
    with engine_call("asking for the Engine's time"):
        return datetime.fromisoformat(engine.client.info()["SystemTime"])


def wait_until_reachable(engine: Engine, doing: str) -> None:
    """Gives an Engine that is started anew its time to come back. Raises EngineError after the engine's `timeout`."""
    deadline = time.monotonic() + engine.timeout
    while True:
        try:
            return require_reachable(engine, doing)
        except EngineError:
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_SECONDS)


def busy(engines: Sequence[Engine], seconds: float, doing: str, work: Callable[[], Value]) -> Value:
    """What `work` returns or raises: it takes Engines so long, and they may say nothing, as long as they answer beside.

    Raises TimeoutError where it takes longer, EngineError where one of them hangs meanwhile.
    """

    def look() -> None:
        for engine in engines:
            require_reachable(engine, doing)

    return attended(seconds, min(engine.timeout for engine in engines), look, work)


def require_reachable(engine: Engine, doing: str) -> None:
    """For what a child of ours could not do: raises EngineError where the Engine does not answer, and is the reason."""
    with engine_call(doing):
        engine.client.ping()
