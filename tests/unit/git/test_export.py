"""I1: what is exported is the Revision's Git objects, byte for byte, and nothing else."""

import os
import resource
import stat
from pathlib import Path

import pytest

from freshness.errors import RepositoryError, SettingsError
from freshness.git.checkout import open_repository
from freshness.git.export import export_tree
from tests.support.git import COMMIT_TIME, Content, Executable, GitRepo, Link
from tests.support.revisions import export, find, read_tree


def test_dirty_untracked_ignored_and_staged_files_stay_out(repo: GitRepo, tmp_path: Path) -> None:
    """I1. Fails where `export_tree` is given the index's or HEAD's tree in place of the Revision's."""
    commit = repo.commit({"a": "committed", ".gitignore": "ignored\n", "gone": "here"})
    repo.commit({"a": "later", "later": "1"})
    repo.write({"a": "dirty", "untracked": "1", "ignored": "1", "staged": "1", "gone": None})
    repo.git("add", "staged")
    export(repo, commit, tmp_path / "out")
    assert read_tree(tmp_path / "out") == {"a": b"committed", ".gitignore": b"ignored\n", "gone": b"here"}


def test_attributes_filters_and_line_endings_change_nothing(repo: GitRepo, tmp_path: Path) -> None:
    """I1. Fails where files are written by libgit2's checkout or by an archive."""
    files: dict[str, Content] = {
        "left-out": b"1",
        "stamped": b"$Format:%H$\n$Id$\n",
        "crlf": b"a\r\nb\r\n",
        "lf": b"a\nb\n",
        "filtered": b"1\n",
        "utf16": "a\n".encode("utf-16"),
    }
    repo.commit(files)
    attributes = (
        "left-out export-ignore\nstamped export-subst ident\n* text=auto\nlf eol=crlf\n"
        "filtered filter=twist\nutf16 text working-tree-encoding=UTF-16\n"
    )
    repo.git("config", "filter.twist.smudge", "tr 1 2")
    repo.git("config", "core.autocrlf", "true")
    blobs = repo.git("ls-tree", "HEAD")
    tree = repo.git(
        "mktree",
        stdin=f"{blobs}\n100644 blob {repo.write_object('blob', attributes.encode())}\t.gitattributes\n".encode(),
    )
    commit = repo.commit_tree(tree)
    repo.write({".gitattributes": attributes, ".git/info/attributes": attributes})
    export(repo, commit, tmp_path / "out")
    assert read_tree(tmp_path / "out") == {**files, ".gitattributes": attributes.encode()}


def test_modes_and_links_are_the_trees(repo: GitRepo, tmp_path: Path) -> None:
    """I1. Fails without `os.fchmod` after the write."""
    files: dict[str, Content] = {
        "plain": "1",
        "tool": Executable("#!/bin/sh\n"),
        "deep/er/file": "2",
        "link": Link("/etc/passwd"),
    }
    commit = repo.commit(files)
    umask = os.umask(0o077)
    try:
        export(repo, commit, tmp_path / "out")
    finally:
        os.umask(umask)
    modes = {path.name: stat.filemode(path.lstat().st_mode) for path in (tmp_path / "out").rglob("*")}
    assert modes == {
        "plain": "-rw-r--r--",
        "tool": "-rwxr-xr-x",
        "deep": "drwxr-xr-x",
        "er": "drwxr-xr-x",
        "file": "-rw-r--r--",
        "link": "lrwxrwxrwx",
    }
    assert stat.filemode((tmp_path / "out").stat().st_mode) == "drwx------"


