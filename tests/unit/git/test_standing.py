"""I1: a standing build context holds the commit's verified objects, unchanged, under a name that fits."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pygit2
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from freshness.core.revision import Revision
from freshness.errors import Refused
from freshness.git import standing_place
from tests.support.git import COMMIT_TIME, Executable, GitRepo, Link
from tests.support.revisions import find
from tests.support.standing import NANOSECONDS, Bench, Files, describe, make_commit

FIRST: Files = {"kept": "1", "changed": "1", "folder/inner/file": "1", "folder/link": Link("../kept"), "gone/a": "1"}
SECOND: Files = {**FIRST, "changed": "2", "folder/inner/file": "2", "new/a": "1"}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return make_bench(tmp_path)


def make_bench(folder: Path) -> Bench:
    home = folder / "own-home"
    home.mkdir()
    return Bench(repository=pygit2.init_repository(str(folder / "bare"), bare=True), home=home, scratch=folder)


@pytest.fixture
def commits(bench: Bench) -> tuple[Revision, Revision]:
    return make_commit(bench.repository, FIRST), make_commit(bench.repository, SECOND, COMMIT_TIME + 60)


def test_only_what_differs_is_written(bench: Bench, commits: tuple[Revision, Revision]) -> None:
    """Fails where `stays` compares nothing. What is unchanged keeps the second of the commit that it came with."""
    first, second = commits
    name = bench.bring(first)
    before = inodes(bench.place / name)
    assert bench.bring(second) == name
    after = inodes(bench.place / name)
    assert {path for path in before.keys() & after.keys() if before[path] != after[path]} == {
        "changed",
        "folder/inner/file",
    }
    times = {path: (bench.place / name / path).lstat().st_mtime_ns for path in ("kept", "changed", "new/a")}
    assert times == {
        "kept": COMMIT_TIME * NANOSECONDS + 1,
        "changed": (COMMIT_TIME + 60) * NANOSECONDS + 2,
        "new/a": (COMMIT_TIME + 60) * NANOSECONDS + 2,
    }


def inodes(folder: Path) -> dict[str, tuple[int, int]]:
    """With the time: a file system may give the number of a file that has just gone to the next one."""
    files = ((path, path.lstat()) for path in folder.rglob("*") if not path.is_dir())
    return {str(path.relative_to(folder)): (seen.st_ino, seen.st_mtime_ns) for path, seen in files}


def test_the_same_tree_is_not_written_again(bench: Bench, commits: tuple[Revision, Revision]) -> None:
    first, _ = commits
    name = bench.bring(first)
    before = bench.state.stat()
    assert bench.bring(first) == name
    assert bench.state.stat() == before


contents = st.one_of(
    st.sampled_from(["", "1", "2", "version https://git-lfs.github.com/spec/v1\n"]),
    st.sampled_from([Executable("1"), Link("a"), Link("nowhere"), pygit2.Oid(hex="1" * 40)]),
)
paths = st.sampled_from(["a", "A", "a/b", "a/b/c", "A/b", "b", "b/a", "b/a/c", "ü", "\udcff"])
trees = st.dictionaries(paths, contents, max_size=6).map(
    lambda files: {path: made for path, made in files.items() if not any(path.startswith(f"{one}/") for one in files)}
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(steps=[({"a": one, "b": Link(one)}, COMMIT_TIME) for one in ("1", "2", "3", "1")])
@example(steps=[({"a": "1"}, COMMIT_TIME), ({"a": "2"}, COMMIT_TIME - 60), ({"a": "3"}, COMMIT_TIME)])
@given(steps=st.lists(st.tuples(trees, st.sampled_from([COMMIT_TIME - 60, COMMIT_TIME])), min_size=2, max_size=6))
def test_whatever_follows_whatever_it_is_what_a_plain_export_is(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Files, int]]
) -> None:
    """I1, and BuildKit's memory: commits of one second and of a clock that goes back; names that differ by case.

    A file becomes a link, a program, a folder, a submodule. Fails where `make` leaves the generation as it is.
    """
    bench = make_bench(tmp_path_factory.mktemp("steps"))
    names = {bench.bring(make_commit(bench.repository, files, time)) for files, time in steps}
    assert len(names) == 1, "nothing of this is in doubt"


def _rewrite(path: Path, old: str, new: str) -> None:
    """As long, and with the file's own time."""
    before = path.stat()
    path.write_text(path.read_text().replace(old, new))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _replace_by_link(path: Path, place: Path) -> None:
    elsewhere = place.parents[3] / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def _point_elsewhere(link: Path) -> None:
    link.unlink()
    link.symlink_to("../gone")


