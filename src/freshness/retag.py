"""Only the tag: proof, then the move by ID, for hosts where something else restarts production (`recreate: false`)."""

from dataclasses import dataclass

from freshness.candidacy import Candidacy
from freshness.core.image import Image, repository_of
from freshness.core.promotion import PromotionOutcome, previous_tag
from freshness.engine.client import Engine, reach
from freshness.engine.compose import read_config, staging_tag
from freshness.engine.images import find_image, restore_tag, tag_image
from freshness.errors import FreshnessError, Refused
from freshness.interrupts import interrupts_deferred


@dataclass(slots=True, kw_only=True)
class Retag(Candidacy):
    """One move of production's `tag`. `previous` is what the tag named before, None where it did not exist."""

    tag: str
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

    def run(self) -> None:
        """Moves the tag. Raises what ended the run; `outcome` says how it left the tag."""
        try:
            engine, candidate = self._refuse_or_find()
        except Refused:
            self.outcome = PromotionOutcome.REFUSED
            raise
        with interrupts_deferred():
            self._move(engine, candidate)

    def _refuse_or_find(self) -> tuple[Engine, Image]:
        with self.steps.step("image", "an image on this Engine") as step:
            source = self._source()
            self.engine = engine = reach(self.env)
            self.candidate = candidate = self.find_candidate(engine, source)
            step.got = self.in_words(source, candidate)
        self.prove(candidate)
        self.previous = find_image(engine, self.tag)
        self.insist_forward(self.previous, candidate)
        return engine, candidate

    def _source(self) -> str:
        if self.is_rollback:
            return previous_tag(repository_of(self.tag))
        settings = self.settings
        return settings.source_image or staging_tag(read_config(self.compose_file, self.env), settings.staging_service)

    def _move(self, engine: Engine, candidate: Image) -> None:
        kept_tag = previous_tag(repository_of(self.tag))
        kept = find_image(engine, kept_tag)
        if self.previous_id == candidate.id:
            self.outcome = PromotionOutcome.UNCHANGED
            self.reason = f"{self.tag} names {self.name(candidate)} already; nothing was changed."
            return
        try:
            with self.steps.step("retag", f"{self.tag} on {candidate.id}") as step:
                if self.previous:
                    tag_image(engine, self.previous.id, kept_tag)
                tag_image(engine, candidate.id, self.tag)
                step.got = f"it names {candidate.id}"
        except FreshnessError:
            self._move_back(engine, kept_tag, kept)
            raise
        self.outcome = PromotionOutcome.PROMOTED
        self.reason = f"{self.tag} names {self.name(candidate)}; nothing was recreated, as `recreate` is false."

    def _move_back(self, engine: Engine, kept_tag: str, kept: Image | None) -> None:
        self.outcome = PromotionOutcome.STRANDED
        self.reason = f"The tag may be left halfway: look what {self.tag} names."
        restore_tag(engine, self.tag, self.previous)
        restore_tag(engine, kept_tag, kept)
        self.outcome = PromotionOutcome.ROLLED_BACK
        self.reason = f"The promotion failed; {self.tag} is as it was."
