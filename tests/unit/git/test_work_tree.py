"""Where a Compose file lies: checkouts lie elsewhere each run, and what is outside of one stays where it is."""

import shutil
from pathlib import Path

from freshness.git.work_tree import WorkTree, is_same_file
from tests.support.git import GitRepo


def checkout(folder: Path) -> Path:
    GitRepo.init(folder).write({"compose.yaml": "", "deploy/compose.yaml": "", "deploy/live.yaml": ""})
    return folder


def test_two_checkouts_name_a_file_alike(tmp_path: Path) -> None:
    """Fails when `name` in git/work_tree.py gives a path on this machine."""
    ours, other = checkout(tmp_path / "ours"), checkout(tmp_path / "other")
    tree = WorkTree.around(ours / "deploy/compose.yaml", None)

    assert tree.name(str(ours / "deploy/compose.yaml")) == "deploy/compose.yaml"
    assert tree.name(str(other / "deploy/compose.yaml")) == "deploy/compose.yaml"
    assert tree.name(str(other / "compose.yaml")) == "compose.yaml"
    (tmp_path / "link").symlink_to(other)
    assert tree.name(str(tmp_path / "link/deploy/live.yaml")) == "deploy/live.yaml"


def test_a_checkout_that_is_gone_is_known_by_the_end_of_its_path(tmp_path: Path) -> None:
    """Fails when `_name_of_gone` takes the shortest end, or does not ask what was recorded."""
    ours, gone = checkout(tmp_path / "ours"), checkout(tmp_path / "gone")
    tree = WorkTree.around(ours / "compose.yaml", None)
    shutil.rmtree(gone)

    assert tree.name(str(gone / "compose.yaml")) == "compose.yaml"
    assert tree.name(str(gone / "deploy/compose.yaml")) == "deploy/compose.yaml"
    assert tree.name(str(gone / "deploy/compose.yaml"), ("compose.yaml",)) == "compose.yaml"
    assert tree.name(str(gone / "former.yaml")) == str(gone / "former.yaml")
    assert tree.name(str(gone / "former.yaml"), ("former.yaml",)) == "former.yaml"


def test_a_file_outside_any_checkout_is_known_by_its_absolute_path(tmp_path: Path) -> None:
    """Fails when `name` in git/work_tree.py takes the end of a path that is there."""
    ours = checkout(tmp_path / "ours")
    (tmp_path / "compose.yaml").touch()

    for file in (ours / "compose.yaml", tmp_path / "compose.yaml"):
        assert WorkTree.around(file, None).name(str(tmp_path / "compose.yaml")) == str(tmp_path / "compose.yaml")


def test_a_workspace_without_git_is_a_checkout_too(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").touch()

    tree = WorkTree.around(tmp_path / "compose.yaml", tmp_path)

    assert tree.name(str(tmp_path / "compose.yaml")) == "compose.yaml"
    assert tree.name("/gone/one/compose.yaml") == "compose.yaml"
    assert WorkTree.around(tmp_path / "compose.yaml", None).name("/gone/one/compose.yaml") == "/gone/one/compose.yaml"


def test_the_remote_says_which_repository_it_is(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "ours")
    tree = WorkTree.around(tmp_path / "ours/compose.yaml", None)
    assert tree.repository() == ""

    repo.git("remote", "add", "upstream", "https://git.example/Org/Shop.git")
    assert tree.repository() == "org/shop"
    repo.git("remote", "add", "origin", "git@git.example:me/shop.git")
    assert tree.repository() == "me/shop"
    assert WorkTree(root=None).repository() == ""


def test_one_file_by_two_paths_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").touch()
    (tmp_path / "link.yaml").symlink_to(tmp_path / "compose.yaml")

    assert is_same_file(str(tmp_path / "link.yaml"), tmp_path / "compose.yaml")
    assert not is_same_file(str(tmp_path / "gone.yaml"), tmp_path / "gone.yaml")
