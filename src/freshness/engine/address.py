"""The address at which a target is probed: this machine's, a remote host's own, or one over the ssh login."""

import ipaddress
import socket
from pathlib import Path

from msgspec import Struct

from freshness.core.compose import Target
from freshness.core.endpoint import host_of
from freshness.engine.client import Engine
from freshness.engine.containers import Container
from freshness.errors import EngineError, SettingsError

LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- compared, never bound
INSTEAD = "or set `health-path` to `none` and give the image a HEALTHCHECK"


class Address(Struct, frozen=True, kw_only=True):
    """A numeric host and a port. `door` is a socket of ours that leads there, None where we connect ourselves."""

    host: str
    port: int
    socket_path: Path | None = None

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def connect(self, seconds: float) -> socket.socket:
        """A connection, whose every wait may take as long. No name is resolved. Raises OSError."""
        if self.socket_path is None:
            return socket.create_connection((self.host, self.port), seconds)
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(seconds)
        try:
            connection.connect(str(self.socket_path))
        except OSError:
            connection.close()
            raise
        return connection


def address_of(engine: Engine, target: Target, container: Container) -> Address:
    """The address on which the port is published, else the container's own.

    Raises SettingsError for what cannot be probed from here, EngineError.
    """
    if engine.tunnel is None and not engine.is_local:
        return Address(host=_host_elsewhere(engine, target), port=target.port)
    host, port = _on_the_host(target) if target.is_published else (_own_host(container), target.container_port)
    return Address(host=host, port=port, socket_path=engine.tunnel.port(host, port) if engine.tunnel else None)


def require_reachable_port(engine: Engine, target: Target) -> None:
    """Raises SettingsError where the port of a remote target can never be probed from here, EngineError."""
    if engine.tunnel is None and not engine.is_local:
        _host_elsewhere(engine, target)


def _on_the_host(target: Target) -> tuple[str, int]:
    """The wildcards are asked on loopback, of their own family."""
    return LOOPBACK_OF.get(target.address, target.address), target.port


def _own_host(container: Container) -> str:
    """Where the container itself answers: the Docker host reaches every bridge network of its own."""
    if not container.addresses:
        raise EngineError(
            f"The container {container.name} has no network over which it could be probed.",
            "Attach the service to a bridge network, Compose's default.",
        )
    return container.addresses[min(container.addresses)]


def _host_elsewhere(engine: Engine, target: Target) -> str:
    """The address of the Engine's host at which the target is published."""
    hosts = _resolve(host_of(engine.endpoint) or "")
    if target.is_published and target.address in LOOPBACK_OF:  # Docker publishes on those of both families
        version = ipaddress.ip_address(target.address).version
        return min(hosts, key=lambda host: ipaddress.ip_address(host).version != version)
    if target.is_published and target.address in hosts:
        return target.address
    published = f"only on {target.address} of its host" if target.is_published else "nowhere"
    raise SettingsError(
        f"The Engine at {engine.endpoint} is on another machine, and the port of {target.service} is published"
        f" {published}: it cannot be probed from here.",
        f"Connect to that Engine by ssh://, publish the port on {hosts[0]} or on all addresses, {INSTEAD}.",
    )


def _resolve(host: str) -> list[str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise EngineError(f"The host {host} of the Engine has no address: {error.strerror}.", "Correct it.") from error
    return [str(entry[4][0]) for entry in found]