def test_links_out_of_the_context_are_written_and_never_followed(repo: GitRepo, tmp_path: Path) -> None:
    """I1. Fails where a link's time or target is taken through the link."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    os.utime(outside / "kept", (1, 1))
    links = {
        "up": Link("../outside"),
        "file": Link(str(outside / "kept")),
        "broken": Link("nowhere"),
        "self": Link("self"),
    }
    export(repo, repo.commit(links), tmp_path / "out")
    assert {name: link.target for name, link in links.items()} == {
        path.name: str(path.readlink()) for path in (tmp_path / "out").iterdir()
    }
    assert (outside / "kept").stat().st_mtime == 1
    assert list(outside.iterdir()) == [outside / "kept"]


def test_every_time_is_the_commits(repo: GitRepo, tmp_path: Path) -> None:
    commit = repo.commit({"a/b/c": "1", "link": Link("a"), "z": "2"})
    export(repo, commit, tmp_path / "out")
    everything = [tmp_path / "out", *(tmp_path / "out").rglob("*")]
    assert {path.lstat().st_mtime_ns for path in everything} == {COMMIT_TIME * 10**9}


@pytest.mark.parametrize(
    "name",
    [
        b"\xff\xfe not utf-8",
        b"new\nline",
        b"-dash",
        "ünï 🐟".encode(),
        b"n" * 255,
        b" space ",
        b"\\back",
        b"CON",
        b"...",
        b"\x01",
    ],
    ids=repr,
)
def test_unusual_names_are_exported(repo: GitRepo, tmp_path: Path, name: bytes) -> None:
    text = os.fsdecode(name)
    commit = repo.commit({text: "1", f"in/{text}/file": "2"})
    export(repo, commit, tmp_path / "out")
    assert read_tree(tmp_path / "out") == {text: b"1", f"in/{text}/file": b"2"}


def test_the_whole_tree_is_exported_and_counted(repo: GitRepo, tmp_path: Path) -> None:
    """Design: the Dockerfile may lie outside the context, so no sub-folder is ever exported alone."""
    commit = repo.commit({"app/main": "12345", "docker/Dockerfile": "FROM scratch", "empty": "", "link": Link("app")})
    exported = export(repo, commit, tmp_path / "out")
    assert (exported.files, exported.size, exported.incomplete) == (4, 5 + 12 + 0 + 3, ())


def test_two_hundred_folders_deep_is_exported(repo: GitRepo, tmp_path: Path) -> None:
    path = "/".join(["d"] * 200 + ["file"])
    export(repo, repo.commit({path: "1"}), tmp_path / "out")
    assert (tmp_path / "out" / path).read_text() == "1"


def test_an_empty_commit_is_an_empty_folder(repo: GitRepo, tmp_path: Path) -> None:
    assert export(repo, repo.commit({}), tmp_path / "out").files == 0
    assert list((tmp_path / "out").iterdir()) == []


def test_packed_objects_and_alternates_are_read(repo: GitRepo, tmp_path: Path) -> None:
    commit = repo.commit({"a": "1" * 1000})
    repo.commit({"a": "1" * 1000 + "2"})
    repo.git("gc", "--quiet")
    sharing = GitRepo.clone(repo.url, tmp_path / "sharing", "--shared")
    export(sharing, commit, tmp_path / "out")
    assert (tmp_path / "out" / "a").read_text() == "1" * 1000


@pytest.mark.parametrize("what", ["a file in it", "a file", "a link to an empty folder"])
def test_only_a_new_or_empty_folder_is_written_to(repo: GitRepo, tmp_path: Path, what: str) -> None:
    """Fails where `open_private` does without its look at the folder, or without O_NOFOLLOW."""
    commit, out = repo.commit({"a": "1"}), tmp_path / "out"
    match what:
        case "a file in it":
            out.mkdir()
            (out / "mine").touch()
        case "a file":
            out.touch()
        case _:
            (tmp_path / "empty").mkdir()
            out.symlink_to(tmp_path / "empty")
    with pytest.raises((SettingsError, RepositoryError), match="out"):
        export(repo, commit, out)
    assert not (out / "a").exists()


def test_an_empty_folder_of_ours_becomes_private(repo: GitRepo, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir(mode=0o755)
    export(repo, repo.commit({"a": "1"}), tmp_path / "out")
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700


def test_a_disk_that_takes_no_more_is_one_sentence_with_the_remedy(repo: GitRepo, tmp_path: Path) -> None:
    """A limit on file sizes stands for a full disk: the kernel's answer comes at the same place."""
    commit = repo.commit({"a": "1" * 9000})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(RepositoryError, match=r"could not be written to .*/out: File too large\. Free some space"):
            export(repo, commit, tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_folder_that_cannot_be_made_is_one_sentence_with_the_remedy(repo: GitRepo) -> None:
    commit = repo.commit({"a": "1"})
    with pytest.raises(
        RepositoryError, match=r"could not be written to /dev/null/out: Not a directory\. Free some space"
    ):
        export(repo, commit, Path("/dev/null/out"))


def test_the_checkout_is_left_as_it_was(repo: GitRepo, tmp_path: Path) -> None:
    commit = repo.commit({"a": "1"})
    repo.write({"a": "dirty"})
    before = repo.git("status", "--porcelain"), repo.git("for-each-ref"), read_tree(repo.path)
    export_tree(open_repository(repo.path), find(repo, commit), tmp_path / "out", allow_incomplete=False)
    assert (repo.git("status", "--porcelain"), repo.git("for-each-ref"), read_tree(repo.path)) == before
