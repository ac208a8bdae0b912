"""A real OpenSSH server on loopback that serves one folder's repositories, or a shell, to the holder of one key."""

import getpass
import os
import pwd
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support.engines import ROOT, free_port

UNPACKED = ROOT / ".cache/openssh"
PROGRAMS = f"{os.environ['PATH']}:/usr/sbin:{UNPACKED}/usr/sbin:{UNPACKED}/usr/bin"
SSHD = shutil.which("sshd", path=PROGRAMS)
KEYGEN = shutil.which("ssh-keygen", path=PROGRAMS)
SSH = shutil.which("ssh", path=PROGRAMS)
SEPARATED = "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin"
"""The user that a root's sshd shuts its unprivileged half in, which only an installed package makes."""
IN_PRIVATE = """
mount --bind "$1" /etc/passwd && mount --rbind /run "$2" && mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd || exit
for path in "$2"/*; do [ -e "/run/${path##*/}" ] || ln -s "$path" /run/; done
shift 2
exec "$@"
"""
"""With users and a /run of its own, in a mount namespace that goes with it: nothing of the machine changes."""


def why_no_sshd() -> str | None:
    """Why no OpenSSH server can be started here, or None."""
    if SSHD is None or KEYGEN is None:
        return "there is no sshd; `make test` puts it into .cache where apt has openssh-server"
    if (
        needs_namespace()
        and subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode
    ):
        return "root's sshd needs the user `sshd`, or the right to make a mount namespace"
    return None


def needs_namespace() -> bool:
    if os.geteuid() != 0:
        return False
    return not Path("/run/sshd").is_dir() or not any(user.pw_name == "sshd" for user in pwd.getpwall())


@dataclass(frozen=True, slots=True)
class SshServer:
    """`key` is the private key that is let in, `known_hosts` the file that names the server's, `log` what it says.

    `process` is the one that listens.
    """

    url: str
    key: Path
    known_hosts: Path
    log: Path
    process: int

    @property
    def logins(self) -> int:
        """How often somebody was let in."""
        return self.log.read_text().count("Accepted publickey")

    def cut(self, _call: object = None) -> None:
        """Ends all connections at once; new ones are served."""
        _kill(self._connections())

    def stop(self, _call: object = None) -> None:
        """Ends the server and all connections: looked for while it lives, since its end would hide whose they are."""
        connections = self._connections()
        os.kill(self.process, signal.SIGTERM)
        _kill(connections)

    def _connections(self) -> list[int]:
        """The processes of all connections."""
        return [each for child in _children(self.process) for each in (*_children(child), child)]

    @property
    def client(self) -> str:
        """A PATH on which `ssh` is configured for this server, as a user's own `~/.ssh/config` would do it."""
        folder = self.key.parent / "client"
        if not folder.is_dir():
            folder.mkdir()
            config = f"IdentityFile {self.key}\nIdentitiesOnly yes\nUserKnownHostsFile {self.known_hosts}\n"
            (folder / "config").write_text(config)
            found = "".join(f"export {name}={value}\n" for name, value in libraries(SSH).items())
            (folder / "ssh").write_text(f'#!/bin/sh\n{found}exec {SSH} -F {folder}/config "$@"\n')
            (folder / "ssh").chmod(0o700)
        return f"{folder}:{os.environ['PATH']}"


def _kill(processes: list[int]) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def _children(process: int) -> list[int]:
    try:
        return [int(pid) for pid in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except FileNotFoundError:
        return []


@contextmanager
def serve_ssh(root: Path, folder: Path) -> Iterator[SshServer]:
    """Serves `root` until the block ends; the keys are made in `folder`, which must be new."""
    folder.mkdir(mode=0o700)
    serve = folder / "serve"
    serve.write_text(f'#!/bin/sh\neval "set -- $SSH_ORIGINAL_COMMAND"\nexec git upload-pack "{root}$2"\n')
    serve.chmod(0o700)
    with _serving(folder, f'restrict,command="{serve}" ', {}) as server:
        yield server


@contextmanager
def serve_logins(folder: Path, **settings: str) -> Iterator[SshServer]:
    """Serves a shell and forwardings, with these settings of sshd's; the keys are made in `folder`, as above."""
    folder.mkdir(mode=0o700)
    with _serving(folder, "", settings) as server:
        yield server


@contextmanager
def _serving(folder: Path, restrictions: str, more: Mapping[str, str]) -> Iterator[SshServer]:
    for name in ("host", "deploy"):
        subprocess.run([str(KEYGEN), "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    port = free_port()
    (folder / "authorized").write_text(f"{restrictions}{(folder / 'deploy.pub').read_text()}")
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
        **more,
    }
    if (UNPACKED / "usr/lib/openssh/sshd-session").is_file():  # OpenSSH 9.8 and newer are several programs
        settings |= {"SshdSessionPath": UNPACKED / "usr/lib/openssh/sshd-session"}
    if (UNPACKED / "usr/lib/openssh/sshd-auth").is_file():
        settings |= {"SshdAuthPath": UNPACKED / "usr/lib/openssh/sshd-auth"}
    (folder / "config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    with running(folder, port) as process:
        url = f"ssh://{getpass.getuser()}@127.0.0.1:{port}"
        yield SshServer(url, folder / "deploy", folder / "known_hosts", folder / "log", process)


@contextmanager
def running(folder: Path, port: int) -> Iterator[int]:
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command(folder), env={**os.environ, **libraries(SSHD)}, stderr=log)
    try:
        wait_for(port, server, folder / "log")
        yield server.pid
    finally:
        server.terminate()
        server.wait()


def command(folder: Path) -> list[str]:
    serve = [str(SSHD), "-D", "-e", "-f", str(folder / "config")]
    if not needs_namespace():
        return serve
    users = folder / "passwd"
    users.write_text(f"{Path('/etc/passwd').read_text().rstrip()}\n{SEPARATED}\n")
    users.chmod(0o644)
    (folder / "run").mkdir()
    return ["unshare", "--mount", "sh", "-c", IN_PRIVATE, "sh", str(users), str(folder / "run"), *serve]


def libraries(program: str | None) -> dict[str, str]:
    """Where an unpacked program finds what it was built with."""
    if not str(program).startswith(str(UNPACKED)):
        return {}
    return {"LD_LIBRARY_PATH": ":".join(map(str, UNPACKED.glob("**/lib/*-linux-gnu*")))}


def wait_for(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    while server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            continue
    raise AssertionError(f"sshd ended: {log.read_text()}")
