"""Which commit a name means that a person types."""

from collections.abc import Callable
from hashlib import sha1
from itertools import count

import pytest

from freshness.errors import SettingsError
from freshness.git.named import find_named
from tests.support.git import COMMIT_TIME, GitRepo


@pytest.fixture
def named(repo: GitRepo) -> Callable[[str], tuple[str, str]]:
    return lambda name: find_named(repo.path, name)


@pytest.mark.parametrize("name", ["HEAD", "main", "refs/heads/main", "v1", "feature/login"])
def test_head_branches_and_tags_are_commits(name: str, repo: GitRepo, named: Callable[[str], tuple[str, str]]) -> None:
    """Fails when an annotated tag is not peeled, or a name is looked for in one place alone."""
    commit = repo.commit({"a": "1"}, "Sell shoes")
    repo.git("tag", "--annotate", "--message=1", "v1")
    repo.git("branch", "feature/login")

    assert named(name) == (commit, "Sell shoes")


def test_a_short_id_is_a_commit_also_in_upper_case_and_a_full_one_need_not_be_here(
    repo: GitRepo, named: Callable[[str], tuple[str, str]]
) -> None:
    """Fails when `_ids` does not look for the beginning, or a full id is looked up: the gate may fetch it."""
    commit = repo.commit({"a": "1"}, "Sell shoes")

    assert named(commit[:7]) == named(commit[:12].upper()) == named(commit) == (commit, "Sell shoes")
    assert named("1" * 40) == ("1" * 40, "")


def test_a_linked_work_tree_has_its_own_head(repo: GitRepo) -> None:
    """Fails when HEAD is read from the repository that the work tree is linked to."""
    repo.commit({"a": "1"}, "One")
    linked = repo.path.parent / "linked"
    repo.git("worktree", "add", "--quiet", "-b", "other", str(linked))
    second = GitRepo(linked).commit({"a": "2"}, "Two")

    assert find_named(linked, "HEAD") == (second, "Two")
    assert find_named(repo.path, "HEAD")[1] == "One"


def test_a_branch_and_a_tag_of_one_name_at_two_commits_are_refused_with_both(
    repo: GitRepo, named: Callable[[str], tuple[str, str]]
) -> None:
    """Fails when the first place wins, as with Git, which warns only."""
    first = repo.commit({"a": "1"}, "One")
    repo.git("tag", "next")
    second = repo.commit({"a": "2"}, "Two")
    repo.git("branch", "next")

    with pytest.raises(SettingsError, match="means 2 commits") as refused:
        named("next")
    assert f"{first} 'One' (refs/tags/next)" in str(refused.value)
    assert f"{second} 'Two' (refs/heads/next)" in str(refused.value)
    assert named("refs/heads/next")[0] == second


def test_digits_that_begin_two_ids_are_refused_with_both(
    repo: GitRepo, named: Callable[[str], tuple[str, str]]
) -> None:
    """Fails when `_ids` takes the first."""
    repo.commit({"a": "1"})
    start, both = two_of_one_beginning(repo.head("HEAD^{tree}"))
    ids = [repo.write_object("commit", each) for each in both]

    with pytest.raises(SettingsError, match="means 2 commits") as refused:
        named(start)
    assert all(commit in str(refused.value) for commit in ids)


def two_of_one_beginning(tree: str) -> tuple[str, tuple[bytes, bytes]]:
    """Two commits of the tree whose ids begin alike, and with which 7 digits."""
    who, seen = f"Ada <ada@example.org> {COMMIT_TIME} +0000", dict[str, bytes]()
    for number in count():
        data = f"tree {tree}\nauthor {who}\ncommitter {who}\n\n{number}\n".encode()
        start = sha1(b"commit %d\0" % len(data) + data, usedforsecurity=False).hexdigest()[:7]
        if start in seen:
            return start, (data, seen[start])
        seen[start] = data
    raise AssertionError("numbers end")


@pytest.mark.parametrize("name", ["featrue", "ui", "HEAD~1", "", "abc1234", "x\n::error::", "-x"])
def test_an_unknown_name_is_refused_with_what_there_is(
    name: str, repo: GitRepo, named: Callable[[str], tuple[str, str]]
) -> None:
    """Fails when `_unknown` does not name the nearest, or an odd name ends in libgit2's own words."""
    repo.commit({"a": "1"})
    repo.git("branch", "feature")
    repo.git("update-ref", "refs/remotes/origin/ui", "HEAD")

    with pytest.raises(SettingsError, match="is no commit of") as refused:
        named(name)
    near = {"featrue": "The nearest are 'feature'.", "ui": "The nearest are 'origin/ui'."}.get(name, "It has")
    assert near in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_clone_without_a_commit_says_so(named: Callable[[str], tuple[str, str]]) -> None:
    with pytest.raises(SettingsError, match="It has no branch and no tag"):
        named("HEAD")
