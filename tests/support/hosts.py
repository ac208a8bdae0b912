"""Several Docker hosts: each a real Engine with a network of its own, that a run reaches by a real login over ssh."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from docker.models.containers import Container

from tests.support.docker_proxy import DockerProxy, docker_proxy
from tests.support.engines import Engine, Sandbox
from tests.support.ssh_server import SSH, SshServer, libraries, serve_logins

REACH = """
import os, socket, sys, threading
reached = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
def send():
    while data := os.read(0, 65536):
        reached.sendall(data)
    reached.shutdown(socket.SHUT_WR)
threading.Thread(target=send, daemon=True).start()
while data := reached.recv(65536):
    os.write(1, data)
"""
"""Leads ssh to a port on the other host's own loopback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerHost:
    """A host called `name`, whose Engine a run reaches through `server`, and then through `proxy`."""

    name: str
    sandbox: Sandbox
    proxy: DockerProxy
    server: SshServer

    @property
    def url(self) -> str:
        """What `docker-host` calls it."""
        return f"ssh://{self.name}{self.proxy.host.removeprefix('unix://')}"

    def containers(self) -> list[Container]:
        """The test's own that run there."""
        found: list[Container] = self.sandbox.docker.containers.list(filters={"name": self.sandbox.name})
        return found

    def get(self, port: int, path: str = "/version") -> str:
        """What answers there."""
        with self.sandbox.engine.entered():
            return self.sandbox.wait_for(port, path)


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerHosts:
    """The hosts, and the PATH on which `ssh` knows them by their names."""

    hosts: tuple[DockerHost, ...]
    path: str

    @property
    def variables(self) -> dict[str, str]:
        """With which a run promotes over all of them."""
        return {"PROD_DOCKER_HOST": " ".join(one.url for one in self.hosts), "PATH": self.path}


@contextmanager
def docker_hosts(engines: Sequence[Engine], sandbox: Sandbox, folder: Path, path: str) -> Iterator[DockerHosts]:
    """A host for each Engine; what a test makes there goes with the block."""
    folder.mkdir()
    (folder / "reach.py").write_text(REACH)
    with ExitStack() as stack:
        hosts = []
        for number, engine in enumerate(engines, start=1):
            with engine.entered():  # the server stays there
                server = stack.enter_context(serve_logins(folder / f"sshd{number}"))
            proxy = stack.enter_context(docker_proxy(engine.host))
            own = Sandbox(engine=engine, name=sandbox.name)
            stack.callback(own.clean)
            stack.callback(engine.mend)
            stack.callback(proxy.mend)
            hosts.append(DockerHost(name=f"host{number}", sandbox=own, proxy=proxy, server=server))
        yield DockerHosts(hosts=tuple(hosts), path=f"{_client(hosts, folder)}:{path}")


def _client(hosts: Sequence[DockerHost], folder: Path) -> Path:
    (folder / "config").write_text("".join(_section(one, folder) for one in hosts))
    found = "".join(f"export {name}={value}\n" for name, value in libraries(SSH).items())
    (folder / "bin").mkdir()
    (folder / "bin/ssh").write_text(f'#!/bin/sh\n{found}exec {SSH} -F {folder}/config "$@"\n')
    (folder / "bin/ssh").chmod(0o700)
    return folder / "bin"


def _section(host: DockerHost, folder: Path) -> str:
    user, _, port = host.server.url.removeprefix("ssh://").partition("@127.0.0.1:")
    network = host.sandbox.engine.network
    enter = f"nsenter --net={network} " if network else ""
    return (
        f"Host {host.name}\n  HostName 127.0.0.1\n  Port {port}\n  User {user}\n"
        f"  IdentityFile {host.server.key}\n  IdentitiesOnly yes\n  UserKnownHostsFile {host.server.known_hosts}\n"
        f"  ProxyCommand {enter}{sys.executable} {folder}/reach.py {port}\n"
    )
