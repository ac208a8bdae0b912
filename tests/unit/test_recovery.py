"""What becomes of a cut promotion depends on what production runs."""

import pytest

from freshness.core.lock import Record
from freshness.core.recovery import Recovery, decide_recovery

OLD, NEW, OTHER = ("sha256:" + digit * 64 for digit in "123")
RECORD = Record(tag="app", previous=OLD, candidate=NEW, tagged=OLD, kept=())
FIRST = Record(tag="app", previous="", candidate=NEW, tagged="", kept=())


@pytest.mark.parametrize(
    ("record", "running", "what"),
    [
        (RECORD, {OLD}, Recovery.UNDO),
        (RECORD, {NEW}, Recovery.FINISH),
        (RECORD, {OLD, NEW}, Recovery.FINISH),
        (RECORD, set(), Recovery.UNDO),
        (RECORD, {OTHER}, Recovery.LEAVE),
        (FIRST, set(), Recovery.UNDO),
        (FIRST, {NEW}, Recovery.FINISH),
        (FIRST, {OTHER}, Recovery.LEAVE),
    ],
)
def test_what_serves_decides(record: Record, running: set[str], what: Recovery) -> None:
    """I9. Breaks when what somebody else deployed meanwhile is undone, or what serves nothing is left."""
    assert decide_recovery(record, running) is what
