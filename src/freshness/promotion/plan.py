"""Plans: each a tuple of operations over all services of the application. `str` of a plan is what a dry run says."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from freshness.core.image import same_tag
from freshness.core.lock import Record
from freshness.promotion import operations as op
from freshness.promotion.change import Change, Move
from freshness.promotion.operations import Operation
from freshness.settings.model import PromoteSettings, UpdateOrder

BY_ID = "by its ID, so that a tag that moves meanwhile changes nothing"
FOR_ROLLBACK = "`freshness rollback` goes back to these"
AS_BEFORE = "as before"
BUILDS_ON = "the next run builds on it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Operations in their order. `changes` are those of the services, none where only a tag is moved, `move`.

    `ancestry` says how the candidate stands to what runs, empty where nobody asked. The undo of each is done in the
    same order: the tag first, since Compose starts what the tag names.
    """

    move: Move
    changes: tuple[Change, ...]
    operations: tuple[Operation, ...]
    ancestry: str = ""

    @property
    def undo(self) -> tuple[Operation, ...]:
        """What takes back all of it, and proves that."""
        return tuple(one.undo for one in self.operations if one.undo)

    @property
    def record(self) -> Record:
        """What to write down before the first write."""
        return self.changes[0].record if self.changes else self.move.record()

    def __str__(self) -> str:
        nothing = f"nothing: {self.move.tag} names {self.move.candidate.id} already"
        known = [f"ancestry: {self.ancestry}"] if self.ancestry else []
        return "\n".join([*known, in_words(self.operations) or nothing])


def in_words(operations: Sequence[Operation]) -> str:
    """A numbered line for each operation, and one for what undoes it."""
    lines = []
    for number, one in enumerate(operations, start=1):
        lines.append(f"{number}. {one}")
        lines += [f"   undo: {one.undo}"] if one.undo else []
    return "\n".join(lines)


def rollout_plan(changes: Sequence[Change], settings: PromoteSettings, ancestry: str = "") -> Plan:
    """Production changes; a rollback does the same, to another image and configuration."""
    phases = (_tag, _retain, _serve, _prove, _finish)
    operations = tuple(one for phase in phases for change in changes for one in phase(change, settings))
    return Plan(move=changes[0].move, changes=tuple(changes), operations=operations, ancestry=ancestry)


def finish_plan(change: Change, settings: PromoteSettings, there: Collection[str], *, despite: bool = False) -> Plan:
    """What an interrupted run began is finished. `there` are the images that still exist: a prune may have been."""
    kept = tuple(image for image in change.move.retained_then if image in there)[: settings.keep_images]
    operations = (
        *_tag(change, settings),
        *_serve(change, settings, resumes=True, despite=despite),
        *_prove(change, settings),
        *_remove_old(change, settings),
        _prune(change, settings, kept),
        _record(change, kept),
    )
    return Plan(move=change.move, changes=(change,), operations=operations)


def retag_plan(move: Move, keep: int, ancestry: str = "") -> Plan:
    """Only the tag moves; where it is there already, there is nothing to do."""
    operations: tuple[Operation, ...] = ()
    if move.previous_id != move.candidate.id:
        kept = move.retained_then[:keep]
        back = op.Retain(tags=move.retained_tags, images=move.kept, why=AS_BEFORE)
        operations = (
            op.Tag(
                image=move.candidate.id,
                tag=move.tag,
                why=f"{BY_ID}; nothing is recreated, as `recreate` is false",
                undo=op.Tag(image=move.tagged_id, tag=move.tag, why=AS_BEFORE),
            ),
            op.Retain(tags=move.retained_tags, images=kept, why=FOR_ROLLBACK, undo=back),
            op.RecordTag(move=move, kept=kept, why=BUILDS_ON),
        )
    return Plan(move=move, changes=(), operations=operations, ancestry=ancestry)


def _tag(change: Change, _settings: PromoteSettings) -> Iterator[Operation]:
    move, back = change.move, change.former.target.image
    undo = op.Tag(image=move.previous_id, tag=back, why="it ran before") if move.previous else None
    yield op.Tag(image=move.candidate.id, tag=move.tag, why=BY_ID, undo=undo)


