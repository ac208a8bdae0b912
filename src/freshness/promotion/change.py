"""What is known before the first write: from which image to which, from which configuration to which."""

from typing import ClassVar

from msgspec import Struct

from freshness.core.compose import Target
from freshness.core.discreet import Discreet
from freshness.core.image import Image
from freshness.core.lock import Record, service_lock
from freshness.core.retained import RetainedTags, left_by, retained_after
from freshness.engine.compose import ComposeFile, Source
from freshness.engine.containers import Container
from freshness.engine.rendered import Rendered
from freshness.settings.model import Health


class Make(Discreet, frozen=True, kw_only=True):
    """What is made of an image: its `target`, from what Compose makes it, and how it is proven.

    `configuration` is that as it was rendered, empty where nobody knows it: then `source` are today's files.
    """

    unshown: ClassVar = ("configuration",)
    target: Target
    source: Source
    health: Health
    configuration: str = ""

    @property
    def is_as_it_ran(self) -> bool:
        """Whether it is made from what was recorded, and from no file of today."""
        return not isinstance(self.source, ComposeFile)

    @property
    def source_as_read(self) -> Source:
        """The files, or what was rendered of them where they changed since, or are gone: to go back none is needed."""
        if isinstance(self.source, ComposeFile) and self.source.changed and self.configuration:
            return Rendered(text=self.configuration, file=self.source)
        return self.source


class Move(Struct, frozen=True, kw_only=True):
    """Which image production's `tag` names next, and all that is needed to put it back.

    `previous` is the image that production runs, `tagged` what the tag names, `kept` the image IDs that `retained_tags`
    name, the newest first. `goes_back`: it is a rollback. `ran` is what was recorded to have run last, where production
    runs nothing: it is retained, and no undo starts it.
    """

    tag: str
    candidate: Image
    previous: Image | None
    tagged: Image | None
    kept: tuple[str, ...]
    retained_tags: RetainedTags
    goes_back: bool = False
    ran: Image | None = None

    @property
    def replaced(self) -> Image | None:
        """What the candidate takes the place of."""
        return self.previous or self.ran

    @property
    def _replaced_id(self) -> str:
        return self.replaced.id if self.replaced else ""

    @property
    def previous_id(self) -> str:
        """Empty where production runs nothing."""
        return self.previous.id if self.previous else ""

    @property
    def tagged_id(self) -> str:
        """Empty where the tag names nothing."""
        return self.tagged.id if self.tagged else ""

    @property
    def previous_name(self) -> str:
        """For people."""
        return self.previous_id or "nothing"

    @property
    def retained_then(self) -> tuple[str, ...]:
        """The image IDs to keep once the candidate is production."""
        return retained_after(self.kept, self._replaced_id, self.candidate.id)

    @property
    def left(self) -> tuple[str, ...]:
        """The images that this goes past, where it is a rollback."""
        return left_by(self.kept, self._replaced_id, self.candidate.id) if self.goes_back else ()

    def record(self, configuration: str = "", former: str = "") -> Record:
        """What to write down before the first write."""
        return Record(
            tag=self.tag,
            previous=self.previous_id,
            candidate=self.candidate.id,
            tagged=self.tagged_id,
            kept=self.kept,
            goes_back=self.goes_back,
            configuration=configuration,
            former=former,
            last=self.ran.id if self.ran else "",
        )


class Change(Struct, frozen=True, kw_only=True):
    """What becomes of one service: `make` is the candidate's, `former` that of what runs.

    `running` are its containers as they are (none at a first deployment). `is_current`: they are those that were
    recorded, and the candidate is to run just as they do. `resumes`: what stands there was left by a run that was
    interrupted, and could not be undone. `mounted` are the paths where the configuration mounts something of its own.
    `last` is the ID of the image that was recorded to have run last, where nothing runs; else empty. `level`: services
    of one level need none of each other, and each only what has a lower one.
    """

    move: Move
    make: Make
    former: Make
    running: tuple[Container, ...] = ()
    is_current: bool = False
    resumes: bool = False
    mounted: frozenset[str] = frozenset()
    last: str = ""
    level: int = 0

    @property
    def service(self) -> str:
        """The service's name in Compose."""
        return self.make.target.service

    @property
    def has_replicas(self) -> bool:
        """Whether it has, or had, more than one container: these are replaced one after the other."""
        return max(self.make.target.replicas, self.former.target.replicas, len(self.running)) > 1

    def may_be_new(self, container: str) -> bool:
        """Whether the container of this ID may be the new one, where only the configuration changes.

        Where nobody knows what ran before, whatever runs may stay.
        """
        is_known = bool(self.running or self.former.configuration)
        is_same = self.move.previous_id == self.move.candidate.id
        return is_same and is_known and container not in {one.id for one in self.running}

    @property
    def lock(self) -> str:
        """The name of the service's lock."""
        return service_lock(self.make.target.project, self.service)

    @property
    def record(self) -> Record:
        """What to write down before the first write."""
        return self.move.record(self.make.configuration, self.former.configuration)
