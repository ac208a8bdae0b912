"""Plans: each a tuple of operations over all services of the application. `str` of a plan is what a dry run says."""

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

from msgspec import Struct
from msgspec.structs import replace

from freshness.core.image import same_tag
from freshness.core.lock import Record, tag_lock
from freshness.core.retained import RetainedImage
from freshness.promotion import operations as op
from freshness.promotion.change import Change, Move
from freshness.promotion.operations import Operation
from freshness.settings.model import PromoteSettings, UpdateOrder

BY_ID = "by its ID, so that a tag that moves meanwhile changes nothing"
FOR_ROLLBACK = "`freshness rollback` goes back to these"
AS_BEFORE = "as before"
BUILDS_ON = "the next run builds on it"
PROVEN_TOO = "what was brought back is proven too"


class Plan(Struct, frozen=True, kw_only=True):
    """Operations in their order. `changes` are those of the services, none where only a tag is moved.

    `move` is the tag's, or that of the service that was named first. `ancestry` says how the candidate stands to what
    runs, empty where nobody asked. `chosen` is what a rollback goes back to. The undo of each is done in the same
    order: the tags first, since Compose starts what a tag names.
    """

    move: Move
    changes: tuple[Change, ...]
    operations: tuple[Operation, ...]
    ancestry: str = ""
    chosen: RetainedImage | None = None

    @property
    def undo(self) -> tuple[Operation, ...]:
        """What takes back all of it, and proves that."""
        return tuple(one.undo for one in self.operations if one.undo)

    @property
    def jobs(self) -> tuple[op.RunJob, ...]:
        """Those before the switch, with which it begins."""
        return tuple(one for one in self.operations if isinstance(one, op.RunJob) and one.decides)

    @property
    def switch(self) -> tuple[Operation, ...]:
        """What comes then, up to the proof, and can be taken back."""
        return tuple(one for one in self.operations[len(self.jobs) :] if not one.is_final)

    @property
    def last(self) -> tuple[Operation, ...]:
        """What is done once all is proven, on each Docker host: from here none leads back."""
        return tuple(one for one in self.operations if one.is_final)

    @property
    def records(self) -> dict[str, Record]:
        """What to write down before the first write, by the lock under which it stands."""
        if not self.changes:
            return {tag_lock(self.move.tag): self.move.record()}
        locks = tuple(sorted(one.lock for one in self.changes))
        together = locks if len(locks) > 1 else ()
        return {one.lock: replace(one.record, together=together) for one in self.changes}

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
    """Production changes, all services of the application; a rollback does the same, to another commit of them."""
    ordered = by_level(changes)
    phases = (_tags, _retain_all, _serve_all, _prove_all, _finish)
    operations = tuple(one for phase in phases for one in phase(ordered, settings))
    return Plan(move=_first(ordered, settings).move, changes=ordered, operations=operations, ancestry=ancestry)


def by_level(changes: Sequence[Change]) -> tuple[Change, ...]:
    """What another one needs comes first; within a level as they were named."""
    return tuple(sorted(changes, key=lambda one: one.level))


def _first(changes: Sequence[Change], settings: PromoteSettings) -> Change:
    return next((one for one in changes if one.service == settings.service), changes[0])


def finish_plan(
    changes: Sequence[Change], settings: PromoteSettings, there: Collection[str], *, despite: bool = False
) -> Plan:
    """What an interrupted run began is finished. `there` are the images that still exist: a prune may have been."""
    ordered = by_level(changes)
    kept = {
        one.service: tuple(image for image in one.move.retained_then if image in there)[: settings.keep_images]
        for one in ordered
    }
    operations = (
        *_tags(ordered, settings),
        *_serve_all(ordered, settings, resumes=True, despite=despite),
        *_prove_all(ordered, settings),
        *_remove_old(ordered, settings),
        *(_prune(one, settings, kept[one.service]) for one in ordered),
        *(_record(one, kept[one.service]) for one in ordered),
    )
    return Plan(move=_first(ordered, settings).move, changes=ordered, operations=operations)


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


def _tags(changes: Sequence[Change], _settings: PromoteSettings) -> Iterator[Operation]:
    for change in changes:
        move, back = change.move, change.former.target.image
        undo = op.Tag(image=move.previous_id, tag=back, why="it ran before") if move.previous else None
        yield op.Tag(image=move.candidate.id, tag=move.tag, why=BY_ID, undo=undo)


