"""Submodules and Git LFS pointers, whose content a commit does not hold, under both policies."""

from pathlib import Path

import pytest

from freshness.errors import Refused
from tests.support.git import GitRepo
from tests.support.revisions import export

POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"


@pytest.fixture
def incomplete(repo: GitRepo, tmp_path: Path) -> str:
    """A commit with a submodule and two pointers."""
    library = GitRepo.init(tmp_path / "library")
    library.commit({"a": "1"})
    repo.git("submodule", "--quiet", "add", library.url, "vendor/library")
    return repo.commit({"model.bin": POINTER, "deep/video": POINTER, "a": "1"})


def test_they_are_refused_with_every_path(repo: GitRepo, incomplete: str, tmp_path: Path) -> None:
    """Fails where `export_tree` does not raise for what is incomplete."""
    with pytest.raises(Refused, match="whose content is not in it") as caught:
        export(repo, incomplete, tmp_path / "out")
    for path in ("vendor/library", "model.bin", "deep/video"):
        assert f"`{path}`" in str(caught.value)
    assert "incomplete: allow" in caught.value.remedy


def test_allowed_they_are_an_empty_folder_and_the_pointer_itself(
    repo: GitRepo, incomplete: str, tmp_path: Path
) -> None:
    exported = export(repo, incomplete, tmp_path / "out", allow_incomplete=True)
    assert sorted(exported.incomplete) == ["deep/video", "model.bin", "vendor/library"]
    assert list((tmp_path / "out" / "vendor" / "library").iterdir()) == []
    assert (tmp_path / "out" / "model.bin").read_text() == POINTER


@pytest.mark.parametrize("content", [POINTER + "x" * 1024, "# " + POINTER, "version https://example.org\n"])
def test_a_file_that_only_resembles_a_pointer_is_complete(repo: GitRepo, tmp_path: Path, content: str) -> None:
    assert export(repo, repo.commit({"a": content}), tmp_path / "out").incomplete == ()


def test_many_paths_are_named_up_to_a_limit(repo: GitRepo, tmp_path: Path) -> None:
    commit = repo.commit({f"file{number:02}": POINTER for number in range(12)})
    with pytest.raises(Refused, match="`file09` and 2 more"):
        export(repo, commit, tmp_path / "out")
