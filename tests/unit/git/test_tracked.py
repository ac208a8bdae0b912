"""Whether Git tracks files at a path of this machine, in whoever's clone."""

import os
from pathlib import Path

import pytest

from freshness.git.tracked import tracked_at
from tests.support.git import GitRepo


@pytest.fixture
def clone(tmp_path: Path) -> GitRepo:
    repo = GitRepo.init(tmp_path / "clone")
    repo.commit({"src/app.py": "1", "deep/er/x": "1", "empty/.gitkeep": "", "ä/ö": "1"})
    repo.write({"data/rows": "1"})
    return repo


@pytest.mark.parametrize("inside", [".", "src", "src/app.py", "deep", "deep/er", "ä", "src/../src"])
def test_a_path_at_which_git_tracks_files_is_found(clone: GitRepo, inside: str) -> None:
    """I13. Breaks when `_first` no longer looks below the path, or at the path itself."""
    assert tracked_at(clone.path / inside)


@pytest.mark.parametrize("inside", ["data", "data/rows", "missing", "empty", "src/app.py.bak", "sr", ".git"])
def test_a_path_at_which_it_tracks_none_is_free(clone: GitRepo, inside: str) -> None:
    """Breaks when every path of a work tree counts, or a beginning of a name does."""
    assert tracked_at(clone.path / inside) is None


def test_a_link_is_followed_from_anywhere(clone: GitRepo, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(clone.path / "src")

    assert tracked_at(tmp_path / "link") == str(clone.path / "src/app.py")
    assert tracked_at(tmp_path) is None


def test_a_file_that_the_work_tree_lost_is_still_tracked(clone: GitRepo) -> None:
    (clone.path / "src/app.py").unlink()

    assert tracked_at(clone.path / "src")


def test_a_linked_work_tree_and_a_submodule_are_work_trees(clone: GitRepo, tmp_path: Path) -> None:
    """Breaks when only a folder `.git` is looked for."""
    clone.git("worktree", "add", "--quiet", str(tmp_path / "linked"))
    outer = GitRepo.init(tmp_path / "outer")
    outer.git("submodule", "--quiet", "add", clone.url, "vendor/app")

    assert tracked_at(tmp_path / "linked" / "src")
    assert tracked_at(outer.path / "vendor/app/src")


def test_a_repository_around_another_counts_too(clone: GitRepo) -> None:
    """Breaks when the search ends at the first work tree: the outer one may have committed the inner one's files."""
    inner = GitRepo.init(clone.path / "inner")
    inner.write({"x": "1"})
    (inner.path / ".git").rename(inner.path / "git")
    clone.commit({})
    (inner.path / "git").rename(inner.path / ".git")

    assert tracked_at(inner.path / "x") == str(inner.path / "x")


def test_an_index_that_cannot_be_read_is_no_leave(clone: GitRepo) -> None:
    """Breaks when `tracked_at` takes what it cannot tell for nothing."""
    (clone.path / ".git/index").write_bytes(b"no index")

    assert "cannot be read" in str(tracked_at(clone.path / "data"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a clone to another user")
def test_a_clone_of_another_user_is_read_all_the_same(clone: GitRepo) -> None:
    for path in (clone.path, clone.path / ".git", clone.path / ".git/index"):
        os.chown(path, 12345, 12345)

    assert tracked_at(clone.path / "src")