def _forge_state(place: Path, key: str, value: object) -> None:
    """With a digest that fits."""
    head, *folders, _ = (place / "state").read_bytes().splitlines(keepends=True)
    lines = json.dumps({**json.loads(head), key: value}).encode() + b"\n" + b"".join(folders)
    (place / "state").write_bytes(lines + sha256(lines).hexdigest().encode())


def _drop_folder(place: Path) -> None:
    """As if the state had been cut at the end of a line."""
    lines = (place / "state").read_bytes().splitlines(keepends=True)
    (place / "state").write_bytes(b"".join([*lines[:-2], lines[-1]]))


Tamper = Callable[[Path, Path], object]
TAMPERED: dict[str, Tamper] = {
    "a file's content, with its size and time": lambda _, tree: _rewrite(tree / "kept", "1", "x"),
    "a file deep in it": lambda _, tree: _rewrite(tree / "folder/inner/file", "1", "x"),
    "a file that the next commit changes": lambda _, tree: _rewrite(tree / "changed", "1", "x"),
    "a file's time": lambda _, tree: os.utime(tree / "kept", ns=(1, 1)),
    "a file's mode": lambda _, tree: (tree / "kept").chmod(0o755),
    "a file's owner": lambda _, tree: os.chown(tree / "kept", 65534, 65534),
    "a file more": lambda _, tree: (tree / "folder/more").touch(),
    "a folder more": lambda _, tree: (tree / "folder/inner/more").mkdir(),
    "a file less": lambda _, tree: (tree / "gone/a").unlink(),
    "a second name of a file": lambda place, tree: os.link(tree / "kept", place / "other"),
    "another file in its place": lambda _, tree: (
        shutil.copy2(tree / "kept", tree / "x") and (tree / "x").rename(tree / "kept")
    ),
    "a link in a file's place": lambda place, tree: _replace_by_link(tree / "kept", place),
    "another link": lambda _, tree: _point_elsewhere(tree / "folder/link"),
    "a folder's mode": lambda _, tree: (tree / "folder").chmod(0o700),
    "a folder's name": lambda _, tree: (tree / "folder").rename(tree / "Folder"),
    "a link in a folder's place": lambda place, tree: _replace_by_link(tree / "folder", place),
    "a link in the context's place": lambda place, tree: _replace_by_link(tree, place),
    "no context": lambda _, tree: shutil.rmtree(tree),
    "no state": lambda place, _: (place / "state").unlink(),
    "an empty state": lambda place, _: (place / "state").write_bytes(b""),
    "half a state": lambda place, _: os.truncate(place / "state", 200),
    "a state of another owner": lambda place, _: os.chown(place / "state", 65534, 65534),
    "a link to the state": lambda place, _: _replace_by_link(place / "state", place),
    "a state that lacks a folder": lambda place, _: _drop_folder(place),
    "a state of another format": lambda place, _: _forge_state(place, "format", 0),
    "a state of nothing known": lambda place, _: _forge_state(place, "submodules", None),
    "a state of another boot": lambda place, _: _forge_state(place, "boot", "0"),
    "the last generation": lambda place, _: _forge_state(place, "generation", NANOSECONDS - 1),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_is_not_as_it_was_left_is_made_anew_under_another_name(
    bench: Bench, commits: tuple[Revision, Revision], what: str
) -> None:
    """I1. Fails where `Look.end` believes the state alone; for a part of it, where `pack` leaves that out."""
    first, second = commits
    name = bench.bring(first)
    TAMPERED[what](bench.place, bench.place / name)
    assert bench.bring(second) != name
    assert not (bench.place / name).exists()


def test_a_kill_at_any_change_of_the_disk_leaves_nothing_that_is_believed(
    bench: Bench, commits: tuple[Revision, Revision]
) -> None:
    """I1. No one line holds it: three defences do.

    The state goes before the first change, no seal fits a folder that is half changed, and what is in the way of a
    write (`O_EXCL`), or gone before it is removed, ends the context too.
    """
    first, second = commits
    survived = False
    kills = 0
    while not survived:
        name = bench.bring(first)
        survived = bench.killed_after(kills, second)
        kept = bench.bring(second) == name
        assert kept or not survived, "the whole run leaves what the next one takes"
        kills += 1
    assert kills > 12, "each write was one"


def test_a_kill_in_the_first_run_leaves_nothing_that_is_believed(
    bench: Bench, commits: tuple[Revision, Revision]
) -> None:
    first, second = commits
    kills = 0
    while not bench.killed_after(kills, first):
        bench.bring(second)
        shutil.rmtree(bench.home / ".cache")
        kills += 1
    assert kills > 20, "each write was one"


def test_a_second_gate_at_once_has_a_folder_of_its_own(bench: Bench, commits: tuple[Revision, Revision]) -> None:
    """Fails where `lock_place` locks nothing: the first gate's buildx would read what the second one writes."""
    first, second = commits
    with bench.context(first) as one, bench.context(second) as other:
        assert other.folder.parent == bench.scratch
        assert (other.name, other.keepalive_fds) == (second.commit, ())
        assert describe(one.folder)["changed"][1] == b"1"
        assert describe(other.folder)["changed"][1] == b"2"


def test_a_reader_that_outlives_its_gate_keeps_the_context_as_it_is(
    bench: Bench, commits: tuple[Revision, Revision]
) -> None:
    """As buildx may for a moment, when its gate is killed. Fails where the lock is no descriptor that it inherits."""
    first, second = commits
    with bench.context(first) as context:
        reader = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=context.keepalive_fds)
    with reader, bench.context(second) as other:
        assert other.folder.parent == bench.scratch
        assert describe(context.folder)["changed"][1] == b"1"
        reader.terminate()
    assert bench.bring(second) == context.name


