"""One ssh login for a whole run: the remote Engine's socket, and the ports published there, as sockets of our own."""

import atexit
import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from freshness.core.endpoint import SshAddress
from freshness.engine.ssh import check_socket, destination, find_ssh, forward, log_in
from freshness.errors import EngineError
from freshness.process.children import read
from freshness.process.private_folder import make_folder_in

LOGIN_SECONDS = 30  # until the server has let us in
FORWARD_SECONDS = 10
END_SECONDS = 2
# The folder goes with ssh, also where we are gone by then.
THEN_CLEAN = 'folder=$1; shift; "$@"; status=$?; rm -rf -- "$folder"; exit $status'
LONGEST_SOCKET = 70  # characters: a socket's path has 108, and ssh adds 18 for a moment
LONGEST_SAID = 64_000  # bytes
SHOWN = 300  # characters of its last line
_AWAY = re.compile(r"timed out|refused|Could not resolve|unreachable|No route")
_IS_UP = "Check that the host is up, and its name and port right."
_NO_PROMPT = "SSH must not prompt: the host's key must be known, and the login needs a key."
OPEN_FAILED = "open failed"  # in ssh's words: the server could not connect us


class Tunnel:
    """A login at `address`. `endpoint` is its name for people, `folder` holds its sockets, and is ours alone.

    It lives as long as somebody holds `keepalive_fd`: we, and a Compose that must come to its end without us.
    """

    def __init__(self, address: SshAddress, endpoint: str, env: Mapping[str, str]) -> None:
        self.address = address
        self.endpoint = endpoint
        self._program = find_ssh(env) or ""
        if not self._program:
            raise EngineError(
                f"The Docker Engine is at {endpoint}, but there is no `ssh` on the PATH.",
                "Install the OpenSSH client (Debian: openssh-client) where the job runs.",
            )
        self.folder = _short_folder()
        self._env = {name: value for name, value in env.items() if name != "RUNNER_TRACKING_ID"}
        self._ports: dict[tuple[str, int], Path] = {}
        self._said = os.memfd_create("what ssh says")
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def docker(self) -> Path:
        """The socket that leads to the Engine."""
        return self.folder / "docker.sock"

    @property
    def keepalive_fd(self) -> int:
        """The descriptor that keeps the login alive."""
        assert self._child is not None and self._child.stdin is not None  # noqa: S101, PT018 -- for the type checker
        return self._child.stdin.fileno()

    def open(self) -> None:
        """Logs in. Raises EngineError with what ssh said."""
        if self._child is not None:  # again, after a loss
            self.close()
            self.folder.mkdir(mode=0o700)
        self._ports.clear()
        login = log_in(self._program, self._control, self.address)
        self._child = subprocess.Popen(
            ["sh", "-c", THEN_CLEAN, "sh", self.folder, *login],
            env=self._env,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            start_new_session=True,
        )
        self._wait_for_login(self._child)
        self._forward(self.docker, self.address.socket)

    def _wait_for_login(self, child: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + LOGIN_SECONDS
        while not self._control.exists():
            if child.poll() is not None:
                said = self.last_error_line()
                raise EngineError(
                    f"ssh could not log in at {self.endpoint}: {said}.",
                    f"{_IS_UP if _AWAY.search(said) else _NO_PROMPT} Try it as the same user:"
                    f" ssh -o BatchMode=yes {' '.join(destination(self.address))} true",
                )
            if time.monotonic() > deadline:
                os.killpg(child.pid, signal.SIGKILL)
                self.close()
                raise EngineError(
                    f"The SSH server of {self.endpoint} did not accept the login within {LOGIN_SECONDS} s.",
                    "Check that host and the network to it, then run again.",
                )
            time.sleep(0.02)

    @property
    def _control(self) -> Path:
        return self.folder / "control"

    def _forward(self, here: Path, there: str) -> None:
        status, _, said = read(forward(self._program, self._control, here, there), self._env, FORWARD_SECONDS)
        if status != 0:
            raise EngineError(
                f"ssh could not forward {there} of {self.endpoint}: {said.strip() or self.last_error_line()}.",
                "Install OpenSSH 7.6 or newer where the job runs, then run again.",
            )

    def port(self, address: str, number: int) -> Path:
        """A socket of ours that leads to the port at this address of the remote host's own, over the same login."""
        found = self._ports.get((address, number))
        if found is None:
            found = self.folder / f"port-{len(self._ports)}"
            self._forward(found, f"[{address}]:{number}" if ":" in address else f"{address}:{number}")
            self._ports[address, number] = found
        return found

    def lost(self, wait: float = 0) -> str | None:
        """How the connection was lost, in words, where it was; `wait` seconds for ssh to notice."""
        if self._child is None:
            return None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(wait)
        if self._child.returncode is None:
            return None
        return f"the ssh connection to {self.endpoint} was lost: {self.last_error_line()}"

    def unreachable_error(self, cause: str) -> EngineError:
        """Why the Engine does not answer behind a login that worked; `cause` is what was seen at our end."""
        lost = self.lost()
        if lost or OPEN_FAILED not in self._words():
            return EngineError(
                f"The Docker Engine at {self.endpoint} cannot be reached: {lost or cause}.",
                "Check that host and the network to it, then run again.",
            )
        if self._may_use_socket():  # the server's answer is the same
            return EngineError(
                f"The SSH login at {self.endpoint} works, but its server does not forward to {self.address.socket},"
                " or Docker is not running there.",
                "Set AllowTcpForwarding yes and AllowStreamLocalForwarding yes in its sshd_config, and start Docker.",
            )
        return EngineError(
            f"The SSH user on {self.endpoint} cannot use a Docker socket at {self.address.socket}.",
            "Start Docker there, add that user to the group `docker`, or name the socket:"
            " ssh://user@host/path/to/docker.sock.",
        )

    def _may_use_socket(self) -> bool:
        look = check_socket(self._program, self._control, self.address.socket)
        return read(look, self._env, FORWARD_SECONDS)[0] == 0

    def last_error_line(self) -> str:
        """The last line that ssh printed."""
        lines = [line.strip() for line in self._words().splitlines() if line.strip()]
        return lines[-1][:SHOWN].rstrip(".") if lines else "no output"

    def _words(self) -> str:
        # Not by seeking: the child writes where the common offset is.
        return os.pread(self._said, LONGEST_SAID, 0).decode(errors="replace")

    def close(self) -> None:
        """Closes our end of the login; a Compose that still runs keeps it."""
        if self._child is not None and self._child.stdin is not None:
            self._child.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(END_SECONDS)
        if self._child is None or self._child.returncode is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def open_tunnel(address: SshAddress, endpoint: str, env: Mapping[str, str]) -> Tunnel:
    """A tunnel that is closed when this process ends. Raises EngineError with what ssh said."""
    tunnel = Tunnel(address, endpoint, env)
    atexit.register(tunnel.close)
    tunnel.open()
    return tunnel


def _short_folder() -> Path:
    """A new folder (0700) whose path leaves room for a socket's name."""
    usual = Path(tempfile.gettempdir())
    shared = Path("/tmp")  # noqa: S108 -- taken only where the rule of private_folder.py holds
    return make_folder_in(
        tuple(place for place in (usual, shared) if len(str(place)) < LONGEST_SOCKET), "freshness-ssh-"
    )
