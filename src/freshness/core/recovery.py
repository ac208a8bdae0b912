"""What to do about an interrupted promotion, by what production runs now."""

from collections.abc import Collection
from enum import StrEnum

from freshness.core.lock import Record


class Recovery(StrEnum):
    """Whether what was begun is finished, undone, or has nothing to do with what runs by now."""

    FINISH = "finish"
    UNDO = "undo"
    LEAVE = "leave"


def decide_recovery(record: Record, running: Collection[str]) -> Recovery:
    """`running` are the image IDs of the service's containers that are up: two where Compose was interrupted.

    Undone is what serves nothing yet, or serves what served before; finished what serves the candidate already. Where
    something else runs, somebody changed production meanwhile: a record is no reason to change that.
    """
    if record.candidate in running:
        return Recovery.FINISH
    if running and record.previous not in running:
        return Recovery.LEAVE
    return Recovery.UNDO
