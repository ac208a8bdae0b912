"""A command that the Engine runs in a container by `exec`: started, listened to, and asked how it ended.

What ends the connection ends nothing else, and says nothing of the command: its exit status is the Engine's to tell.
"""

import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Any

import docker
import requests
from msgspec import Struct

from freshness.core.multiplex import Demultiplexer
from freshness.engine.client import Engine, engine_call
from freshness.engine.containers import Container
from freshness.engine.session import ConnectionLost
from freshness.errors import EngineError

# Sent again and again, for a proxy that closes what it takes for idle.
KEEPALIVE_SECONDS = 1
END_SECONDS = 5  # until the Engine knows that a command ended which has ended
REST_SECONDS = 1  # for what a command said before it ended
PAUSE_SECONDS = 0.05
LONGEST_PAUSE = 1.0
_PIECE = 65_536  # bytes
_NO_PROGRAM = frozenset({126, 127})


class ContainerEnded(Exception):
    """The container is gone, or does not run: nothing runs in it."""


class ExecState(Struct, frozen=True, kw_only=True):
    """What the Engine says of a command: whether it runs, and its exit status, None where there is none yet."""

    runs: bool
    status: int | None


class Execution(Struct, frozen=True, kw_only=True):
    """One command in the container; `id` is the Engine's."""

    engine: Engine
    id: str

    @classmethod
    def of(
        cls,
        engine: Engine,
        container: Container,
        command: Sequence[str],
        variables: Mapping[str, str],
        *,
        with_input: bool,
    ) -> "Execution":
        """A command that is not yet started. Raises ContainerEnded."""
        with _exec_call("preparing the staging check"):
            made = engine.client.api.exec_create(
                container.id, list(command), stdin=with_input, environment=dict(variables)
            )
        return cls(engine=engine, id=made["Id"])

    def start(self) -> "Connection | None":
        """Starts it, and returns our connection to it; None where the container has no such program.

        Raises ContainerEnded, EngineError.
        """
        try:
            with _exec_call("starting the staging check"):
                return Connection(self.engine.client.api.exec_start(self.id, socket=True))
        except EngineError as error:
            # Some runtimes say so by cutting the connection, others by an error of the Engine.
            if isinstance(error.__cause__, requests.exceptions.Timeout | ConnectionLost):
                raise
            if self.poll().status not in _NO_PROGRAM:
                raise
            return None

    def start_detached(self) -> None:
        """Starts it and does not listen. Raises as `start`."""
        with _exec_call("starting a command in the container"):
            self.engine.client.api.exec_start(self.id, detach=True)

    def poll(self) -> ExecState:
        """What the Engine says of it now. Raises ContainerEnded, EngineError."""
        with _exec_call("inspecting the staging check"):
            found = self.engine.client.api.exec_inspect(self.id)
        return ExecState(runs=bool(found["Running"]), status=found.get("ExitCode"))

    def wait(self, deadline: float) -> ExecState:
        """Asks until it has ended or the deadline is over, at least once. Raises as `look`."""
        pause = PAUSE_SECONDS
        while True:
            ended = self.poll()
            left = deadline - time.monotonic()
            if not ended.runs or left <= 0:
                return ended
            time.sleep(min(pause, left))
            pause = min(2 * pause, LONGEST_PAUSE)


@contextmanager
def _exec_call(doing: str) -> Iterator[None]:
    """As `asking`, but raises ContainerEnded where the Engine says that the container is gone or does not run."""
    try:
        with engine_call(doing):
            yield
    except EngineError as error:
        cause = error.__cause__
        if isinstance(cause, docker.errors.APIError) and cause.status_code in {
            HTTPStatus.NOT_FOUND,
            HTTPStatus.CONFLICT,
        }:
            raise ContainerEnded(cause.explanation) from error
        raise


def _demultiplexed(frames: Demultiplexer, data: bytes) -> Iterator[tuple[int, bytes]]:
    try:
        yield from frames.feed(data)
    except ValueError as error:
        raise EngineError(
            f"reading the staging check's output: the Engine sent something else: {error}.",
            "Check the network to the Engine, then run again.",
        ) from error


class Connection:
    """The bytes that come from a command, and a sign of life that goes to it. Closing it is what WRAPPER waits for."""

    def __init__(self, attached: Any) -> None:
        # docker-py gives the file over the socket, and over TLS the socket; what came together with the answer's head
        # is still in the response, where it would be lost.
        self._attached = attached
        self._socket: socket.socket = getattr(attached, "_sock", attached)
        self._response = attached._response  # noqa: SLF001 -- docker-py keeps it there
        self._first = self._read_ahead()

    def _read_ahead(self) -> bytes:
        self._socket.settimeout(0)
        with suppress(OSError):  # TLS has no other way to say that there is nothing
            return bytes(self._response.raw._fp.fp.read1(_PIECE) or b"")  # noqa: SLF001
        return b""

    def listen(self, deadline: float, receive: Callable[[int, bytes], object], is_over: Callable[[], bool]) -> bool:
        """Hands over what comes. False where the deadline is over first, else the end has come.

        Once `is_over`, only what is still under way is waited for. Raises EngineError for what is no such stream.
        """
        frames, alive = Demultiplexer(), time.monotonic()
        while (now := time.monotonic()) < deadline:
            if is_over():
                deadline = min(deadline, now + REST_SECONDS)
            if now >= alive:
                alive = now + KEEPALIVE_SECONDS
                self._send_keepalive()
            data = self._receive(min(deadline, alive) - now)
            if data == b"":
                return True
            for stream, piece in _demultiplexed(frames, data or b""):
                receive(stream, piece)
        return is_over()

    def _send_keepalive(self) -> None:
        with suppress(OSError):  # the end is found by who reads
            self._socket.settimeout(KEEPALIVE_SECONDS)
            self._socket.sendall(b"\n")

    def _receive(self, seconds: float) -> bytes | None:
        """What came; None where nothing did, and nothing at all at the end."""
        if self._first:
            first, self._first = self._first, b""
            return first
        self._socket.settimeout(max(seconds, PAUSE_SECONDS))
        try:
            return self._socket.recv(_PIECE)
        except TimeoutError:
            return None
        except OSError:
            return b""

    def close(self) -> None:
        """The Engine closes the command's standard input then."""
        with suppress(OSError):
            # Not SSLSocket's own, which forgets TLS before another thread is done with it.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        self._response.close()
        self._attached.close()
