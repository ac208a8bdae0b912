"""A deploy key that actions/checkout left is used for the forge's own host, with the host keys that it left."""

from pathlib import Path

import pytest

from freshness.errors import RepositoryError
from freshness.git.address import ForgeAddress
from freshness.git.ask import ask_references
from freshness.git.checkout import open_repository
from freshness.git.deploy_key import find_deploy_key
from freshness.git.find import find_revision
from tests.support.git import GitRepo
from tests.support.revisions import name_commit
from tests.support.ssh_server import SshServer, serve_ssh, why_no_sshd

NAME = "org/app"


def checkout_with_key(folder: Path, url: str, temp: Path, name: str = "key") -> tuple[GitRepo, ForgeAddress]:
    """As actions/checkout leaves it with `ssh-key` (git-auth-helper.ts)."""
    repo = GitRepo.init(folder)
    repo.git("remote", "add", "origin", url)
    options = f'-i "$RUNNER_TEMP/{name}" -o StrictHostKeyChecking=yes -o CheckHostIP=no'
    hosts = f'-o "UserKnownHostsFile=$RUNNER_TEMP/{name}_known_hosts"'
    repo.git("config", "core.sshCommand", f'"/usr/bin/ssh" {options} {hosts}')
    return repo, ForgeAddress(server_url="https://127.0.0.1", repository=NAME, runner_temp=str(temp))


@pytest.fixture
def temp(tmp_path: Path) -> Path:
    """The runner's temporary folder, with what stands for a key in it."""
    folder = tmp_path / "runner temp"
    folder.mkdir()
    for name in ("key", "key_known_hosts"):
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    "url",
    [
        "git@127.0.0.1:org/app.git",
        "git@127.0.0.1:org/app",
        "ssh://git@127.0.0.1/org/app.git",
        "ssh://git@127.0.0.1:2222/org/app",
    ],
)
def test_the_key_is_found_where_checkout_left_it(tmp_path: Path, temp: Path, url: str) -> None:
    repo, address = checkout_with_key(tmp_path / "repo", url, temp)
    found = find_deploy_key(open_repository(repo.path), address)
    assert found is not None
    assert (found.url, found.user, found.key, found.known_hosts) == (url, "git", temp / "key", temp / "key_known_hosts")


@pytest.mark.parametrize(
    "url",
    [
        "git@other.example:org/app.git",
        "git@127.0.0.1:org/other.git",
        "git@127.0.0.1:x/org/app.git",
        "https://127.0.0.1/org/app",
        "git@127.0.0.1.example:org/app",
        "ext::sh -c x@127.0.0.1:org/app",
    ],
)
def test_the_key_goes_to_no_other_host_and_no_other_repository(tmp_path: Path, temp: Path, url: str) -> None:
    """Fails where what origin says is enough."""
    repo, address = checkout_with_key(tmp_path / "repo", url, temp)
    assert find_deploy_key(open_repository(repo.path), address) is None


def test_without_the_key_or_the_hosts_keys_there_is_none(tmp_path: Path, temp: Path) -> None:
    """Fails where a host whose key is not known would be believed."""
    repo, address = checkout_with_key(tmp_path / "repo", "git@127.0.0.1:org/app", temp)
    for name in ("key_known_hosts", "key"):
        (temp / name).unlink()
        assert find_deploy_key(open_repository(repo.path), address) is None
    repo.git("config", "core.sshCommand", "ssh -i 'unclosed")
    assert find_deploy_key(open_repository(repo.path), address) is None


needs_sshd = pytest.mark.skipif(bool(why_no_sshd()), reason=why_no_sshd() or "")


def served(folder: Path) -> tuple[GitRepo, str]:
    forge = GitRepo.init(folder / "forge" / NAME)
    commit = forge.commit({"a": "1"})
    forge.git("config", "uploadpack.allowAnySHA1InWant", "true")
    forge.git("update-ref", "refs/pull/7/head", commit)
    return forge, commit


def leave(server: SshServer, temp: Path) -> None:
    (temp / "key").write_bytes(server.key.read_bytes())
    (temp / "key").chmod(0o600)
    (temp / "key_known_hosts").write_bytes(server.known_hosts.read_bytes())


@needs_sshd
def test_a_commit_is_asked_for_and_fetched_with_the_key(tmp_path: Path, temp: Path) -> None:
    _, commit = served(tmp_path)
    with serve_ssh(tmp_path / "forge", tmp_path / "ssh") as server:
        leave(server, temp)
        repo, address = checkout_with_key(tmp_path / "repo", f"{server.url}/{NAME}", temp)
        repository = open_repository(repo.path)
        assert ask_references(repository, address)["refs/pull/7/head"] == commit
        assert find_revision(repository, name_commit(commit), address).commit == commit


@needs_sshd
@pytest.mark.parametrize("wrong", ["host", "key"])
def test_an_unknown_host_and_a_refused_key_are_errors_at_once(tmp_path: Path, temp: Path, wrong: str) -> None:
    """Fails where the host's key is not compared, or a refused key is offered for ever."""
    _, commit = served(tmp_path)
    with (
        serve_ssh(tmp_path / "forge", tmp_path / "other") as other,
        serve_ssh(tmp_path / "forge", tmp_path / "ssh") as server,
    ):
        leave(server, temp)
        repo, address = checkout_with_key(tmp_path / "repo", f"{server.url}/{NAME}", temp)
        if wrong == "host":
            (temp / "key_known_hosts").write_bytes(other.known_hosts.read_bytes())
        else:
            (temp / "key").write_bytes(other.key.read_bytes())
        said = {"host": "unknown remote ssh hostkey", "key": "rejects the credentials"}[wrong]
        with pytest.raises(RepositoryError, match=rf"fetching {commit} from ssh://.*{said}"):
            find_revision(open_repository(repo.path), name_commit(commit), address)
        assert server.log.read_text().count("Failed publickey") == (1 if wrong == "key" else 0)
