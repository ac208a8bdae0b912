"""Only the tag: proof, then the move by ID, for hosts where something else restarts production (`recreate: false`)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from freshness.core.image import Image, repository_of
from freshness.core.lock import Record, tag_lock
from freshness.core.promotion import PromotionOutcome
from freshness.core.retained import RetainedTags, retained_after
from freshness.engine.client import Engine, connect
from freshness.engine.compose import read_config
from freshness.engine.deployments import read_deployment
from freshness.engine.images import find_tagged, restore_tag, retain_images, retained_images, tag_image
from freshness.engine.lock import Lease, Lock
from freshness.errors import FreshnessError, LockLost, Refused
from freshness.process.signals import interrupts_deferred
from freshness.promotion.acquire import TAKEN_OVER, Tenure, find_cut
from freshness.promotion.deployment_record import record_named
from freshness.promotion.preflight import Candidacy
from freshness.report.dry_run import cut_ahead, retag_ahead
from freshness.target.staging import staging_config, staging_tag

LONGEST_SECONDS = 300


@dataclass(slots=True, kw_only=True)
class Retag(Candidacy):
    """One move of production's `tag`. `previous` is what the tag named before, None where it did not exist.

    `project` is staging's, where staging's tag is the source.
    """

    tag: str
    project: str = ""
    candidate: Image | None = None
    previous: Image | None = None

    @property
    def previous_id(self) -> str:
        """The ID of the image that the tag named before; empty where it named none."""
        return self.previous.id if self.previous else ""

    @property
    def serving_id(self) -> str:
        """The ID of the image that the tag names now, as far as it was proven; else empty."""
        if self.outcome in {PromotionOutcome.PROMOTED, PromotionOutcome.UNCHANGED}:
            return self.candidate.id if self.candidate else ""
        return self.previous_id if self.outcome is PromotionOutcome.ROLLED_BACK else ""

    @property
    def kept_tags(self) -> RetainedTags:
        """The tags that keep what the tag named before."""
        return RetainedTags(repository=repository_of(self.tag))

    def run(self) -> None:
        """Moves the tag. Raises what ended the run; `outcome` says how it left the tag."""
        try:
            record, lease = self._begin()
        except Refused:
            self.outcome = PromotionOutcome.REFUSED
            raise
        with lease, interrupts_deferred():
            self._move(lease, record)

    def look_ahead(self) -> Iterator[str]:
        """All refusals, and then what `run` would do, step by step; nothing is written. Raises FreshnessError."""
        source, lock = self._source(), self._find_lock()
        if cut := find_cut(lock):
            yield from cut_ahead(cut)
            return
        held = lock.look()
        yield from retag_ahead(self._refuse_or_record(lock.engine, source), held)

    def _find_lock(self) -> Lock:
        self.engine = connect(self.env, self.settings.engine_timeout)
        return self.lock(self.engine, tag_lock(self.tag), LONGEST_SECONDS)

    def _begin(self) -> tuple[Record, Lease]:
        source = self._source()
        return Tenure(
            run=self,
            what="retag",
            find_lock=self._find_lock,
            plan=lambda engine: self._refuse_or_record(engine, source),
            record=lambda record: record,
            is_still_so=lambda engine, record: (
                self._record(engine, record.candidate, goes_back=record.goes_back) == record
            ),
            recover=self._recover,
        ).begin(f"{self.tag} for this run alone")

    def _recover(self, lease: Lease, record: Record) -> str | None:
        if record.tag != self.tag:
            return None
        now = find_tagged(lease.engine, self.tag)
        if now and now.id == record.candidate:
            kept = retained_after(record.kept, record.previous, record.candidate)
            retain_images(lease, self.kept_tags, kept[: self.settings.keep_images])
            self._record_named(lease, record, now, kept)
            return f"finished: {self.tag} names {record.candidate}"
        if (now.id if now else "") != record.tagged:
            return f"left alone: {self.tag} names neither image, so somebody moved it meanwhile"
        self._restore(lease, record)
        return f"undone: {self.tag} names {record.previous or 'nothing'}"

    def _refuse_or_record(self, engine: Engine, source: str) -> Record:
        with self.steps.step("image", "an image on this Engine") as step:
            recorded = read_deployment(engine, "", self.tag)
            name = source
            if self.is_rollback:
                name = self.kept_source(engine, self.kept_tags, self._named(engine), recorded)
            self.candidate = candidate = self.find_candidate(engine, name)
            step.got = self.in_words(name, candidate)
        self.prove(candidate)
        self.insist_staged(engine, self.project, candidate)
        self.previous = find_tagged(engine, self.tag)
        self.require_ancestry(self.previous, candidate, None if self.previous else recorded)
        return self._record(engine, candidate.id, goes_back=self.goes_back(recorded, candidate))

    def _record(self, engine: Engine, candidate: str, *, goes_back: bool) -> Record:
        named = self._named(engine)
        kept = tuple(retained_images(engine, self.kept_tags).values())
        return Record(tag=self.tag, previous=named, candidate=candidate, tagged=named, kept=kept, goes_back=goes_back)

    def _record_named(self, lease: Lease, record: Record, image: Image, kept: Sequence[str]) -> None:
        """Writes down what the tag names. What fails here is no reason to move it back: it is noted."""
        label, there = self.settings.revision_label, kept[: self.settings.keep_images]
        try:
            record_named(lease, self.tag, record, image, there, label)
        except LockLost:
            raise
        except FreshnessError as error:
            self.notes.append(f"What {self.tag} names could not be recorded: {error}")

    def _named(self, engine: Engine) -> str:
        found = find_tagged(engine, self.tag)
        return found.id if found else ""

    def _source(self) -> str:
        settings = self.settings
        if self.is_rollback or settings.source_image:
            return settings.source_image or ""
        staging = staging_config(settings, self.env, read_config(self.compose_file, self.env))
        self.project = staging["name"]
        return staging_tag(settings, staging)

    def _move(self, lease: Lease, record: Record) -> None:
        kept = retained_after(record.kept, record.previous, record.candidate)
        if record.previous == record.candidate:
            self.outcome = PromotionOutcome.UNCHANGED
            self.reason = f"{self.tag} names {record.candidate} already; nothing was changed."
            return
        try:
            with self.steps.step("retag", f"{self.tag} on {record.candidate}") as step:
                tag_image(lease, record.candidate, self.tag)
                retain_images(lease, self.kept_tags, kept[: self.settings.keep_images])
                step.got = f"it names {record.candidate}"
        except LockLost:
            self.reason = TAKEN_OVER
            raise
        except FreshnessError:
            self._move_back(lease, record)
            raise
        if self.candidate:
            self._record_named(lease, record, self.candidate, kept)
        self.outcome = PromotionOutcome.PROMOTED
        named = self.name(self.candidate) if self.candidate else record.candidate
        self.reason = f"{self.tag} names {named}; nothing was recreated, as `recreate` is false."

    def _move_back(self, lease: Lease, record: Record) -> None:
        lease.keep_lock = True  # with its record: the next run tries again
        try:
            self._restore(lease, record)
        except LockLost:
            self.reason = TAKEN_OVER
            raise
        except FreshnessError:
            self.outcome = PromotionOutcome.STRANDED
            self.reason = f"The tag may be left halfway: look what {self.tag} names."
            raise
        lease.keep_lock = False
        self.outcome = PromotionOutcome.ROLLED_BACK
        self.reason = f"The promotion failed; {self.tag} is as it was."

    def _restore(self, lease: Lease, record: Record) -> None:
        restore_tag(lease, self.tag, record.tagged, self.settings.revision_label)
        retain_images(lease, self.kept_tags, record.kept)
