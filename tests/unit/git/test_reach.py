"""A commit given by hand has to be one that the base repository itself has, not one that a fork brought."""

from collections.abc import Callable

import pytest

from freshness.errors import Refused
from freshness.git.ask import ask_references
from freshness.git.checkout import open_repository
from freshness.git.reach import require_reachable
from tests.support.forge import Forge
from tests.support.git import GitRepo
from tests.support.revisions import name_commit

Insist = Callable[[GitRepo, str], str]


@pytest.fixture
def require(forge: Forge) -> Insist:
    """As with `recheck-head`: the forge is asked."""

    def ask(clone: GitRepo, commit: str) -> str:
        repository = open_repository(clone.path)
        references = ask_references(repository, forge.address)
        return require_reachable(repository, name_commit(commit), references, forge.address, nobodys)

    return ask


def locally(clone: GitRepo, commit: str) -> str:
    return require_reachable(open_repository(clone.path), name_commit(commit), None, None, nobodys)


@pytest.fixture
def fork(forge: Forge) -> str:
    """A fork's commit, which the forge serves under the base repository's address; no branch has it."""
    base = forge.repo.commit({"a": "1"})
    forge.repo.branch("theirs")
    commit = forge.repo.commit({"a": "theirs"})
    forge.repo.switch("main")
    forge.repo.git("branch", "--quiet", "-D", "theirs")
    forge.pull_request(9, commit)
    forge.allow_ids()
    assert base == forge.repo.head()
    return commit


def test_a_forks_commit_is_refused_though_the_forge_serves_it(forge: Forge, fork: str, require: Insist) -> None:
    """Fails where being served, or refs/pull/N/head, is enough."""
    clone = forge.clone("clone")
    clone.git("fetch", "--quiet", forge.repo.url, fork)
    with pytest.raises(Refused, match=rf"{fork}, which is in the history of no branch .* {forge.server.url}"):
        require(clone, fork)


def test_a_local_clones_own_references_do_not_clear_a_forks_commit_online(
    forge: Forge, fork: str, require: Insist
) -> None:
    """Fails where the clone's branches count although the forge was asked: a workflow can have made them."""
    clone = forge.clone("clone")
    clone.git("fetch", "--quiet", forge.repo.url, f"{fork}:refs/heads/mine", f"{fork}:refs/remotes/origin/mine")
    with pytest.raises(Refused):
        require(clone, fork)
    assert locally(clone, fork)


def test_what_a_fetch_setting_fills_from_pull_requests_is_no_branch(forge: Forge, fork: str) -> None:
    """Fails where every remote reference counts: many clones fetch `refs/pull/*/head` besides the branches."""
    clone = forge.clone("clone")
    clone.git("config", "--add", "remote.origin.fetch", "+refs/pull/*/head:refs/remotes/origin/pr/*")
    clone.git("fetch", "--quiet", "origin")
    assert clone.head("refs/remotes/origin/pr/9") == fork
    with pytest.raises(Refused, match="no tag of this clone"):
        locally(clone, fork)
    assert locally(clone, forge.repo.head()), "the branches beside them still count"
    clone.git("config", "--replace-all", "remote.origin.fetch", f"+{fork}:refs/remotes/origin/one")
    clone.git("update-ref", "refs/remotes/origin/one", fork)
    clone.git("update-ref", "-d", "refs/remotes/origin/pr/9")
    with pytest.raises(Refused):
        locally(clone, fork)


def test_a_mirrors_branches_are_branches_and_its_pull_requests_are_none(forge: Forge, fork: str) -> None:
    mirror = forge.clone("mirror", "--mirror")
    assert mirror.head("refs/pull/9/head") == fork
    assert locally(mirror, forge.repo.head()) == "refs/heads/main stands at it"
    with pytest.raises(Refused):
        locally(mirror, fork)


@pytest.mark.parametrize("name", ["refs/remotes/pull/9/head", "refs/pull/9/head", f"refs/heads/{'c' * 40}"])
def test_what_checkout_makes_for_a_pull_request_is_no_branch(forge: Forge, fork: str, name: str) -> None:
    clone = forge.clone("clone")
    clone.git("fetch", "--quiet", forge.repo.url, fork)
    clone.git("update-ref", name, fork)
    clone.git("checkout", "--quiet", "--detach", fork)
    with pytest.raises(Refused, match="no tag of this clone"):
        locally(clone, fork)


