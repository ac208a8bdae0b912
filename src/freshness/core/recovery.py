"""What to do about an interrupted promotion, by what production runs now."""

from collections.abc import Collection, Sequence
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


def decide_together(votes: Sequence[Recovery], *, unchanged: Sequence[bool]) -> Recovery:
    """What becomes of several services that were to change in one promotion: never two commits at the end.

    Each votes as it would alone, unless its image was not to change (`unchanged`): that may go either way. Finished is
    what all have got to; a service that somebody changed meanwhile keeps none of the others from it.
    """
    counting = [one for one, is_same in zip(votes, unchanged, strict=True) if one is not Recovery.LEAVE and not is_same]
    if Recovery.UNDO in counting:
        return Recovery.UNDO
    if counting:
        return Recovery.FINISH
    return next((one for one in votes if one is not Recovery.LEAVE), Recovery.LEAVE)
