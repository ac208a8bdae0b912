"""A file of the commit is read from its objects, and the work tree has no say."""

from pathlib import PurePosixPath

import pytest

from freshness.errors import SettingsError
from freshness.git.checkout import open_repository
from freshness.git.commit_file import LARGEST, file_at_hand, read_as_built, read_commit_file
from freshness.settings.model import PromoteSettings
from freshness.settings.read import read_promote
from tests.support.git import Content, GitRepo, Link


def read(repo: GitRepo, commit: str, path: str = "freshness.toml") -> str:
    return read_commit_file(open_repository(repo.path), commit, PurePosixPath(path))


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
    with pytest.raises(SettingsError, match=r"freshness\.toml of the commit .* is no file of text"):
        read(repo, commit)


def expecting(commit: str, repo: GitRepo, **given: str) -> PromoteSettings:
    return read_promote({"expected-revision": commit, **given}, {}, cwd=repo.path)


def test_a_promotion_reads_the_file_of_the_commit_that_it_expects(repo: GitRepo) -> None:
    commit = repo.commit({"freshness.toml": "expected"})
    repo.commit({"freshness.toml": "later"})
    assert file_at_hand(expecting(commit, repo)) == "expected"
    assert file_at_hand(expecting(commit, repo, **{"settings-file": "none"})) == ""
    assert file_at_hand(expecting("0" * 39 + "1", repo, path="elsewhere")) == ""


def test_a_promotion_does_not_guess_what_a_commit_says_that_is_not_there(repo: GitRepo) -> None:
    """Fails where the checkout's own file is taken, or none: another commit would say how this one is proven."""
    missing = "0" * 39 + "1"
    repo.commit({"a": "file"})
    assert file_at_hand(expecting(missing, repo)) == ""
    repo.commit({"freshness.toml": "another commit's"})
    with pytest.raises(SettingsError, match=r"the expected commit 0+1 is not"):
        file_at_hand(expecting(missing, repo))


def built(repo: GitRepo, commit: str, path: str) -> bytes | None:
    return read_as_built(open_repository(repo.path), commit, PurePosixPath(path))


def test_what_is_built_is_found_behind_links_of_files_and_folders(repo: GitRepo) -> None:
    """Fails where a link is no file, or where it starts is not where it stands."""
    links = {"current": Link("apps/web"), "apps/web/Dockerfile": Link("../../docker/./Dockerfile")}
    commit = repo.commit({**links, "docker/Dockerfile": "FROM scratch\n", "again": Link("current/Dockerfile")})
    found = {built(repo, commit, path) for path in ("docker/Dockerfile", "current/Dockerfile", "again")}
    assert found == {b"FROM scratch\n"}


def test_what_no_link_of_the_tree_leads_to_is_not_there(repo: GitRepo) -> None:
    """Fails where a link out of the tree is followed, or one to itself for ever."""
    names = {"out": "../x", "absolute": "/etc/passwd", "loop": "loop", "gone": "nothing", "through": "x/y"}
    commit = repo.commit({**{name: Link(target) for name, target in names.items()}, "x": "", "folder/y": ""})
    assert [built(repo, commit, path) for path in (*names, "folder")] == [None] * 6
    assert built(repo, commit, "x") == b""
