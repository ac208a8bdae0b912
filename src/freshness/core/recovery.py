"""What to do about an interrupted promotion, by what production runs now."""

from collections.abc import Collection, Sequence
from enum import StrEnum

from freshness.core.deployment import Deployment
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


def decide_configuration(
    record: Record, recorded: Deployment | None, running: Collection[str], *, is_partial: bool
) -> Recovery:
    """As `decide_recovery`, where the image was not to change: whether what runs has the new configuration yet.

    `recorded` is what was last written down of the service, `running` are Compose's hashes of its containers. With
    `is_partial` some records are not written yet, or gone already: nothing was switched, or all was, and written down.
    """
    if recorded and (recorded.image, recorded.configuration) == (record.candidate, record.configuration):
        return Recovery.FINISH
    is_known = bool(record.former) and recorded is not None and recorded.configuration == record.former
    is_switched = set(running) != {recorded.made} if is_known and recorded else not is_partial
    return Recovery.FINISH if is_switched else Recovery.UNDO


def decide_together(votes: Sequence[Recovery], *, unchanged: Sequence[bool]) -> Recovery:
    """What becomes of several services that were to change in one promotion: never two commits at the end.

    Each votes as it would alone. Where the image of one was not to change (`unchanged`), that may go either way, and it
    counts only among its like. Finished is what all have got to; a service that somebody changed meanwhile keeps none
    of the others from it.
    """
    known = [(one, is_same) for one, is_same in zip(votes, unchanged, strict=True) if one is not Recovery.LEAVE]
    counting = [one for one, is_same in known if not is_same] or [one for one, _ in known]
    if Recovery.UNDO in counting:
        return Recovery.UNDO
    return Recovery.FINISH if counting else Recovery.LEAVE