def test_the_tip_of_a_branch_or_tag_is_the_repositorys_own(forge: Forge, require: Insist) -> None:
    first = forge.repo.commit({"a": "1"})
    forge.repo.git("tag", "--annotate", "--message=1", "v1")
    forge.repo.branch("topic")
    topic = forge.repo.commit({"a": "2"})
    forge.repo.git("checkout", "--quiet", "--orphan", "other")
    forge.repo.git("branch", "--quiet", "-D", "main")
    clone = forge.shallow_clone("topic")
    assert require(clone, topic) == "refs/heads/topic stands at it"
    assert require(clone, first) == "refs/tags/v1 stands at it"
    assert len(forge.server.seen) == 2, "nothing was fetched"
    assert locally(clone, topic) == "refs/heads/topic stands at it"


def test_an_older_commit_of_a_branch_is_found_in_a_full_clone_without_fetching(forge: Forge, require: Insist) -> None:
    commits = [forge.repo.commit({"a": str(number)}) for number in range(5)]
    clone = forge.clone("clone")
    assert require(clone, commits[1]) == "it is in the history of a branch or tag"
    assert len(forge.server.seen) == 1
    assert locally(clone, commits[1])


@pytest.mark.parametrize("depth", [3, 60])
def test_a_shallow_clone_is_deepened_until_the_commit_is_found(forge: Forge, require: Insist, depth: int) -> None:
    """Fails where the history that a shallow clone lacks counts as history that is not."""
    commits = [forge.repo.commit({"a": str(number)}) for number in range(depth + 2)]
    clone = forge.shallow_clone()
    clone.git("fetch", "--quiet", "--depth=1", forge.repo.url, "main")
    with pytest.raises(Refused):
        locally(clone, commits[1])
    assert require(clone, commits[1]) == "it is in the history of a branch or tag"
    assert clone.git("for-each-ref", "refs/freshness") == ""


def test_a_branch_that_the_clone_does_not_have_is_fetched(forge: Forge, require: Insist) -> None:
    forge.repo.commit({"a": "1"})
    clone = forge.clone("clone")
    forge.repo.branch("topic")
    earlier = forge.repo.commit({"a": "2"})
    forge.repo.commit({"a": "3"})
    assert require(clone, earlier)


def test_a_head_that_was_forced_away_is_refused(forge: Forge, require: Insist) -> None:
    forge.repo.commit({"a": "1"})
    gone = forge.repo.commit({"a": "2"})
    clone = forge.clone("clone")
    forge.repo.git("reset", "--quiet", "--hard", "HEAD~1")
    with pytest.raises(Refused, match="Push the commit to a branch"):
        require(clone, gone)


def nobodys(_number: int) -> bool:
    return False


def test_the_head_of_an_own_pull_request_counts_when_its_branch_is_gone(forge: Forge, fork: str) -> None:
    """The API says whose it is. Breaks when `require_reachable` does not ask, or asks about another number."""
    repository = open_repository(forge.clone("clone").path)
    references = ask_references(repository, forge.address)
    asked: list[int] = []

    def is_own(number: int) -> bool:
        asked.append(number)
        return True

    where = require_reachable(repository, name_commit(fork), references, forge.address, is_own)
    assert where == "it is in the history of pull request #9 of this repository"
    assert asked == [9]
    with pytest.raises(Refused):
        require_reachable(repository, name_commit(fork), None, None, is_own)


def test_an_earlier_commit_of_an_own_pull_request_counts_too(forge: Forge) -> None:
    """Breaks when only a head itself is looked up among the pull requests."""
    forge.repo.commit({"a": "1"})
    forge.repo.branch("gone")
    earlier = forge.repo.commit({"a": "2"})
    head = forge.repo.commit({"a": "3"})
    forge.repo.switch("main")
    forge.repo.git("branch", "--quiet", "-D", "gone")
    forge.pull_request(9, head)
    forge.allow_ids()
    repository = open_repository(forge.clone("clone", "--depth=1").path)
    references = ask_references(repository, forge.address)
    where = require_reachable(repository, name_commit(earlier), references, forge.address, lambda number: number == 9)
    assert where == "it is in the history of pull request #9 of this repository"
    with pytest.raises(Refused, match=earlier):
        require_reachable(repository, name_commit(earlier), references, forge.address, nobodys)
