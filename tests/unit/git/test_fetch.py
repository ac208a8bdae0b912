"""A commit that the checkout lacks comes from the forge's own address, and the token goes nowhere else."""

import os
import socket
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from freshness.core.revision import Revision
from freshness.core.secret import Secret
from freshness.errors import Refused, RepositoryError
from freshness.git import checkout
from freshness.git.address import ForgeAddress
from freshness.git.checkout import open_repository
from freshness.git.find import find_revision
from tests.support.git import GitRepo
from tests.support.git_server import GitServer, serve_git
from tests.support.revisions import export, name_commit, read_tree

TOKEN = "ghs_0123456789"  # noqa: S105 (made up for these tests)
AUTHORIZATION = "Basic " + b64encode(f"x-access-token:{TOKEN}".encode()).decode()
NUMBER = 7


@pytest.fixture
def origin(tmp_path: Path) -> GitRepo:
    """The forge's repository: `main` is the merge of the pull request's branch, whose head is `refs/pull/7/head`."""
    repo = GitRepo.init(tmp_path / "forge" / "org" / "app")
    repo.commit({"a": "base"})
    repo.branch("topic")
    repo.commit({"a": "earlier"})
    head = repo.commit({"a": "head"})
    repo.git("tag", "v1")
    repo.switch("main")
    repo.commit({"b": "1"})
    repo.merge("topic")
    repo.git("branch", "--quiet", "-D", "topic")
    repo.git("update-ref", f"refs/pull/{NUMBER}/head", head)
    return repo


@pytest.fixture
def head(origin: GitRepo) -> str:
    return origin.head(f"refs/pull/{NUMBER}/head")


@pytest.fixture
def shallow(origin: GitRepo, tmp_path: Path) -> GitRepo:
    """As actions/checkout leaves it: one commit, the merge, and neither of its parents."""
    return GitRepo.clone(origin.url, tmp_path / "shallow", "--depth=1", "--no-tags")


@pytest.fixture
def server(origin: GitRepo, tmp_path: Path) -> Iterator[GitServer]:
    """Demands the token; serves commits by id as Gitea does only where `allow_ids` says so."""
    with serve_git(tmp_path / "forge", authorization=AUTHORIZATION) as served:
        yield served


def allow_ids(origin: GitRepo) -> None:
    origin.git("config", "uploadpack.allowAnySHA1InWant", "true")


def address(url: str, token: str | None = TOKEN) -> ForgeAddress:
    return ForgeAddress(server_url=url, repository="org/app", token=Secret(token) if token else None)


def fetch(repo: GitRepo, commit: str, where: ForgeAddress, number: int | None = NUMBER) -> Revision:
    return find_revision(open_repository(repo.path), name_commit(commit, number), where)


@pytest.mark.parametrize("by_id", [True, False])
@pytest.mark.parametrize("left", ["in the configuration", "by an includeIf"])
def test_a_linked_work_tree_of_a_shallow_checkout_fetches_with_what_checkout_left(
    origin: GitRepo, shallow: GitRepo, server: GitServer, head: str, tmp_path: Path, left: str, *, by_id: bool
) -> None:
    """Fails where the work tree's own Git folder is opened: libgit2 sees no `shallow` there, and asks for all of it."""
    if by_id:
        allow_ids(origin)
    (tmp_path / "credentials").write_text(f'[http "{server.url}/"]\n\textraheader = "AUTHORIZATION: {AUTHORIZATION}"\n')
    key = "include.path" if left == "in the configuration" else f"includeIf.gitdir:{shallow.path}/.git.path"
    shallow.git("config", key, str(tmp_path / "credentials"))
    linked = GitRepo(tmp_path / "linked")
    shallow.git("worktree", "add", "--quiet", "--detach", str(linked.path))
    revision = fetch(linked, head, address(server.url, None))
    assert (revision.commit, revision.tree) == (head, origin.head(f"{head}^{{tree}}"))
    assert shallow.git("rev-list", "--count", head) == "1"


@pytest.mark.parametrize("by_id", [True, False])
def test_the_head_that_a_shallow_checkout_lacks_is_fetched_and_exported(
    origin: GitRepo, shallow: GitRepo, server: GitServer, head: str, tmp_path: Path, *, by_id: bool
) -> None:
    """Fails where the second way, `refs/pull/N/head`, is left out."""
    if by_id:
        allow_ids(origin)
    assert fetch(shallow, head, address(server.url)).commit == head
    export(shallow, head, tmp_path / "out")
    assert read_tree(tmp_path / "out") == {"a": b"head"}
    assert set(server.seen) == {AUTHORIZATION}


