"""The deploy key that actions/checkout leaves with `ssh-key`: used with the host keys that it left, never as a command.

It writes `core.sshCommand = "ssh" -i "$RUNNER_TEMP/NAME" … -o "UserKnownHostsFile=$RUNNER_TEMP/NAME_known_hosts"`
(src/git-auth-helper.ts). We read the two paths and run nothing: a repository's configuration is not ours.
"""

import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pygit2
from msgspec import Struct

from freshness.git.address import ForgeAddress
from freshness.process.private_folder import private_folder

HOSTS_OPTION = "UserKnownHostsFile="
SSH_ADDRESS = re.compile(
    r"(?:ssh://)?(?P<user>\w[\w.-]*)@(?P<host>\w[\w.-]*|\[[0-9a-f:]+\])(?::\d{1,5}(?=/))?[:/]/?(?P<path>[\w./-]+?)(?:\.git)?/?",
    re.ASCII,
)
"""`ssh://git@host:22/owner/name.git` and `git@host:owner/name.git`."""


class DeployKey(Struct, frozen=True, kw_only=True):
    """`url` is the repository's ssh address, `key` the private key's file, `known_hosts` that of the host's keys."""

    url: str
    user: str
    key: Path
    known_hosts: Path

    def credential(self) -> pygit2.Keypair:
        return pygit2.Keypair(self.user, None, str(self.key), "")


def find_deploy_key(repository: pygit2.Repository, address: ForgeAddress) -> DeployKey | None:
    """The key that the checkout left for this repository on the forge's own host, or None."""
    command, origin = configured(repository, "core.sshCommand"), configured(repository, "remote.origin.url")
    match = SSH_ADDRESS.fullmatch(origin)
    if not match or match["host"].strip("[]") != address.host or match["path"] != address.repository:
        return None
    words = split(command.replace("$RUNNER_TEMP", address.runner_temp or "$RUNNER_TEMP"))
    key = next((after for word, after in pairwise(words) if word == "-i"), "")
    hosts = next((word.removeprefix(HOSTS_OPTION) for word in words if word.startswith(HOSTS_OPTION)), "")
    if not (Path(key).is_file() and Path(hosts).is_file()):
        return None
    return DeployKey(url=origin, user=match["user"], key=Path(key), known_hosts=Path(hosts))


def configured(repository: pygit2.Repository, name: str) -> str:
    return next((value for value in repository.config.get_multivar(name) if value), "")


def split(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return []


@contextmanager
def trusting(key: DeployKey | None, address: ForgeAddress) -> Iterator[None]:
    """Lets libgit2 know the host's keys, which it reads from `.ssh/known_hosts` of a home folder and nowhere else."""
    if key is None:
        yield
        return
    before = pygit2.settings.homedir
    with private_folder(address.places) as home:
        (home / ".ssh").mkdir()
        shutil.copyfile(key.known_hosts, home / ".ssh" / "known_hosts")
        pygit2.settings.homedir = str(home)
        try:
            yield
        finally:
            pygit2.settings.homedir = before or ""