def _retain(change: Change, _settings: PromoteSettings) -> Iterator[Operation]:
    """All of them, until the candidate is proven: an undo finds each again."""
    move = change.move
    if move.retained_then != move.kept:
        back = op.Retain(tags=move.retained_tags, images=move.kept, is_required=False, why=AS_BEFORE)
        yield op.Retain(tags=move.retained_tags, images=move.retained_then, why=FOR_ROLLBACK, undo=back)


def _serve(
    change: Change, settings: PromoteSettings, *, resumes: bool = False, despite: bool = False
) -> Iterator[Operation]:
    back = "the one that never stopped stays; else Compose makes it anew"
    undo = op.BringBack(change=change, why=back if change.move.previous else "it served nothing before")
    if change.is_current and not settings.force_recreate and not resumes:
        yield op.Leave(change=change, why="it is just as it was recorded", undo=undo)
        return
    cls, why = op.Serve, "no dependency, no build, no pull"
    if _in_pairs(settings):
        cls, why = op.StartBeside, "the old one serves until the new one is proven"
    elif change.move.previous_id == change.move.candidate.id and not settings.force_recreate:
        why = "it runs that image already, so Compose recreates it only if its configuration has changed"
    force = settings.force_recreate and not resumes and not change.resumes
    yield cls(change=change, force=force, resumes=resumes or change.resumes, despite=despite, why=why, undo=undo)


def _prove(change: Change, settings: PromoteSettings) -> Iterator[Operation]:
    """Each proof is undone by the same proof of what is brought back: a way back that crashes is none."""
    make, image, former, before = change.make, change.move.candidate, change.former, change.move.previous
    deadline, lease = settings.health.deadline, settings.health.hold
    back: list[Operation | None] = [None] * 3
    if before:
        back = [
            op.Probe(make=former, seconds=deadline, why="what was brought back is proven too"),
            op.Verify(make=former, image=before, why="what was brought back is proven too"),
            op.Last(make=former, seconds=lease, why="what was brought back has to last too"),
        ]
    yield op.Probe(make=make, seconds=deadline, why="what is not healthy is taken back", undo=back[0])
    yield op.Verify(make=make, image=image, why="what cannot be proven is taken back", undo=back[1])
    if _in_pairs(settings):
        yield op.Overlap(change=change, seconds=settings.update_overlap, why="a proxy gets time to find the new one")
    yield op.Last(make=make, seconds=lease, why="what does not last is taken back", undo=back[2])


def _remove_old(change: Change, settings: PromoteSettings) -> Iterator[Operation]:
    if _in_pairs(settings):
        yield op.RemoveOld(change=change, why="the new one is proven", is_final=True)


def _finish(change: Change, settings: PromoteSettings) -> Iterator[Operation]:
    yield from _remove_old(change, settings)
    move, kept = change.move, change.move.retained_then[: settings.keep_images]
    if kept != move.retained_then:
        yield _prune(change, settings, kept)
    yield _record(change, kept)


def _prune(change: Change, settings: PromoteSettings, kept: tuple[str, ...]) -> Operation:
    why = f"`keep-images` is {settings.keep_images}"
    return op.Retain(tags=change.move.retained_tags, images=kept, why=why, is_required=False, is_final=True)


def _record(change: Change, kept: tuple[str, ...]) -> Operation:
    move, former, undo = change.move, change.former, None
    if move.previous and former.configuration:
        undo = op.RecordServed(change=change, image=move.previous, make=former, kept=move.kept, why="it serves again")
    return op.RecordServed(
        change=change, image=move.candidate, make=change.make, kept=kept, why=BUILDS_ON, undo=undo, is_final=True
    )


def _in_pairs(settings: PromoteSettings) -> bool:
    """Whether two containers serve side by side for a while."""
    return settings.update_order is UpdateOrder.START_FIRST


def has_other_tag(change: Change) -> bool:
    """Whether what ran before had another tag than the candidate has."""
    return not same_tag(change.move.tag, change.former.target.image)
