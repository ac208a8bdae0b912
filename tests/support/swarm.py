"""A Swarm of real Engines on a wire of their own: each in a network namespace, joined by a bridge in one more."""

import contextlib
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker.errors

from tests.support.daemon import Daemon, running_daemon
from tests.support.engines import CLASSIC, Engine
from tests.support.registries import Registry, running_registry
from tests.support.runner import eventually

NETWORK = "10.215.0"
OVERLAYS = "10.216.0.0/16"
"""Nowhere near the wire's own addresses, nor those of the Engines' bridges."""
WIRE = "ip link set lo up; ip link add wire type bridge; ip link set wire up; echo up; read -r _"
"""Holds the bridge until its input ends, as it does when we die; the links go with their namespaces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One Engine of the Swarm; `wire` is the process that holds the bridge."""

    name: str
    address: str
    engine: Engine
    wire: int

    @property
    def daemon(self) -> Daemon:
        assert self.engine.daemon is not None
        return self.engine.daemon

    def cut(self) -> None:
        """Nothing passes between this node and the others any more; its containers go on."""
        _ip(self.wire, "link", "set", self.name, "down")

    def restore(self) -> None:
        _ip(self.wire, "link", "set", self.name, "up")


@dataclass(frozen=True, slots=True, kw_only=True)
class Swarm:
    """Its nodes, managers first; `registry` is the same one on each node's own loopback, so that plain HTTP will do."""

    nodes: tuple[Node, ...]
    managers: int
    registry: Registry

    @property
    def manager(self) -> Node:
        return self.nodes[0]

    @property
    def workers(self) -> tuple[Node, ...]:
        return self.nodes[self.managers :]

    def states(self) -> dict[str, str]:
        """Each node's state as the first manager has it, by its name: `ready`, `down`, `unknown`."""
        listed = self.manager.engine.docker.api.nodes()
        return {node["Description"]["Hostname"]: node["Status"]["State"] for node in listed}

    def mend(self) -> None:
        """Undoes what a test did to links and daemons, and waits until each node is ready."""
        for node in self.nodes:
            node.restore()
            node.engine.mend()
        self.wait_until_whole()

    def wait_until_whole(self) -> None:
        eventually(self._is_whole, "all nodes ready", seconds=180)

    def _is_whole(self) -> bool:
        with contextlib.suppress(docker.errors.APIError):
            return self.states() == {node.name: "ready" for node in self.nodes}
        return False


@contextlib.contextmanager
def running_swarm(folder: Path, *, managers: int = 1, workers: int = 2, password: bool = False) -> Iterator[Swarm]:
    """For as long as the block lasts, or this process. The registry, which may want a `password`, lies in `folder`."""
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        wire = stack.enter_context(_wire())
        nodes = tuple(stack.enter_context(_node(number, wire)) for number in range(managers + workers))
        list(pool.map(lambda node: node.engine.wait_until_it_answers(), nodes))
        _join(nodes, managers, pool)
        registry = stack.enter_context(_registry_on(nodes[0], folder, password=password))
        for node in nodes[1:]:
            stack.enter_context(_registry_on(node, folder, password=password, port=registry.port))
        swarm = Swarm(nodes=nodes, managers=managers, registry=registry)
        swarm.wait_until_whole()
        yield swarm


@contextlib.contextmanager
def _wire() -> Iterator[int]:
    with subprocess.Popen(
        ["unshare", "--net", "sh", "-c", WIRE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"up\n"
        yield holder.pid
        holder.communicate()


@contextlib.contextmanager
def _node(number: int, wire: int) -> Iterator[Node]:
    """An Engine with one end of a link in its namespace, and the other one, of its own name, at the bridge."""
    name, address = f"node{number}", f"{NETWORK}.{number + 1}"
    with running_daemon(CLASSIC, hostname=name) as daemon:
        there = daemon.network.parts[2]
        _ip(wire, "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", there)
        _ip(wire, "link", "set", name, "master", "wire", "up")
        _ip(there, "address", "add", f"{address}/24", "dev", "eth0")
        _ip(there, "link", "set", "eth0", "up")
        engine = Engine(name, daemon.host, daemon.network, daemon)
        try:
            yield Node(name=name, address=address, engine=engine, wire=wire)
        finally:
            engine.docker.close()


def _ip(namespace: object, *words: str) -> None:
    """`ip WORDS` in the network namespace of that process."""
    network = f"--net=/proc/{namespace}/ns/net"
    done = subprocess.run(["nsenter", network, "ip", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"


def _join(nodes: tuple[Node, ...], managers: int, pool: ThreadPoolExecutor) -> None:
    """The first node makes the Swarm; managers join one after the other, as Raft wants it, workers at once."""
    first = nodes[0]
    first.engine.docker.swarm.init(advertise_addr=first.address, default_addr_pool=[OVERLAYS], subnet_size=24)
    tokens: dict[str, Any] = first.engine.docker.swarm.attrs["JoinTokens"]

    def join(node: Node, token: str) -> None:
        node.engine.docker.swarm.join([first.address], join_token=token, advertise_addr=node.address)

    for node in nodes[1:managers]:
        join(node, tokens["Manager"])
    list(pool.map(lambda node: join(node, tokens["Worker"]), nodes[managers:]))


@contextlib.contextmanager
def _registry_on(node: Node, folder: Path, *, password: bool, port: int = 0) -> Iterator[Registry]:
    with node.engine.entered(), running_registry(folder, password=password, port=port) as registry:
        yield registry
