"""The undo: what was switched is brought back to what ran before on each Docker host, and proven there."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from freshness.engine.client import wait_until_reachable
from freshness.engine.images import find_image
from freshness.engine.plan_record import remove_records, write_records
from freshness.errors import FreshnessError, LockLost
from freshness.promotion.plan import finish_plan
from freshness.promotion.rollout import do
from freshness.promotion.work import Part, Work


class WentBack(Struct, frozen=True, kw_only=True):
    """`went_on`: the candidates serve all the same. `stuck` are the parts that could not be undone, and why."""

    went_on: bool
    stuck: tuple[tuple[Part, FreshnessError], ...]


def mark(parts: Sequence[Part], *, undone: bool) -> list[Part]:
    """The same, written down as to be undone or not: where only some hosts are settled then, the others get there too.

    Raises LockLost. A host that does not answer has what it has: what it runs tells the same, unless its image stays.
    """
    return [_mark(part, undone=undone) for part in parts]


def _mark(part: Part, *, undone: bool) -> Part:
    if not part.work.host.peers or all(one.record.undone == undone for one in part.begun.values()):
        return part
    leases = part.work.leases.by_lock
    try:
        marked = [(leases[lock], replace(one.record, undone=undone)) for lock, one in part.begun.items()]
        return replace(part, begun=write_records(marked))
    except LockLost:
        raise
    except FreshnessError:
        return part


def roll_back(parts: Sequence[Part], started: int) -> WentBack:
    """Walks the undo of the first ones, which were `started`, whatever becomes of the others. Raises LockLost.

    The candidates serve on all of them then where an image from before is gone from its Engine: a prune takes it in the
    moment in which no container runs it, and then forward is the only way to serve proven images of one commit.
    """
    answering, stuck, gone = list[Part](), list[tuple[Part, FreshnessError]](), False
    for part in parts[:started]:
        try:
            wait_until_reachable(part.work.engine, "going back")
            gone |= _is_gone(part)
            answering.append(part)
        except FreshnessError as error:
            stuck.append((part, error))
    if gone:
        answering = mark([*answering, *parts[started:]], undone=False)
    for part in answering:
        try:
            _walk(part, forward=gone)
        except LockLost:
            raise
        except FreshnessError as error:
            stuck.append((part, error))
    return WentBack(went_on=gone, stuck=tuple(stuck))


def _is_gone(part: Part) -> bool:
    moves = [change.move for change in part.plan.changes if change.move.previous]
    gone = dict.fromkeys(move.previous_id for move in moves if not find_image(part.work.engine, move.previous_id))
    if gone:
        part.work.run.note(f"The image that ran before, {' and '.join(gone)}, is gone from this Engine.")
    return bool(gone)


def _walk(part: Part, *, forward: bool) -> None:
    operations = part.plan.undo
    if forward:
        retained = {image for change in part.plan.changes for image in change.move.retained_then}
        there = {image for image in retained if find_image(part.work.engine, image)}
        operations = finish_plan(part.plan.changes, part.work.settings, there, despite=True).operations
    for operation in operations:
        do(part.work, operation)


def may_settle(parts: Sequence[Part]) -> bool:
    """Whether what is left, where only some are settled, is undone all the same."""
    return all(one.record.undone or not one.record.hosts for part in parts for one in part.begun.values())


def settle(works: Sequence[Work]) -> None:
    """Nothing is left to finish or undo. Where that cannot be written, the next run finds nothing to do."""
    for work in works:
        try:
            remove_records(work.leases)
        except FreshnessError:
            continue
