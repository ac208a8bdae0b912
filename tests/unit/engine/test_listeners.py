"""Whether what listens speaks TLS: the beginning of a handshake tells, and nothing is believed."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from freshness.engine.address import Address
from freshness.engine.listeners import speaks_tls
from tests.support.certificates import Authority


def asked(handle: Callable[[socket.socket], object]) -> bool:
    """What is told of a server that does this with one connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                handle(connection)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            return speaks_tls(Address(host="127.0.0.1", port=server.getsockname()[1]))
        finally:
            thread.join()


def test_a_server_of_https_is_known_by_its_handshake(tmp_path: Path) -> None:
    """Fails when the certificate has to be one that is trusted here."""
    issued = Authority.new(tmp_path / "authority").issue("server", "subjectAltName=DNS:elsewhere")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued / "cert.pem", issued / "key.pem")

    assert asked(lambda connection: context.wrap_socket(connection, server_side=True))


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n", b"\x16", b"\x15\x04\x00"])
def test_nothing_else_is_taken_for_it(said: bytes) -> None:
    """Fails when any answer to the beginning of a handshake is taken for TLS."""

    def answer(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(said)

    assert not asked(answer)


def test_nobody_speaks_no_tls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = Address(host="127.0.0.1", port=closed.getsockname()[1])

    assert not speaks_tls(address)
