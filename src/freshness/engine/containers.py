"""Containers on the Engine: who runs what, and who stands in our way."""

import contextlib
import errno
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import docker

from freshness.core.compose import Target
from freshness.engine.client import Engine, asking

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container at one moment. `started_at` is the Engine's own text; `addresses` maps network names to IPs.

    `health` is `healthy`, `unhealthy`, `starting`, or empty where the container has no HEALTHCHECK.
    """

    id: str
    name: str
    image_id: str
    status: str
    started_at: str
    restarts: int
    exit_code: int
    health: str
    addresses: Mapping[str, str]
    ports: Mapping[str, tuple[str, ...]]

    @property
    def runs(self) -> bool:
        """Whether it runs now, neither paused nor restarting."""
        return self.status == "running"

    @property
    def short_id(self) -> str:
        """The first twelve digits, as Docker prints them."""
        return self.id[:12]


def find_container(engine: Engine, name: str) -> Container | None:
    """The container with this name or ID, or None. One call to the Engine."""
    with asking(f"inspecting the container {name}"):
        try:
            return _read(engine.client.api.inspect_container(name))
        except docker.errors.NotFound:
            return None


def _read(found: Mapping[str, Any]) -> Container:
    state, network = found["State"], found.get("NetworkSettings") or {}
    return Container(
        id=found["Id"],
        name=found["Name"].removeprefix("/"),
        image_id=found["Image"],
        status=state["Status"],
        started_at=state["StartedAt"],
        restarts=found.get("RestartCount", 0),
        exit_code=state.get("ExitCode", 0),
        health=(state.get("Health") or {}).get("Status", ""),
        addresses={
            name: ends["IPAddress"] for name, ends in (network.get("Networks") or {}).items() if ends.get("IPAddress")
        },
        ports={
            port: tuple(f"{at['HostIp']}:{at['HostPort']}" for at in at_host or ())
            for port, at_host in (network.get("Ports") or {}).items()
        },
    )


def service_containers(engine: Engine, project: str, service: str) -> tuple[Container, ...]:
    """All containers of the Compose service, running or not, without one-off runs."""
    labels = [f"{PROJECT_LABEL}={project}", f"{SERVICE_LABEL}={service}", "com.docker.compose.oneoff=False"]
    with asking(f"listing the containers of {service}"):
        listed = engine.client.api.containers(all=True, filters={"label": labels})
    found = (find_container(engine, entry["Id"]) for entry in listed)
    return tuple(container for container in found if container is not None)


def running_services(engine: Engine, project: str) -> frozenset[str]:
    """The names of the project's services that have a running container."""
    with asking(f"listing the containers of the project {project}"):
        listed = engine.client.api.containers(filters={"label": f"{PROJECT_LABEL}={project}"})
    return frozenset(entry["Labels"].get(SERVICE_LABEL, "") for entry in listed)


def foreign_owners(engine: Engine, target: Target) -> Iterator[str]:
    """In words: each foreign container that holds the target's name or port, and a process on the port."""
    with asking("listing the containers"):
        listed = engine.client.api.containers(all=True)
    ours_is_up = False
    for entry in listed:
        labels = entry.get("Labels") or {}
        ours = (labels.get(PROJECT_LABEL), labels.get(SERVICE_LABEL)) == (target.project, target.service)
        name = entry["Names"][0].removeprefix("/") if entry.get("Names") else entry["Id"][:12]
        has_port = any(
            port.get("PublicPort") == target.port and port["Type"] == "tcp" for port in entry.get("Ports") or ()
        )
        ours_is_up |= ours and has_port
        if not ours and name == target.container:
            yield f"the container name {name} belongs to {_owner(labels)}"
        if not ours and has_port:
            yield f"port {target.port} belongs to the container {name} of {_owner(labels)}"
            ours_is_up = True
    if engine.is_local and not ours_is_up and not _is_free(target):
        yield f"port {target.port} on {target.address} belongs to a process that is no container"


def _owner(labels: Mapping[str, str]) -> str:
    if PROJECT_LABEL not in labels:
        return "no Compose project"
    return f"the Compose project {labels[PROJECT_LABEL]}, service {labels.get(SERVICE_LABEL, 'unknown')}"


def _is_free(target: Target) -> bool:
    """Whether nothing listens on the port. Inside a job's container this looks at the container's own ports only."""
    everywhere = target.address == "0.0.0.0"  # noqa: S104 - compared, and bound only to look whether it is taken
    return all(
        _can_bind(address, target.port) for address in ((target.address, "::") if everywhere else (target.address,))
    )


def _can_bind(address: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with contextlib.ExitStack() as stack:
        try:
            trial = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
        except OSError:
            return True  # no IPv6 on this machine: nobody else listens there either
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free
        if family == socket.AF_INET6:
            trial.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            trial.bind((address, port))
        except OSError as error:
            return error.errno != errno.EADDRINUSE  # an address that is not ours is Docker's to judge
        return True


def tail(engine: Engine, container: Container, lines: int = 30) -> list[str]:
    """The last lines of the container's log: foreign text."""
    with asking(f"reading the log of {container.name}"):
        raw: bytes = engine.client.api.logs(container.id, stdout=True, stderr=True, tail=lines)
    return raw.decode(errors="replace").splitlines()
