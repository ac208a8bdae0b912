"""Without a checkout the one commit is fetched into a bare repository of our own."""

from pathlib import Path

import pytest

from freshness.errors import RepositoryError
from freshness.git.checkout import open_or_make, open_repository
from freshness.git.export import export_tree
from freshness.git.find import find_revision
from tests.support.forge import TOKEN, Forge
from tests.support.git import GitRepo
from tests.support.revisions import name_commit, read_tree


@pytest.fixture
def private(tmp_path: Path) -> Path:
    folder = tmp_path / "private"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("by_id", ["by its id", "as the pull request's head"])
def test_exactly_the_commit_is_fetched_and_exported(forge: Forge, private: Path, tmp_path: Path, by_id: str) -> None:
    """Fails where an empty repository is fetched into with all the history."""
    forge.repo.commit({"a": "1"})
    head = forge.repo.commit({"a": "2", "b/c": "3"})
    forge.pull_request(7, head)
    forge.repo.commit({"a": "3"})
    if by_id == "by its id":
        forge.allow_ids()
    repository = open_or_make(tmp_path / "workspace", forge.address, private)
    revision = find_revision(repository, name_commit(head, 7), forge.address)
    export_tree(repository, revision, tmp_path / "out", allow_incomplete=False)
    assert read_tree(tmp_path / "out") == {"a": b"2", "b/c": b"3"}
    assert GitRepo(Path(repository.path)).git("rev-list", "--count", head) == "1"
    assert not (tmp_path / "workspace").exists()


def test_the_own_repository_is_ours_alone_holds_no_token_and_is_used_again(forge: Forge, private: Path) -> None:
    head = forge.repo.commit({"a": "1"})
    forge.allow_ids()
    first = open_or_make(private / "workspace", forge.address, private)
    find_revision(first, name_commit(head), forge.address)
    requests = len(forge.server.seen)
    again = open_or_make(private / "workspace", forge.address, private)
    assert find_revision(again, name_commit(head), forge.address).commit == head
    assert len(forge.server.seen) == requests
    folder = Path(first.path)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert TOKEN not in "".join(path.read_text("latin-1") for path in folder.rglob("*") if path.is_file())


def test_a_checkout_is_used_where_there_is_one(forge: Forge, private: Path) -> None:
    forge.repo.commit({"a": "1"})
    clone = forge.clone("clone")
    linked = forge.folder / "linked"
    clone.git("worktree", "add", "--quiet", "--detach", str(linked))
    assert open_or_make(linked, forge.address, private).path == open_repository(clone.path).path
    for folder in (clone.path, linked, forge.clone("bare", "--bare").path):
        assert open_or_make(folder, forge.address, private).path == open_repository(folder).path
    assert list(private.iterdir()) == []


def test_a_checkout_that_cannot_be_read_is_refused_and_not_passed_over(forge: Forge, private: Path) -> None:
    """Fails where any failure to open counts as no checkout."""
    clone = GitRepo.init(private / "clone")
    clone.git("config", "core.repositoryFormatVersion", "1")
    clone.git("config", "extensions.refStorage", "reftable")
    with pytest.raises(RepositoryError, match="reftable"):
        open_or_make(clone.path, forge.address, private)
    (private / "broken").mkdir()
    (private / "broken" / ".git").symlink_to(private / "nowhere")
    with pytest.raises(RepositoryError, match="is not a Git repository"):
        open_or_make(private / "broken", forge.address, private)


def test_without_a_server_there_has_to_be_a_checkout(private: Path) -> None:
    with pytest.raises(RepositoryError, match="is not a Git repository"):
        open_or_make(private / "workspace", None, private)


def test_a_disk_that_takes_no_repository_is_an_error(forge: Forge, private: Path) -> None:
    (private / "repository.git").write_text("in the way")
    with pytest.raises(RepositoryError, match="cannot create a repository"):
        open_or_make(private / "workspace", forge.address, private)
