"""What is asked of the OpenSSH client, as command lines: to log in once, and to do more over that login."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from shlex import quote

from freshness.core.endpoint import SshAddress

CONNECT_SECONDS = 10
# A link that is dead is noticed after 45 s, before the time is over that an Engine has to answer.
ALIVE = ("-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=3")
# As the user's own configuration says, but for what would ask, or run or forward something else.
OPTIONS = (
    *("-T", "-a", "-x", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_SECONDS}", *ALIVE),
    *("-o", "ControlMaster=yes", "-o", "ControlPersist=no", "-o", "ClearAllForwardings=yes"),
    *("-o", "RemoteCommand=none", "-o", "PermitLocalCommand=no", "-o", "LogLevel=INFO"),
)
# Over the login that there is, and no other. No configuration: what it forwards would be asked for once more.
OVER_IT = ("-F", os.devnull, "-o", "ControlMaster=no", "-o", "ProxyCommand=false")
ITS_NAME = "freshness"  # ssh wants a host, and asks none
# Ends as soon as nobody holds the other end of its standard input any more.
REMOTE = "exec cat"


def find_ssh(env: Mapping[str, str]) -> str | None:
    """The path of the program."""
    return shutil.which("ssh", path=env.get("PATH"))


def log_in(program: str, control: Path, address: SshAddress) -> list[str]:
    """Logs in, and stays until standard input ends; when we are let in, there is a socket at `control`."""
    return [program, "-o", f"ControlPath={control}", *OPTIONS, *destination(address), REMOTE]


def destination(address: SshAddress) -> list[str]:
    """Where to log in, as words for ssh."""
    port = ["-p", str(address.port)] if address.port else []
    user = ["-l", address.user] if address.user else []
    return [*port, *user, "--", address.host]


def forward(program: str, control: Path, here: Path, there: str) -> list[str]:
    """Lets a new socket at `here` lead to `there`, which is `host:port` or a path. The server is not asked yet."""
    return [program, "-o", f"ControlPath={control}", *OVER_IT, "-O", "forward", "-L", f"{here}:{there}", ITS_NAME]


def check_socket(program: str, control: Path, path: str) -> list[str]:
    """Ends with 0 where the user who is logged in may use a socket at this path."""
    look = f"test -S {quote(path)} && test -w {quote(path)}"
    return [program, "-o", f"ControlPath={control}", *OVER_IT, ITS_NAME, look]
