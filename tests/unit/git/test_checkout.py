"""Opening a checkout: whoever owns it, however it is linked, and what libgit2 cannot read."""

import os
from pathlib import Path

import pytest

from freshness.errors import RepositoryError
from freshness.git.checkout import open_repository
from tests.support.git import GitRepo
from tests.support.revisions import export, find, read_tree


def test_a_work_tree_a_bare_repository_a_linked_work_tree_and_a_submodule_open(repo: GitRepo, tmp_path: Path) -> None:
    commit = repo.commit({"a": "1"})
    bare = GitRepo.clone(repo.url, tmp_path / "bare.git", "--bare")
    repo.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
    outer = GitRepo.init(tmp_path / "outer")
    outer.git("submodule", "--quiet", "add", repo.url, "inner")
    for folder in (repo.path, bare.path, tmp_path / "linked", outer.path / "inner"):
        assert find(GitRepo(folder), commit).commit == commit


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a checkout to another user")
def test_a_checkout_of_another_user_is_exported(repo: GitRepo, tmp_path: Path) -> None:
    """Fails where `configure_libgit2` leaves owner validation on."""
    commit = repo.commit({"a": "1"})
    for path in (repo.path, *repo.path.rglob("*")):
        os.lchown(path, 12345, 12345)
    export(repo, commit, tmp_path / "out")
    assert read_tree(tmp_path / "out") == {"a": b"1"}


def test_a_folder_inside_a_work_tree_is_not_the_repository(repo: GitRepo) -> None:
    repo.commit({"inner/a": "1"})
    with pytest.raises(RepositoryError, match=rf"inner is not a Git repository.*`cd {repo.path}`"):
        open_repository(repo.path / "inner")


@pytest.mark.parametrize("name", ["missing", "file", "folder"])
def test_what_is_no_repository_is_named_with_the_remedy(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(RepositoryError, match=rf"{name} is not a Git repository\. Check out the repository before"):
        open_repository(tmp_path / name)


def test_a_sha256_repository_is_refused_by_name(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path / "sha256", "--object-format=sha256")
    with pytest.raises(
        RepositoryError, match=r"SHA-256 repository.* a SHA-1 repository was expected.*Use a repository"
    ):
        open_repository(repo.path)


@pytest.mark.parametrize(
    ("extension", "value", "what"),
    [
        ("refStorage", "reftable", r"as reftable.*git refs migrate"),
        ("partialClone", "origin", r"partial clone.*without `filter`"),
        ("unheardOf", "true", r"cannot be opened as a Git repository.*unheardof.*git -C FOLDER status"),
    ],
)
def test_an_extension_that_libgit2_does_not_know_is_refused_by_name(
    repo: GitRepo, extension: str, value: str, what: str
) -> None:
    """The setting alone, which a Git too old to make such a repository can write too, is what libgit2 goes by."""
    repo.git("config", "core.repositoryFormatVersion", "1")
    repo.git("config", f"extensions.{extension}", value)
    with pytest.raises(RepositoryError, match=what):
        open_repository(repo.path)


def test_a_partial_clone_without_the_blob_is_refused_with_the_remedy(repo: GitRepo, tmp_path: Path) -> None:
    """Fails where `ObjectStore.read_any` lets a KeyError pass."""
    commit = repo.commit({"a": "1"})
    repo.git("config", "uploadpack.allowFilter", "true")
    partial = GitRepo.clone(repo.url, tmp_path / "partial", "--no-checkout", "--filter=blob:none")
    with pytest.raises(RepositoryError, match=r"partial clone|a \(object [0-9a-f]+\) is not in the repository"):
        export(partial, commit, tmp_path / "out")


@pytest.mark.parametrize("name", ["objects/info/alternates", "worktrees/linked/commondir"])
def test_a_folder_of_objects_that_cannot_be_is_an_error(repo: GitRepo, tmp_path: Path, name: str) -> None:
    """Fails where Python's own ValueError for the NUL passes."""
    commit = repo.commit({"a": "1"})
    repo.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
    (repo.path / ".git" / name).write_bytes(b"../a\0b\n")
    with pytest.raises(RepositoryError) as refusal:
        find(GitRepo(tmp_path / "linked"), commit)
    assert str(refusal.value).isprintable()


def test_a_damaged_repository_is_an_error_and_no_traceback(repo: GitRepo) -> None:
    repo.commit({"a": "1"})
    (repo.path / ".git" / "HEAD").unlink()
    with pytest.raises(RepositoryError, match="is not a Git repository"):
        open_repository(repo.path)
