"""A board says its commit only when it knows it."""

from datetime import UTC, datetime

import pytest

from freshness.board.identity import read_identity

COMMIT = "6147797436430ffca19e9c3c288de2a446da7b59"
STARTED = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize("commit", [COMMIT, COMMIT + COMMIT[:24]])
def test_a_full_commit_id_is_known(commit: str) -> None:
    identity = read_identity({"BOARD_REVISION": commit, "BOARD_TARGET": "staging"}, STARTED)

    assert (identity.revision, identity.target, identity.started) == (commit, "staging", STARTED)


@pytest.mark.parametrize("text", ["", "<no value>", COMMIT[:12], COMMIT.upper(), COMMIT + "\n", "main"])
def test_whatever_is_not_a_full_commit_id_is_not_claimed(text: str) -> None:
    assert read_identity({"BOARD_REVISION": text}, STARTED).revision is None


def test_git_sha_is_what_to_gate_and_not_what_was_built() -> None:
    identity = read_identity({"GIT_SHA": COMMIT}, STARTED)

    assert identity.revision is None
    assert identity.target is None
