"""What becomes of what an interrupted promotion left half done: finished or undone, one answer for all Docker hosts."""

from collections.abc import Iterable, Sequence
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from freshness.core.lock import Record
from freshness.core.recovery import Recovery, decide_together
from freshness.promotion.change import Change
from freshness.promotion.operations import Operation, Tag
from freshness.promotion.plan import Plan, finish_plan, in_words, rollout_plan
from freshness.settings.model import PromoteSettings


class Left(Struct, frozen=True, kw_only=True):
    """What an interrupted run left on one host: its `plan`, found anew, and `operations` that finish or undo it.

    `done` says in words what becomes of it by them. `despite`: what was to be undone is finished, having no way back.
    """

    plan: Plan
    what: Recovery
    operations: tuple[Operation, ...]
    done: str
    despite: bool = False

    def __str__(self) -> str:
        return in_words(self.operations)


class LeftService(Struct, frozen=True, kw_only=True):
    """One service of an interrupted plan: `what` would become of it alone.

    `is_moved`: the tag that the record is about is another than production's now, and still names the candidate.
    """

    change: Change
    record: Record
    what: Recovery
    is_moved: bool = False

    @property
    def images(self) -> frozenset[str]:
        """All that it is about."""
        return frozenset({*self.change.move.retained_then, self.record.previous, self.record.candidate} - {""})

    @property
    def is_unchanged(self) -> bool:
        """Whether its image was not to change."""
        return self.record.previous == self.record.candidate


class LeftTag(Struct, frozen=True, kw_only=True):
    """A tag that was to be moved alone, and the ID of the image that it names."""

    tag: str
    plan: Plan
    record: Record
    named: str

    @property
    def votes(self) -> list[tuple[Recovery, bool]]:
        """What would become of it alone, and whether its image was not to change."""
        if self.named == self.record.candidate:
            return [(Recovery.FINISH, False)]
        return [(Recovery.UNDO if self.named == self.record.tagged else Recovery.LEAVE, False)]

    @property
    def gone(self) -> tuple[Record, ...]:
        """Nobody asked: a tag keeps its image."""
        return ()

    lost = gone

    def left(self, what: Recovery, *, despite: bool) -> Left:
        """What becomes of it; `despite` is as `LeftServices.left` has it."""
        record, plan = self.record, self.plan
        ((own, _),) = self.votes
        if own is Recovery.LEAVE:
            done = f"left alone: {self.tag} names neither image, so somebody moved it meanwhile"
            return Left(plan=plan, what=own, operations=(), done=done)
        if what is Recovery.FINISH or despite:
            done = f"finished: {self.tag} names {record.candidate}"
            return Left(plan=plan, what=what, operations=plan.operations, done=done)
        done = f"undone: {self.tag} names {record.previous or 'nothing'}"
        return Left(plan=plan, what=what, operations=plan.undo, done=done)


class LeftServices(Struct, frozen=True, kw_only=True):
    """The services of an interrupted plan on one host. `there` are the images that still exist."""

    services: tuple[LeftService, ...]
    settings: PromoteSettings
    there: frozenset[str]

    @property
    def votes(self) -> list[tuple[Recovery, bool]]:
        """What would become of each alone, and whether its image was not to change."""
        return [(one.what, one.is_unchanged) for one in self.services]

    @property
    def _others(self) -> list[LeftService]:
        """All but those that somebody changed since."""
        return [one for one in self.services if one.what is not Recovery.LEAVE]

    @property
    def gone(self) -> tuple[Record, ...]:
        """Those whose image from before exists no more."""
        records = (one.record for one in self._others)
        return tuple(one for one in records if one.previous and one.previous not in self.there)

    @property
    def lost(self) -> tuple[Record, ...]:
        """Those of these whose candidate does not exist either."""
        return tuple(one for one in self.gone if one.candidate not in self.there)

    def left(self, what: Recovery, *, despite: bool) -> Left:
        """What becomes of them; `despite`: what was to be undone is finished, since there is no way back."""
        others, settings = self._others, self.settings
        plan = rollout_plan([one.change for one in others or self.services], settings)
        if not others:
            done = "left alone: production runs neither its image nor the one before, so somebody changed it meanwhile"
            return Left(plan=plan, what=Recovery.LEAVE, operations=(), done=done)
        if what is Recovery.FINISH or despite:
            operations = finish_plan(plan.changes, settings, self.there, despite=despite).operations
            return Left(plan=plan, what=what, operations=operations, done=say_finished(plan), despite=despite)
        why = "production's tag is another by now"
        moved = (Tag(image=one.record.tagged, tag=one.record.tag, why=why) for one in others if one.is_moved)
        return Left(plan=plan, what=what, operations=(*moved, *plan.undo), done=say_undone(plan))


def decide_left(found: Sequence[LeftTag | LeftServices], *, is_undone: bool = False) -> tuple[Left, ...]:
    """What becomes of it on each host: finished where it has got there on all of them, else undone on all.

    `is_undone`: a run had begun to take it back.
    """
    votes = list(chain.from_iterable(one.votes for one in found))
    what = decide_together([vote for vote, _ in votes], unchanged=[is_same for _, is_same in votes])
    if what is Recovery.FINISH and is_undone:
        what = Recovery.UNDO
    lost = [record for one in found for record in one.lost]
    if what is Recovery.UNDO and lost:
        done = f"left alone: {lost[0].previous} and {lost[0].candidate} are both gone from this Engine"
        alone = (one.left(what, despite=False) for one in found)
        return tuple(replace(one, what=Recovery.LEAVE, operations=(), done=done) for one in alone)
    despite = what is Recovery.UNDO and any(one.gone for one in found)
    return tuple(one.left(what, despite=despite) for one in found)


def say_finished(plan: Plan) -> str:
    """In words."""
    return f"finished: production runs {_images(change.move.candidate.id for change in plan.changes)}"


def say_undone(plan: Plan) -> str:
    """In words."""
    previous = [change.move.previous_id for change in plan.changes if change.move.previous]
    return f"undone: production runs {_images(previous)} again" if previous else "undone: nothing is left of it"


def _images(images: Iterable[str]) -> str:
    return " and ".join(dict.fromkeys(images))
