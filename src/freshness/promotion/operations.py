"""The operations of a plan as values: what each does, why, and what undoes it. `rollout` does them."""

from collections.abc import Sequence
from typing import ClassVar

from msgspec import Struct

from freshness.core.image import Image
from freshness.core.job import Job
from freshness.core.retained import RetainedTags
from freshness.engine.compose import Source
from freshness.promotion.change import Change, Make, Move


class Operation(Struct, frozen=True, kw_only=True):
    """One operation. `undo` takes it back; None where nothing has to. `is_final`: from here nothing is taken back."""

    says: ClassVar[str]
    why: str
    undo: "Operation | None" = None
    is_final: bool = False

    def __str__(self) -> str:
        return f"{self.says.format(self)}: {self.why}"


class RunJob(Operation, frozen=True, kw_only=True):
    """A job runs once, to its end, from its image's ID; where it `decides`, the plan fails with it."""

    says: ClassVar[str] = "run the job {0.job.service} once from {0.job.image_id}, for {0.job.timeout:g} s at most"
    job: Job
    source: Source
    decides: bool = True


class Tag(Operation, frozen=True, kw_only=True):
    """The tag names this image ID; empty: nothing."""

    says: ClassVar[str] = "{0.doing}"
    image: str
    tag: str

    @property
    def doing(self) -> str:
        """In words."""
        return f"tag {self.image} as {self.tag}" if self.image else f"take the tag {self.tag} away"


class Retain(Operation, frozen=True, kw_only=True):
    """The retained tags name these images, the newest first. `is_required`: where it fails, the plan has failed."""

    says: ClassVar[str] = "retain {0.named}"
    tags: RetainedTags
    images: tuple[str, ...]
    is_required: bool = True

    @property
    def named(self) -> str:
        """The images with their tags."""
        named = [f"{image} as {self.tags.name(number)}" for number, image in enumerate(self.images, start=1)]
        return ", ".join(named) or "no previous image"


class Serve(Operation, frozen=True, kw_only=True):
    """The services get a container of their candidate. `force`: a new one. `resumes`: an interrupted run began that.

    `despite`: a Compose that fails does not count, where the candidate runs all the same.
    """

    says: ClassVar[str] = "recreate {0.named} with Compose, and nothing else"
    changes: tuple[Change, ...]
    force: bool = False
    resumes: bool = False
    despite: bool = False

    @property
    def named(self) -> str:
        """The services."""
        return named(self.changes)


class StartBeside(Serve, frozen=True, kw_only=True):
    """As `Serve`, beside the old container."""

    says: ClassVar[str] = "start a second container of {0.named} beside the first"


class Leave(Operation, frozen=True, kw_only=True):
    """The service's container stays: it is just as recorded."""

    says: ClassVar[str] = "leave the container of {0.change.service} as it is"
    change: Change


class BringBack(Operation, frozen=True, kw_only=True):
    """What ran before runs again, else nothing does; and the candidates' tags are as they were."""

    says: ClassVar[str] = "bring {0.named}"
    changes: tuple[Change, ...]

    @property
    def named(self) -> str:
        """The services, each with what it ran."""
        return " and ".join(f"{one.service} back to {one.move.previous_name}" for one in self.changes)


class Probe(Operation, frozen=True, kw_only=True):
    """The service gets healthy within the deadline."""

    says: ClassVar[str] = "wait up to {0.make.health.deadline:g} s for {0.make.target.service} to be healthy"
    make: Make


class Verify(Operation, frozen=True, kw_only=True):
    """The container that got healthy, its image and the tag agree; the tag where it is the service's alone."""

    says: ClassVar[str] = "verify that {0.named} {0.image.id}"
    make: Make
    image: Image
    has_tag: bool = True

    @property
    def named(self) -> str:
        """What is looked at."""
        target = self.make.target
        return f"{target.service} and {target.image} are" if self.has_tag else f"{target.service} is"


class Overlap(Operation, frozen=True, kw_only=True):
    """The new container is healthy for these seconds beside the old one."""

    says: ClassVar[str] = "let both containers of {0.change.service} serve for {0.seconds:g} s"
    change: Change
    seconds: float


class Last(Operation, frozen=True, kw_only=True):
    """What got healthy is healthy still when it has run for the hold time."""

    says: ClassVar[str] = "probe {0.make.target.service} once more when it has run for {0.make.health.hold:g} s"
    make: Make


class RemoveOld(Operation, frozen=True, kw_only=True):
    """The old container goes."""

    says: ClassVar[str] = "stop and remove the old container of {0.change.service}"
    change: Change


class RecordServed(Operation, frozen=True, kw_only=True):
    """What serves is written down: this image, made so, with the images to go back to."""

    says: ClassVar[str] = "record that {0.change.service} runs {0.image.id}"
    change: Change
    image: Image
    make: Make
    kept: tuple[str, ...]


class RecordTag(Operation, frozen=True, kw_only=True):
    """What the tag names is written down, where nothing but the tag is moved."""

    says: ClassVar[str] = "record that {0.move.tag} names {0.move.candidate.id}"
    move: Move
    kept: tuple[str, ...]


def named(changes: Sequence[Change]) -> str:
    """The services, as a list in words."""
    names = [one.service for one in changes]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
