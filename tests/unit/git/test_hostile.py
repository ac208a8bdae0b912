"""I1: planted or damaged objects and trees that no faithful export can have are refused."""

import zlib
from pathlib import Path

import pygit2
import pytest

from freshness.errors import FreshnessError, Refused, RepositoryError
from tests.support.git import GitRepo
from tests.support.revisions import export, read_tree

FILE, LINK, FOLDER = b"100644", b"120000", b"40000"


def loose_path(repo: GitRepo, object_id: str) -> Path:
    return repo.path / ".git" / "objects" / object_id[:2] / object_id[2:]


def plant(repo: GitRepo, object_id: str, raw: bytes) -> None:
    """Puts `raw` (`<kind> <size>NUL<content>`) where the object `object_id` is kept."""
    path = loose_path(repo, object_id)
    path.chmod(0o644)
    path.write_bytes(zlib.compress(raw))


@pytest.mark.parametrize("name", ["HEAD", "HEAD^{tree}", "HEAD:folder", "HEAD:folder/a"])
def test_a_planted_object_is_refused(repo: GitRepo, tmp_path: Path, name: str) -> None:
    """I1. Fails where `verify_hash` compares nothing: libgit2 gives a planted object out as it is."""
    commit = repo.commit({"folder/a": "1"})
    victim, kind = repo.head(name), repo.git("cat-file", "-t", name)
    repo.commit({"folder/a": "2"})
    other = repo.head(name)
    plant(repo, victim, zlib.decompress(loose_path(repo, other).read_bytes()))
    assert repo.git("cat-file", "-t", victim) == kind, "the planted object is readable"
    with pytest.raises(Refused, match=rf"object {victim}\)? holds content whose hash is {other}"):
        export(repo, commit, tmp_path / "out")


CONTENT = "1" * 1000
DEFLATED = zlib.compress(f"blob 1000\0{CONTENT}".encode())
DAMAGE = {
    "emptied": b"",
    "a wrong checksum": DEFLATED[:-1] + bytes([DEFLATED[-1] ^ 255]),
    "not deflated": b"junk" * 5,
    "no object": zlib.compress(b"junk" * 5),
}
"""Git and libgit2 say of each, in a sentence, that it cannot be read."""


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_object_is_an_error_and_no_traceback(repo: GitRepo, tmp_path: Path, damage: str) -> None:
    """Fails where `ObjectStore` leaves loose objects to libgit2, which says it in words of its own."""
    commit = repo.commit({"a": CONTENT})
    path = loose_path(repo, repo.head("HEAD:a"))
    path.chmod(0o644)
    path.write_bytes(DAMAGE[damage])
    with pytest.raises(RepositoryError, match=r"a \(object [0-9a-f]{40}\) cannot be read"):
        export(repo, commit, tmp_path / "out")


@pytest.mark.parametrize("name", ["HEAD^{tree}", "HEAD:folder", "HEAD:folder/a"])
def test_a_missing_object_is_an_error_with_the_remedy(repo: GitRepo, tmp_path: Path, name: str) -> None:
    commit = repo.commit({"folder/a": "1"})
    loose_path(repo, repo.head(name)).unlink()
    with pytest.raises(RepositoryError, match=r"is not in the repository: the clone is incomplete.*without `filter`"):
        export(repo, commit, tmp_path / "out")


LEAVES_ITS_FOLDER = [b"", b".", b"..", b"a/b", b"../a", b"/etc"]
IS_DOT_GIT = [
    b".git",
    b".GIT",
    b".Git",
    b".git ",
    b".git...",
    b".git . .",
    b"git~1",
    b"GIT~1",
    b".git::$INDEX_ALLOCATION",
]
IS_DOT_GIT_ON_HFS = [".g\u200cit".encode(), ".git\ufeff".encode()]


@pytest.mark.parametrize("name", [*LEAVES_ITS_FOLDER, *IS_DOT_GIT, *IS_DOT_GIT_ON_HFS], ids=repr)
@pytest.mark.parametrize("depth", [0, 1])
def test_a_name_that_leaves_its_folder_or_is_dot_git_is_refused(
    repo: GitRepo, tmp_path: Path, name: bytes, depth: int
) -> None:
    """I1. Fails where `parse_tree` does not call `refuse_hostile_name`."""
    tree = repo.write_tree((FILE, name, repo.write_object("blob", b"hostile")))
    for _ in range(depth):
        tree = repo.write_tree((FOLDER, b"folder", tree))
    with pytest.raises(Refused, match="in the commit has a name that"):
        export(repo, repo.commit_tree(tree), tmp_path / "out")
    assert read_tree(tmp_path / "out") == {}


@pytest.mark.parametrize(
    "name", [b".gitignore", b".gitmodules", b"git", b"git~2", b".git-x", b"x.git", b"..a", b".github"], ids=repr
)
def test_a_name_that_only_resembles_a_hostile_one_is_exported(repo: GitRepo, tmp_path: Path, name: bytes) -> None:
    tree = repo.write_tree((FILE, name, repo.write_object("blob", b"1")))
    assert export(repo, repo.commit_tree(tree), tmp_path / "out").files == 1