def test_another_repository_has_another_context(bench: Bench, commits: tuple[Revision, Revision]) -> None:
    first, second = commits
    with bench.context(first, "one") as one, bench.context(second, "two") as two:
        assert one.folder.parent != two.folder.parent


def test_a_tree_that_is_refused_changes_nothing(repo: GitRepo, bench: Bench) -> None:
    """Fails where `bring` removes the state before it has read the new tree."""
    bench.repository = pygit2.Repository(repo.path)
    good = find(repo, repo.commit({"a": "1"}))
    name = bench.bring(good)
    hostile = repo.write_tree((b"100644", b"..", repo.write_object("blob", b"1")))
    with pytest.raises(Refused, match="has a name that"), bench.context(find(repo, repo.commit_tree(hostile))):
        pass
    assert bench.bring(good) == name


@pytest.fixture
def without_nanoseconds(tmp_path: Path) -> Iterator[Path]:
    """A real file system that keeps whole seconds: ext4 with the small inodes of old ones."""
    image, folder = tmp_path / "image", tmp_path / "seconds"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(8 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-I", "128", image], check=True, capture_output=True)
    subprocess.run(["mount", "-o", "loop", image, folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_disk_without_nanoseconds_has_no_standing_context(
    bench: Bench, commits: tuple[Revision, Revision], without_nanoseconds: Path
) -> None:
    """Fails where `make` does not look at the time that it has set: two changes of one second would look the same."""
    bench.home = without_nanoseconds
    for revision in commits:
        with bench.context(revision) as context:
            assert (context.folder.parent, context.name) == (bench.scratch, revision.commit)
        assert [file.name for file in bench.place.iterdir()] == ["lock"]


@pytest.mark.parametrize("home", ["", "relative", "open"])
def test_without_a_safe_home_a_folder_of_the_run_is_taken(
    bench: Bench, commits: tuple[Revision, Revision], home: str
) -> None:
    """Fails where `make_kept_folder` does not ask `_is_safe`."""
    bench.home = bench.scratch / "open" if home == "open" else Path(home)
    if home == "open":
        bench.home.mkdir()
        bench.home.chmod(0o777)
    with bench.context(commits[0]) as context:
        assert context.folder.parent == bench.scratch


@pytest.mark.parametrize(("bound", "value"), [("MOST", 2), ("ROOM", 12)])
def test_the_contexts_that_were_used_longest_ago_go(
    bench: Bench, commits: tuple[Revision, Revision], monkeypatch: pytest.MonkeyPatch, bound: str, value: int
) -> None:
    """Fails where `evict` sorts by another time, or takes one that another run has."""
    monkeypatch.setattr(standing_place, bound, value)  # each context has 5 files of one byte, but for one link of 7
    first, _ = commits
    folders = {}
    for key in ("a", "b", "c"):
        with bench.context(first, key) as context:
            assert context.exported.size == 11
            folders[key] = context.folder
    there = [key for key, folder in folders.items() if folder.exists()]
    assert there == (["b", "c"] if bound == "MOST" else ["c"])


def test_a_context_that_is_too_large_is_not_kept(
    bench: Bench, commits: tuple[Revision, Revision], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing_place, "ROOM", 1)
    with bench.context(commits[0]) as context:
        assert (context.folder / "kept").read_text() == "1"
    assert not context.folder.exists()
