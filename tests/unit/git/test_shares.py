"""Work that is shared among processes gives what one process gives, and no error is lost on the way."""

import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from freshness.errors import Refused, RepositoryError, SettingsError
from freshness.git import shares
from freshness.git.shares import work_in_shares
from tests.support.git import GitRepo
from tests.support.revisions import export, read_tree

ALONE = os.getpid()


@pytest.fixture(autouse=True)
def _many_small_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "SMALLEST", 2)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(4))
    monkeypatch.setattr(threading, "active_count", lambda: 1)  # what another test left behind is not asked


@pytest.fixture(autouse=True)
def _no_child_is_left() -> Iterator[None]:
    """Every child is waited for. A whole run of the tests has children of its own, such as a private Engine."""
    before = children()
    yield
    assert children() == before


def say_who(items: Sequence[int]) -> tuple[list[int], bool]:
    return list(items), os.getpid() == ALONE


def test_each_item_is_done_once_and_in_order_by_several_processes() -> None:
    """Fails where a share's bounds overlap or leave something out."""
    for count in range(20):
        results = work_in_shares(say_who, range(count), [1] * count)
        assert [item for items, _ in results for item in items] == list(range(count))
        assert [alone for _, alone in results] == [True] + [False] * (len(results) - 1)
    assert len(work_in_shares(say_who, range(20), [1] * 20)) == shares.MOST


@pytest.mark.parametrize("bad", [0, 9, 19])
@pytest.mark.parametrize(
    ("error", "message"),
    [
        (Refused("got", "do"), "got do"),
        (SettingsError("a", "b"), "a b"),
        (OSError(28, "No space left"), "No space left"),
    ],
)
def test_an_error_of_any_share_is_raised_as_it_was(bad: int, error: Exception, message: str) -> None:
    """Fails where `Child.wait` gives the outcome out as a result."""

    def work(items: Sequence[int]) -> None:
        if bad in items:
            raise error

    with pytest.raises(type(error), match=message):
        work_in_shares(work, range(20), [1] * 20)


def test_a_process_that_dies_is_an_error() -> None:
    def work(items: Sequence[int]) -> None:
        if os.getpid() != ALONE:
            os._exit(0)

    with pytest.raises(RepositoryError, match="a worker process died"):
        work_in_shares(work, range(20), [1] * 20)


def test_an_interrupt_ends_every_share() -> None:
    """Fails where `work_in_shares` ends its children only after they are done: one of them reads for ever."""
    never, _held_open = os.pipe()

    def work(items: Sequence[int]) -> None:
        if os.getpid() == ALONE:
            raise KeyboardInterrupt
        os.read(never, 1)

    with pytest.raises(KeyboardInterrupt):
        work_in_shares(work, range(20), [1] * 20)


def test_an_export_in_shares_is_the_same_as_in_one(
    repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"folder{number % 3}/file{number}": str(number) * number for number in range(40)}
    commit = repo.commit(files)
    shared = export(repo, commit, tmp_path / "shared")
    monkeypatch.setattr(shares, "MOST", 1)
    assert shared == export(repo, commit, tmp_path / "alone")
    assert read_tree(tmp_path / "shared") == read_tree(tmp_path / "alone")


def children() -> set[str]:
    return {child for task in Path("/proc/self/task").iterdir() for child in (task / "children").read_text().split()}