def test_nothing_is_left_but_the_commit(origin: GitRepo, shallow: GitRepo, server: GitServer, head: str) -> None:
    before = shallow.git("for-each-ref"), shallow.head(), (shallow.path / ".git" / "config").read_text()
    fetch(shallow, head, address(server.url))
    assert (shallow.git("for-each-ref"), shallow.head(), (shallow.path / ".git" / "config").read_text()) == before
    assert TOKEN not in "".join(
        path.read_text("latin-1") for path in (shallow.path / ".git").rglob("*") if path.is_file()
    )
    assert shallow.git("rev-list", "--count", head) == "1", "the checkout stays shallow"
    shallow.git("fsck")


def test_a_full_clone_stays_a_full_clone(origin: GitRepo, server: GitServer, tmp_path: Path) -> None:
    clone = GitRepo.clone(origin.url, tmp_path / "full", "--no-tags")
    later = origin.commit({"a": "later"})
    origin.git("update-ref", f"refs/pull/{NUMBER}/head", later)
    fetch(clone, later, address(server.url))
    assert not (clone.path / ".git" / "shallow").exists()
    assert clone.git("rev-list", "--count", later) == origin.git("rev-list", "--count", later)


def test_a_commit_that_is_there_is_not_asked_for(shallow: GitRepo, server: GitServer) -> None:
    fetch(shallow, shallow.head(), address(server.url))
    assert server.seen == []


@pytest.mark.parametrize("by_id", [True, False])
@pytest.mark.parametrize("number", [NUMBER, 8, None])
def test_a_commit_that_the_server_lacks_is_refused(
    origin: GitRepo, shallow: GitRepo, server: GitServer, *, by_id: bool, number: int | None
) -> None:
    if by_id:
        allow_ids(origin)
    with pytest.raises(
        Refused, match=rf"a{{40}}, which is neither in the shallow checkout nor on {server.url}/org/app"
    ):
        fetch(shallow, "a" * 40, address(server.url), number)


@pytest.mark.parametrize("token", ["wrong-token-99", None])
def test_credentials_that_the_server_does_not_take_are_named_and_not_shown(
    shallow: GitRepo, server: GitServer, head: str, token: str | None
) -> None:
    with pytest.raises(RepositoryError, match=r"rejects the credentials\. Check .*`github-token`") as caught:
        fetch(shallow, head, address(server.url, token))
    shown = b64encode(f"x-access-token:{token}".encode()).decode()
    chain = f"{caught.value!r} {caught.value} {caught.value.__cause__!r}"
    assert str(token) not in chain
    assert shown not in chain


def test_the_header_that_checkout_v4_left_is_used_for_its_server(
    shallow: GitRepo, server: GitServer, head: str
) -> None:
    shallow.git("config", f"http.{server.url}/.extraheader", f"AUTHORIZATION: {AUTHORIZATION}")
    assert fetch(shallow, head, address(server.url, None)).commit == head


def test_the_header_that_checkout_v6_left_by_an_include_is_used(
    shallow: GitRepo, server: GitServer, head: str, tmp_path: Path
) -> None:
    credentials = tmp_path / "git-credentials-1.config"
    shallow.git(
        "config", "--file", str(credentials), f"http.{server.url}/.extraheader", f"AUTHORIZATION: {AUTHORIZATION}"
    )
    shallow.git("config", f"includeIf.gitdir:{shallow.path}/.git.path", str(credentials))
    assert fetch(shallow, head, address(server.url, None)).commit == head


def test_the_token_goes_before_the_header_that_checkout_left(shallow: GitRepo, server: GitServer, head: str) -> None:
    shallow.git("config", f"http.{server.url}/.extraheader", "AUTHORIZATION: Basic old")
    assert fetch(shallow, head, address(server.url)).commit == head
    assert set(server.seen) == {AUTHORIZATION}


def test_a_header_for_another_server_is_not_sent(shallow: GitRepo, server: GitServer, head: str) -> None:
    shallow.git("config", "http.http://other.example/.extraheader", f"AUTHORIZATION: {AUTHORIZATION}")
    with pytest.raises(RepositoryError, match="rejects the credentials"):
        fetch(shallow, head, address(server.url, None))
    assert set(server.seen) == {None}


