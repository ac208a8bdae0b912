"""Where probes start: on the Docker host, or in a job's container that joins one of staging's networks for a moment.

A job in a container has a network of its own, where `localhost:8501` is not the Docker host; staging itself is never
connected to the job's network, which would then stay for ever.
"""

import contextlib
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

import docker
from msgspec import Struct

from freshness.core.compose import Target
from freshness.core.run import Run
from freshness.engine.address import Address, address_of
from freshness.engine.client import Engine, engine_call
from freshness.engine.containers import Container, find_container
from freshness.engine.lock_liveness import own_container
from freshness.errors import EngineError


class Prober(Struct, frozen=True, kw_only=True):
    """`job` is the container that this process runs in, or None on the Docker host itself."""

    job: str | None

    @contextlib.contextmanager
    def address(self, engine: Engine, target: Target, container: Container) -> Iterator[Address]:
        """The address at which the container's port is probed, for as long as the block lasts."""
        if self.job is None:
            yield address_of(engine, target, container)
            return
        with _joined(engine, self.job, container) as host:
            yield Address(host=host, port=target.container_port)


def find_prober(engine: Engine, env: Mapping[str, str]) -> Prober:
    """Finds out whether this process runs in a container of this Engine that has a network of its own."""
    for name in (Run.of(env).container, socket.gethostname()):
        found = _own_container(engine, name) if name else None
        if found is not None:
            return Prober(job=found)
    return Prober(job=None)


def _own_container(engine: Engine, name: str) -> str | None:
    with engine_call("looking for the job's own container"):
        try:
            found = engine.client.api.inspect_container(name)
        except docker.errors.NotFound:
            return None
    if found["HostConfig"]["NetworkMode"] == "host" or not _is_ours(found["Id"], found["Config"]["Hostname"]):
        return None
    identity: str = found["Id"]
    return identity


def _is_ours(container_id: str, hostname: str) -> bool:
    """Whether that container is the one we run in: a host may carry the name of some container by accident."""
    return container_id == own_container() or (hostname == socket.gethostname() and Path("/.dockerenv").exists())


@contextlib.contextmanager
def _joined(engine: Engine, job: str, container: Container) -> Iterator[str]:
    """Puts the job's container into one of staging's networks, yields staging's address there, and leaves again."""
    here = find_container(engine, job)
    shared = sorted(set(container.addresses) & set(here.addresses if here else ()))
    if shared:
        yield container.addresses[shared[0]]
        return
    if not container.addresses:
        raise EngineError(
            f"The container {container.name} has no network that the job's container could join.",
            "Give the service a bridge network, as Compose does by default.",
        )
    network = min(container.addresses)
    with engine_call(f"joining the network {network}"):
        engine.client.api.connect_container_to_network(job, network)
    try:
        yield container.addresses[network]
    finally:
        with engine_call(f"leaving the network {network}"), contextlib.suppress(docker.errors.NotFound):
            engine.client.api.disconnect_container_from_network(job, network, force=True)
