"""What a work tree holds that no commit has."""

import signal
import time
from collections.abc import Sequence
from typing import NoReturn

import pytest

from freshness.git import uncommitted
from freshness.git.checkout import open_repository
from freshness.git.uncommitted import in_words, uncommitted_paths
from tests.support.git import GitRepo


def test_changed_staged_removed_and_untracked_files_are_found_and_ignored_ones_not(repo: GitRepo) -> None:
    """Fails when `_look` takes ignored files, or leaves out one of the kinds."""
    repo.commit({"changed": "1", "removed": "1", "same": "1", ".gitignore": "ignored\n"})
    opened = open_repository(repo.path)
    assert uncommitted_paths(opened) == ()
    (repo.path / "changed").write_text("2")
    (repo.path / "removed").unlink()
    for name in ("ignored", "staged", "untracked"):
        (repo.path / name).write_text("")
    repo.git("add", "staged")
    assert uncommitted_paths(opened) == ("changed", "removed", "staged", "untracked")


def test_the_sentence_is_short_and_on_one_line() -> None:
    """Fails when every path is named, or as it is."""
    sentence = in_words(tuple(f"{number}\n::x" for number in range(900)))
    assert sentence.endswith(" and 895 more.")
    assert len(sentence) < 200
    assert "\n" not in sentence


def test_a_look_that_takes_too_long_is_given_up(repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails when `uncommitted_paths` waits for its child without a limit."""

    def wait_for_ever(_: Sequence[str]) -> NoReturn:
        while True:
            signal.pause()

    monkeypatch.setattr(uncommitted, "_look", wait_for_ever)
    repo.commit({"a": "1"})
    began = time.monotonic()
    assert uncommitted_paths(open_repository(repo.path)) is None
    assert time.monotonic() - began < 20 * uncommitted.SECONDS
