"""Looks into a container for why nobody answers: what listens there, and in which language. It never judges."""

import ssl
import time
from contextlib import closing, suppress
from pathlib import Path

import docker

from freshness.core.answer import Answer, AnswerKind
from freshness.core.listening import explain_no_listener, read_listeners
from freshness.engine.address import Address
from freshness.engine.client import Engine, engine_call
from freshness.engine.containers import Container
from freshness.engine.execution import ContainerEnded, Execution
from freshness.errors import EngineError

TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
SECONDS = 2.0
LONGEST_TABLE = 256 * 1024  # bytes
TLS_RECORDS = (b"\x16\x03", b"\x15\x03")  # how a handshake and an alert begin


def explain_no_answer(engine: Engine, container: Container, address: Address, port: int, answer: Answer) -> str:
    """What is behind a connection that was refused, or closed without HTTP, in words; empty where that is clear."""
    if answer.kind not in {AnswerKind.NO_CONNECTION, AnswerKind.NOT_HTTP}:
        return ""
    if speaks_tls(address):
        return (
            "the port speaks HTTPS, but the probe uses HTTP: offer plain HTTP on a port or path, or use a HEALTHCHECK"
        )
    if answer.kind is AnswerKind.NOT_HTTP:
        return ""
    table = _read_here(engine, container) or _read_inside(engine, container)
    if table is None:
        return (
            f"nothing seems to listen on port {port} inside the container (does the service listen on 127.0.0.1"
            " only, on another port, or with HTTPS?)"
        )
    return explain_no_listener(read_listeners(table), port) or (
        f"something listens on port {port} inside the container, but does not answer with HTTP"
    )


def speaks_tls(address: Address) -> bool:
    """Whether what listens there takes up the beginning of a TLS handshake, or refuses it as TLS does."""
    outgoing = ssl.MemoryBIO()
    hello = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=address.host)
    with suppress(ssl.SSLWantReadError):
        hello.do_handshake()
    try:
        with closing(address.connect(SECONDS)) as connection:
            connection.sendall(outgoing.read())
            return connection.recv(len(TLS_RECORDS[0])) in TLS_RECORDS
    except OSError:
        return False


def _read_here(engine: Engine, container: Container) -> str | None:
    """The tables by this machine's own /proc, for images without any program; None where the container is elsewhere."""
    if not engine.is_local:
        return None
    with suppress(EngineError, OSError, docker.errors.NotFound):
        with engine_call(f"inspecting the container {container.name}"):
            process = Path("/proc", str(engine.client.api.inspect_container(container.id)["State"]["Pid"]))
        if container.id in (process / "cgroup").read_text(errors="replace"):  # not another machine's number
            return "\n".join((process / table.removeprefix("/proc/")).read_text() for table in TABLES)
    return None


def _read_inside(engine: Engine, container: Container) -> str | None:
    """The tables by a program of the image, whose output is untrusted; None where it has no such program."""
    said = bytearray()

    def keep(_stream: int, piece: bytes) -> None:
        said.extend(piece[: LONGEST_TABLE - len(said)])

    with suppress(EngineError, ContainerEnded, OSError):
        connection = Execution.of(engine, container, ("cat", *TABLES), {}, with_input=True).start()
        if connection is None:
            return None
        try:
            connection.listen(time.monotonic() + SECONDS, keep, lambda: False)
        finally:
            connection.close()
    text = said.decode(errors="replace")
    return text if "local_address" in text else None
