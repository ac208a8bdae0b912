"""The forge is asked where its references stand, in one request, with the token for it alone."""

import socket
from base64 import b64encode
from pathlib import Path

import pytest

from freshness.core.agreement import settle
from freshness.core.revision import Question, head_ref
from freshness.core.secret import Secret
from freshness.errors import RepositoryError, Superseded
from freshness.git.address import ForgeAddress
from freshness.git.ask import ask_references
from freshness.git.checkout import open_repository
from freshness.git.find import find_revision
from tests.support.forge import AUTHORIZATION, NAME, TOKEN, Forge
from tests.support.git import GitRepo
from tests.support.git_server import serve_git
from tests.support.revisions import name_commit

HEAD = head_ref(7)


def test_a_pull_requests_head_costs_one_request(forge: Forge) -> None:
    """Fails where the head is fetched, or where the server is first asked without the token."""
    commit = forge.repo.commit({"a": "1"})
    forge.pull_request(7, commit)
    forge.repo.commit({"a": "2"})
    assert ask_references(None, forge.address)[HEAD] == commit
    assert forge.server.seen == [AUTHORIZATION]


def test_asking_leaves_nothing_in_the_checkout(forge: Forge) -> None:
    forge.repo.commit({"a": "1"})
    clone = forge.clone("clone")
    forge.pull_request(7, forge.repo.commit({"a": "2"}))
    before = sorted(str(path) for path in clone.path.rglob("*"))
    ask_references(open_repository(clone.path), forge.address)
    assert sorted(str(path) for path in clone.path.rglob("*")) == before


def test_references_stand_at_commits_an_annotated_tag_too(forge: Forge) -> None:
    commit = forge.repo.commit({"a": "1"})
    forge.repo.git("tag", "--annotate", "--message=1", "v1")
    forge.pull_request(7, commit)
    references = ask_references(None, forge.address)
    assert references == dict.fromkeys(("HEAD", "refs/heads/main", "refs/pull/7/head", "refs/tags/v1"), commit)


def test_a_server_that_is_not_there_is_not_answered_by_another_checkout() -> None:
    """Fails where `fetch-depth: 0` is advised: where references stand now, no checkout can say."""
    with pytest.raises(RepositoryError, match="Check the network") as refusal:
        ask_references(None, ForgeAddress(server_url="http://127.0.0.1:1", repository=NAME))
    assert "fetch-depth" not in str(refusal.value)


def test_a_head_that_moved_during_the_run_is_seen(forge: Forge) -> None:
    """Fails where an answer is kept."""
    forge.pull_request(7, forge.repo.commit({"a": "1"}))
    question = Question(number=7, event="issue_comment", asker="event.issue.number")
    candidate = settle(question, ask_references(None, forge.address))
    assert candidate.fork is None, "main stands at it"
    forge.pull_request(7, forge.repo.commit({"a": "2"}))
    with pytest.raises(Superseded, match=r"refs/pull/7/head"):
        settle(candidate, ask_references(None, forge.address))


def test_an_empty_repository_has_no_references(forge: Forge) -> None:
    assert ask_references(None, forge.address) == {}


def test_credentials_that_checkout_left_are_used_from_the_checkout(forge: Forge) -> None:
    forge.pull_request(7, forge.repo.commit({"a": "1"}))
    clone = forge.clone("clone")
    clone.git("config", f"http.{forge.server.url}/.extraheader", f"AUTHORIZATION: {AUTHORIZATION}")
    without = ForgeAddress(server_url=forge.server.url, repository=NAME)
    assert ask_references(open_repository(clone.path), without)[HEAD]


def test_a_public_repository_is_asked_without_credentials(forge: Forge, tmp_path: Path) -> None:
    commit = forge.repo.commit({"a": "1"})
    forge.pull_request(7, commit)
    with serve_git(tmp_path / "forge") as server:
        assert ask_references(None, ForgeAddress(server_url=server.url, repository=NAME))[HEAD] == commit
        assert server.seen == [None]


@pytest.mark.parametrize("token", ["wrong-token-99", None])
def test_a_forge_that_does_not_let_us_in_is_an_error_that_shows_no_token(forge: Forge, token: str | None) -> None:
    forge.repo.commit({"a": "1"})
    address = ForgeAddress(server_url=forge.server.url, repository=NAME, token=Secret(token) if token else None)
    with pytest.raises(RepositoryError, match=r"asking for branches .* rejects the credentials") as caught:
        ask_references(None, address)
    shown = b64encode(f"x-access-token:{token}".encode()).decode()
    assert not {str(token), shown} & set(f"{caught.value} {caught.value.__cause__!r}".split())


def test_a_forge_that_is_not_there_or_lacks_the_repository_is_an_error(forge: Forge) -> None:
    lacking = ForgeAddress(server_url=forge.server.url, repository="org/other", token=Secret(TOKEN))
    with socket.create_server(("127.0.0.1", 0)) as unused:
        gone = ForgeAddress(server_url=f"http://127.0.0.1:{unused.getsockname()[1]}", repository=NAME)
    for address in (lacking, gone):
        with pytest.raises(RepositoryError, match="asking for branches and pull requests from http://127"):
            ask_references(None, address)


def test_asking_sends_the_token_to_no_other_host(forge: Forge, tmp_path: Path) -> None:
    with serve_git(tmp_path / "forge") as other:
        elsewhere = other.url.replace("127.0.0.1", "localhost")
        with serve_git(tmp_path / "forge", redirect_to=elsewhere) as server:
            address = ForgeAddress(server_url=server.url, repository=NAME, token=Secret(TOKEN))
            with pytest.raises(RepositoryError, match="redirect"):
                ask_references(None, address)
        assert other.seen == []


def test_a_repository_that_was_renamed_on_the_same_host_is_asked(forge: Forge, tmp_path: Path) -> None:
    """Both forges redirect to the new name."""
    commit = forge.repo.commit({"a": "1"})
    forge.pull_request(7, commit)
    with serve_git(tmp_path / "forge", redirect_to=forge.server.url) as server:
        address = ForgeAddress(server_url=server.url, repository=NAME, token=Secret(TOKEN))
        assert ask_references(None, address)[HEAD] == commit
        assert find_revision_in_own(address, commit, tmp_path) == commit


def find_revision_in_own(address: ForgeAddress, commit: str, folder: Path) -> str:
    own = GitRepo.init(folder / "own", "--bare")
    return find_revision(open_repository(own.path), name_commit(commit, 7), address).commit
