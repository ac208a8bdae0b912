"""A file of the commit is read from its objects, and the work tree has no say."""

from pathlib import PurePosixPath

import pytest

from freshness.errors import Refused
from freshness.git.checkout import open_repository
from freshness.git.commit_file import LARGEST, read_commit_file
from tests.support.git import Content, GitRepo, Link
from tests.support.revisions import find


def read(repo: GitRepo, commit: str, path: str = "freshness.toml") -> str:
    return read_commit_file(open_repository(repo.path), find(repo, commit), PurePosixPath(path))


def test_the_commits_text_is_read_whatever_the_work_tree_holds(repo: GitRepo) -> None:
    """Fails where the file of the checkout is opened: a pull request's merge commit, or an edit, would say it."""
    commit = repo.commit({"freshness.toml": "ü", "deploy/eu/freshness.toml": "inner"})
    repo.commit({"freshness.toml": "later"})
    repo.write({"freshness.toml": "dirty"})
    assert (read(repo, commit), read(repo, commit, "deploy/eu/freshness.toml")) == ("ü", "inner")


def test_a_commit_without_the_file_says_nothing(repo: GitRepo) -> None:
    commit = repo.commit({"a": "file"})
    repo.write({"freshness.toml": "untracked"})
    assert [read(repo, commit), read(repo, commit, "a/freshness.toml"), read(repo, commit, "b/x")] == ["", "", ""]


@pytest.mark.parametrize(
    "content", [Link("/etc/passwd"), b"\xff", b"a\0b", b"#" * (LARGEST + 1)], ids=["link", "bytes", "NUL", "long"]
)
def test_what_is_no_text_is_refused(repo: GitRepo, content: Content) -> None:
    """Fails where a link is followed, or what cannot be read counts as a commit without the file."""
    commit = repo.commit({"freshness.toml": content})
    with pytest.raises(Refused, match=r"freshness\.toml of the commit .* is no file of text"):
        read(repo, commit)