def _retain_all(changes: Sequence[Change], _settings: PromoteSettings) -> Iterator[Operation]:
    """All of them, until the candidates are proven: an undo finds each again."""
    for move in (change.move for change in changes):
        if move.retained_then != move.kept:
            back = op.Retain(tags=move.retained_tags, images=move.kept, is_required=False, why=AS_BEFORE)
            yield op.Retain(tags=move.retained_tags, images=move.retained_then, why=FOR_ROLLBACK, undo=back)


def _serve_all(
    changes: Sequence[Change], settings: PromoteSettings, *, resumes: bool = False, despite: bool = False
) -> Iterator[Operation]:
    """One recreation for each level; what is as it was recorded is left alone."""
    for _, level in groupby(changes, key=lambda one: one.level):
        left, served = list[Change](), list[Change]()
        for one in level:
            is_left = one.is_current and not settings.compose.force_recreate and not resumes
            (left if is_left else served).append(one)
        for one in left:
            undo = op.BringBack(changes=(one,), why=_back([one]))
            yield op.Leave(change=one, why="it is just as it was recorded", undo=undo)
        if served:
            yield _serve(tuple(served), settings, resumes=resumes, despite=despite)


def _serve(changes: tuple[Change, ...], settings: PromoteSettings, *, resumes: bool, despite: bool) -> Operation:
    undo = op.BringBack(changes=changes, why=_back(changes))
    cls, why = op.Serve, "no dependency, no build, no pull"
    if _in_pairs(settings):
        cls, why = op.StartBeside, "the old one serves until the new one is proven"
    elif all(one.move.previous_id == one.move.candidate.id for one in changes) and not settings.compose.force_recreate:
        why = "it runs that image already, so Compose recreates it only if its configuration has changed"
    resumes = resumes or any(one.resumes for one in changes)
    force = settings.compose.force_recreate and not resumes
    return cls(changes=changes, force=force, resumes=resumes, despite=despite, why=why, undo=undo)


def _back(changes: Sequence[Change]) -> str:
    served = any(one.move.previous for one in changes)
    return "the one that never stopped stays; else Compose makes it anew" if served else "it served nothing before"


def _prove_all(changes: Sequence[Change], settings: PromoteSettings) -> Iterator[Operation]:
    """Each proof is undone by the same proof of what is brought back: a rollback that crashes is none."""
    for one in changes:
        undo = op.Probe(make=one.former, why=PROVEN_TOO) if one.move.previous else None
        yield op.Probe(make=one.make, why="what is not healthy is taken back", undo=undo)
    for one in changes:
        before, is_alone = one.move.previous, _has_tag_alone(one, changes)
        undo_verify = op.Verify(make=one.former, image=before, has_tag=is_alone, why=PROVEN_TOO) if before else None
        why = "what cannot be proven is taken back"
        yield op.Verify(make=one.make, image=one.move.candidate, why=why, undo=undo_verify)
    if _in_pairs(settings):
        for one in changes:
            yield op.Overlap(change=one, seconds=settings.update_overlap, why="a proxy gets time to find the new one")
    for one in changes:
        why = "what was brought back has to last too"
        undo_last = op.Last(make=one.former, why=why) if one.move.previous else None
        yield op.Last(make=one.make, why="what does not last is taken back", undo=undo_last)


def _has_tag_alone(change: Change, changes: Sequence[Change]) -> bool:
    """Whether no other service ran another image under the tag of what it ran: a tag names one."""
    tag = change.former.target.image
    others = (one for one in changes if one.move.previous and same_tag(one.former.target.image, tag))
    return all(one.move.previous_id == change.move.previous_id for one in others)


def _remove_old(changes: Sequence[Change], settings: PromoteSettings) -> Iterator[Operation]:
    if _in_pairs(settings):
        for one in changes:
            yield op.RemoveOld(change=one, why="the new one is proven", is_final=True)


def _finish(changes: Sequence[Change], settings: PromoteSettings) -> Iterator[Operation]:
    yield from _remove_old(changes, settings)
    for change in changes:
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
