"""A real OpenSSH server on loopback that serves one folder's repositories to the holder of one key."""

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")


@dataclass(frozen=True, slots=True)
class SshServer:
    """`key` is the private key that is let in, `known_hosts` the file that names the server's, `log` what it says."""

    url: str
    key: Path
    known_hosts: Path
    log: Path


@contextmanager
def serve_ssh(root: Path, folder: Path) -> Iterator[SshServer]:
    """Serves `root` until the block ends; the keys are made in `folder`, which must be new."""
    folder.mkdir(mode=0o700)
    for name in ("host", "deploy"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    serve = folder / "serve"
    serve.write_text(f'#!/bin/sh\neval "set -- $SSH_ORIGINAL_COMMAND"\nexec git upload-pack "{root}$2"\n')
    serve.chmod(0o700)
    (folder / "authorized").write_text(f'restrict,command="{serve}" {(folder / "deploy.pub").read_text()}')
    host_key = " ".join((folder / "host.pub").read_text().split()[:2])
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}\n")
    settings = {
        "ListenAddress": f"127.0.0.1:{port}",
        "HostKey": folder / "host",
        "AuthorizedKeysFile": folder / "authorized",
        "PidFile": "none",
        "StrictModes": "no",
        "UsePAM": "no",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "LogLevel": "VERBOSE",
    }
    (folder / "config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    with running(folder, port):
        url = f"ssh://{getpass.getuser()}@127.0.0.1:{port}"
        yield SshServer(url, folder / "deploy", folder / "known_hosts", folder / "log")


@contextmanager
def running(folder: Path, port: int) -> Iterator[None]:
    assert SSHD is not None
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where it shuts its unprivileged half in
    with (folder / "log").open("w") as log:
        server = subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "config"], stderr=log)
    try:
        wait_for(port, server, folder / "log")
        yield
    finally:
        server.terminate()
        server.wait()


def wait_for(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    while server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            continue
    raise AssertionError(f"sshd ended: {log.read_text()}")
