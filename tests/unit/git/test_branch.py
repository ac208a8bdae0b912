"""Where production's commit stands to the branch, as the local clone has it."""

from pathlib import Path

from freshness.git.branch import find_clone
from tests.support.git import GitRepo, run_git


def test_the_checked_out_branch_counts_where_no_default_one_is_known(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    first = repo.commit({"a": "1"}, "Sell shoes")
    repo.commit({"a": "2"}, "Sell boots")
    last = repo.commit({"a": "3"}, "Sell socks")

    clone = find_clone(repo.path)

    assert clone is not None
    assert (clone.branch, clone.tip) == ("main", last)
    assert (clone.subject(first), clone.behind(first), clone.behind(last)) == ("Sell shoes", 2, 0)
    assert (clone.subject("f" * 40), clone.behind("f" * 40)) == ("", None)


def test_the_default_branch_of_origin_counts_before_what_is_checked_out(tmp_path: Path) -> None:
    """Fails when `_branch` asks HEAD first: a deploy host's clone stands where it was last checked out."""
    origin = GitRepo.init(tmp_path / "origin")
    first = origin.commit({"a": "1"}, "Sell shoes")
    run_git(tmp_path, "clone", "--quiet", str(origin.path), "clone")
    tip = origin.commit({"a": "2"}, "Sell boots")
    run_git(tmp_path / "clone", "fetch", "--quiet")

    clone = find_clone(tmp_path / "clone")

    assert clone is not None
    assert (clone.branch, clone.tip, clone.behind(first)) == ("origin/main", tip, 1)


def test_no_clone_and_a_detached_head_are_no_failure(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "repo")
    commit = repo.commit({"a": "1"}, "Sell shoes")
    run_git(repo.path, "checkout", "--quiet", "--detach")

    detached = find_clone(repo.path)

    assert find_clone(tmp_path) is None
    assert detached is not None
    assert (detached.branch, detached.behind(commit), detached.subject(commit)) == ("", None, "Sell shoes")