def test_a_server_on_another_host_that_we_are_redirected_to_never_sees_the_token(
    shallow: GitRepo, tmp_path: Path, head: str
) -> None:
    """Fails without `follow_redirects` in `Transfer`: libgit2 sends our headers to wherever the first answer points."""
    with serve_git(tmp_path / "forge") as other:
        elsewhere = other.url.replace("127.0.0.1", "localhost")
        with (
            serve_git(tmp_path / "forge", redirect_to=elsewhere) as server,
            pytest.raises(RepositoryError, match=r"cannot redirect from .127\.0\.0\.1. to .localhost."),
        ):
            fetch(shallow, head, address(server.url))
        assert other.seen == []


def test_what_origin_says_does_not_matter(shallow: GitRepo, server: GitServer, head: str, tmp_path: Path) -> None:
    """Fails where the remote `origin` is fetched from."""
    with serve_git(tmp_path / "forge") as other:
        shallow.git("remote", "set-url", "origin", f"{other.url}/org/app")
        fetch(shallow, head, address(server.url))
        assert other.seen == []


def test_a_configuration_that_rewrites_the_address_is_refused(
    shallow: GitRepo, server: GitServer, head: str, tmp_path: Path
) -> None:
    """Fails where `fetch_commit` does not compare the remote's address with ours."""
    with serve_git(tmp_path / "forge") as other:
        shallow.git("config", f"url.{other.url}/.insteadOf", f"{server.url}/")
        with pytest.raises(RepositoryError, match=r"insteadOf.* sends http://127\.0\.0\.1:\d+/org/app elsewhere"):
            fetch(shallow, head, address(server.url))
        assert other.seen == []


def test_without_an_address_nothing_is_fetched(shallow: GitRepo, head: str) -> None:
    with pytest.raises(Refused, match=r"neither in the shallow checkout nor on any known server"):
        find_revision(open_repository(shallow.path), name_commit(head), None)


def test_a_server_that_is_not_there_or_lacks_the_repository_is_an_error(
    shallow: GitRepo, server: GitServer, head: str
) -> None:
    lacking = ForgeAddress(server_url=server.url, repository="org/other", token=Secret(TOKEN))
    with pytest.raises(RepositoryError, match=rf"fetching {head} from {server.url}/org/other: .*404"):
        fetch(shallow, head, lacking)
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(RepositoryError, match=r"failed to connect.*Check the network"):
        fetch(shallow, head, address(f"http://127.0.0.1:{port}"))


def test_a_proxy_for_an_http_server_that_cannot_be_reached_is_named(shallow: GitRepo, head: str) -> None:
    """libgit2 goes past it. Fails when `exchange` does not hand on the address's `proxy`."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    env = {
        "GITHUB_SERVER_URL": f"http://127.0.0.1:{port}", "GITHUB_REPOSITORY": "org/app",
        "HTTP_PROXY": "http://ann:hunter2@proxy.example:3128",
    }  # fmt: skip
    where = ForgeAddress.from_environment(env, Secret(TOKEN))
    assert where is not None
    with pytest.raises(RepositoryError, match=r"failed to connect.*\. HTTP_PROXY names a proxy.*https_proxy") as raised:
        fetch(shallow, head, where)
    assert "hunter2" not in str(raised.value)


def test_a_server_that_is_reached_past_the_proxy_of_http_has_to_be_named_in_no_proxy(
    shallow: GitRepo, server: GitServer, head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Follows the sentence: libgit2 asks the server as one asks a proxy as long as `no_proxy` does not name it."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    env = {"GITHUB_SERVER_URL": server.url, "GITHUB_REPOSITORY": "org/app"}

    def where() -> ForgeAddress:
        found = ForgeAddress.from_environment({**os.environ, **env}, Secret(TOKEN))
        assert found is not None
        return found

    with pytest.raises(RepositoryError, match=r"http_proxy names a proxy.*name its host in `no_proxy`"):
        fetch(shallow, head, where())
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    fetch(shallow, head, where())


def test_credentials_that_are_refused_are_no_matter_of_a_proxy(shallow: GitRepo, server: GitServer, head: str) -> None:
    """Fails when `explain` names the proxy whatever the server said."""
    where = ForgeAddress(server_url=server.url, repository="org/app", token=Secret("other"), proxy="http_proxy")
    with pytest.raises(RepositoryError, match=r"rejects the credentials\. Check the network"):
        fetch(shallow, head, where)


def test_a_server_that_never_answers_is_given_up(shallow: GitRepo, head: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails where `configure_libgit2` sets no timeouts: the fetch would hang until the job's own end."""
    monkeypatch.setattr(checkout, "ANSWER_TIMEOUT", 100)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(RepositoryError, match=r"fetching .*: .*timed? ?out"),
    ):
        fetch(shallow, head, address(f"http://127.0.0.1:{silent.getsockname()[1]}"))