def test_a_link_and_a_folder_of_one_name_are_refused(repo: GitRepo, tmp_path: Path) -> None:
    """I1. Fails where `parse_tree` does not look for the name among the earlier ones."""
    outside = tmp_path / "outside"
    outside.mkdir()
    link = repo.write_object("blob", str(outside).encode())
    folder = repo.write_tree((FILE, b"file", repo.write_object("blob", b"hostile")))
    for entries in [((LINK, b"a", link), (FOLDER, b"a", folder)), ((FOLDER, b"a", folder), (LINK, b"a", link))]:
        commit = repo.commit_tree(repo.write_tree(*entries))
        with pytest.raises(Refused, match="`a` in the commit appears twice"):
            export(repo, commit, tmp_path / "out")
    assert list(outside.iterdir()) == []


def test_two_files_of_one_name_are_refused_even_apart(repo: GitRepo, tmp_path: Path) -> None:
    blob = repo.write_object("blob", b"1")
    commit = repo.commit_tree(repo.write_tree((FILE, b"a", blob), (FILE, b"b", blob), (FILE, b"a", blob)))
    with pytest.raises(Refused, match="`a` in the commit appears twice"):
        export(repo, commit, tmp_path / "out")


@pytest.mark.parametrize("mode", [b"100600", b"0100644", b"140000", b"020000", b"", b"x", b"104755"], ids=repr)
def test_an_unknown_mode_is_refused(repo: GitRepo, tmp_path: Path, mode: bytes) -> None:
    commit = repo.commit_tree(repo.write_tree((mode, b"a", repo.write_object("blob", b"1"))))
    with pytest.raises(Refused, match="`a` in the commit has the unknown mode"):
        export(repo, commit, tmp_path / "out")


def test_the_oldest_gits_mode_of_a_file_is_known(repo: GitRepo, tmp_path: Path) -> None:
    commit = repo.commit_tree(repo.write_tree((b"100664", b"a", repo.write_object("blob", b"1"))))
    export(repo, commit, tmp_path / "out")
    assert (tmp_path / "out" / "a").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("kind", ["blob", "tree"])
def test_an_entry_of_another_kind_than_its_mode_says_is_refused(repo: GitRepo, tmp_path: Path, kind: str) -> None:
    blob = repo.write_object("blob", b"1")
    entry = (FOLDER, b"a", blob) if kind == "blob" else (FILE, b"a", repo.write_tree((FILE, b"b", blob)))
    with pytest.raises(Refused, match=rf"a \(object [0-9a-f]+\) is a {kind}; a \w+ was expected"):
        export(repo, repo.commit_tree(repo.write_tree(entry)), tmp_path / "out")


@pytest.mark.parametrize("data", [b"100644", b"100644 a", b"100644 a\0" + b"1" * 19, b"\0" * 30], ids=repr)
def test_a_malformed_tree_is_refused(repo: GitRepo, tmp_path: Path, data: bytes) -> None:
    with pytest.raises(Refused, match="is a malformed tree object"):
        export(repo, repo.commit_tree(repo.write_object("tree", data)), tmp_path / "out")


@pytest.mark.parametrize("target", [b"", b"a\0b", b"x" * 5000], ids=["empty", "NUL", "long"])
def test_a_link_that_cannot_be_is_refused(repo: GitRepo, tmp_path: Path, target: bytes) -> None:
    commit = repo.commit_tree(repo.write_tree((LINK, b"a", repo.write_object("blob", target))))
    with pytest.raises(Refused, match="`a` is a symbolic link with an impossible target"):
        export(repo, commit, tmp_path / "out")


def test_a_name_that_no_file_can_have_is_refused(repo: GitRepo, tmp_path: Path) -> None:
    commit = repo.commit_tree(repo.write_tree((FILE, b"n" * 256, repo.write_object("blob", b"1"))))
    with pytest.raises(Refused, match="longer than a file name can be"):
        export(repo, commit, tmp_path / "out")


def test_a_tree_deeper_than_the_stack_is_refused_without_a_traceback(repo: GitRepo, tmp_path: Path) -> None:
    """Fails where the walk recurses, or has no limit."""
    odb = pygit2.Repository(repo.path).odb
    tree = repo.write_tree((FILE, b"a", repo.write_object("blob", b"1")))
    for _ in range(3000):
        tree = str(odb.write(2, b"40000 d\0" + bytes.fromhex(tree)))
    with pytest.raises(Refused, match=r"more than 256 folders deep"):
        export(repo, repo.commit_tree(tree), tmp_path / "out")


def test_a_hostile_path_in_a_message_stays_on_one_line(repo: GitRepo, tmp_path: Path) -> None:
    """Fails where `printable` lets control characters pass: a path could speak to the runner."""
    name = b"a\n::set-output name=gate::open\r\x1b[2J\xe2\x80\xae\xff"
    commit = repo.commit_tree(repo.write_tree((b"1", name, repo.write_object("blob", b"1"))))
    with pytest.raises(FreshnessError) as caught:
        export(repo, commit, tmp_path / "out")
    assert str(caught.value).isprintable()
    assert r"a\n::set-output name=gate::open\r\x1b[2J\u202e\xff" in str(caught.value)
