"""What is known before production's first write: what becomes production, and all that the way back needs."""

from dataclasses import dataclass, field

from freshness.core.compose import Target
from freshness.core.image import Image, same_tag
from freshness.core.lock import Record
from freshness.core.retained import RetainedTags, left_by, retained_after
from freshness.engine.client import Engine
from freshness.engine.compose import ComposeFile, Source, require_only
from freshness.engine.containers import Container, service_containers
from freshness.engine.images import find_image, find_tagged, retained_images
from freshness.engine.volumes import how_to_keep, written_volumes
from freshness.errors import Refused
from freshness.promotion.observe import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Make:
    """What is made of an image: its `target`, and from what Compose makes it.

    `configuration` is that as it was rendered, empty where nobody knows it: then `source` are today's files.
    """

    target: Target
    source: Source
    configuration: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """From which image to which, and from which configuration to which: `make` is the candidate's, `former` the other.

    `running` is production's container as it is (None at a first deployment). `previous` is the image that it runs,
    `tagged` what production's tag names, `kept` the image IDs that `kept_tags` name, the newest first. `goes_back`: it
    is a rollback. `is_current`: the container is the one that was recorded, and the candidate is to run just as it
    does. `resumes`: what stands there was left by a run that was cut, and could not be undone; `seen`
    are the IDs of all containers that do. `mounted` are the paths where the configuration mounts something of its own.
    """

    make: Make
    candidate: Image
    running: Container | None
    previous: Image | None
    former: Make
    tagged: Image | None
    kept: tuple[str, ...]
    kept_tags: RetainedTags
    goes_back: bool = False
    is_current: bool = False
    resumes: bool = False
    seen: tuple[str, ...] = ()
    mounted: frozenset[str] = frozenset()

    @property
    def target(self) -> Target:
        """What becomes production."""
        return self.make.target

    @property
    def is_as_it_ran(self) -> bool:
        """Whether the candidate is to run with what was recorded, and with no file of today."""
        return not isinstance(self.make.source, ComposeFile)

    @property
    def kept_then(self) -> tuple[str, ...]:
        """The image IDs to keep once the candidate is production."""
        return retained_after(self.kept, self.previous.id if self.previous else "", self.candidate.id)

    @property
    def left(self) -> tuple[str, ...]:
        """The images that this goes past, where it is a rollback."""
        return (
            left_by(self.kept, self.previous.id if self.previous else "", self.candidate.id) if self.goes_back else ()
        )

    @property
    def record(self) -> Record:
        """What to write down before the first write."""
        return Record(
            tag=self.target.image,
            previous=self.previous.id if self.previous else "",
            candidate=self.candidate.id,
            tagged=self.tagged.id if self.tagged else "",
            kept=self.kept,
            goes_back=self.goes_back,
            configuration=self.make.configuration,
            former=self.former.configuration,
        )

    def is_still_so(self, engine: Engine) -> bool:
        """Whether production's container is what it was: no other run leaves it as it is, and changes anything."""
        containers = service_containers(engine, self.target.project, self.target.service)
        return tuple(one.id for one in containers) == self.seen


def observe(
    engine: Engine,
    scene: Scene,
    make: Make,
    former: Make,
    candidate: Image,
    kept_tags: RetainedTags,
    *,
    goes_back: bool,
    mounted: frozenset[str],
) -> Plan:
    """The plan for what was found. Raises Refused or Stale where there would be no way back."""
    target, unmended = make.target, scene.unmended
    running = scene.containers[0] if len(scene.containers) == 1 else None
    previous = candidate if scene.runs == candidate.id else find_image(engine, scene.runs) if scene.runs else None
    if not unmended:
        _refuse_loss(engine, make, scene, previous, candidate, mounted)
    return Plan(
        make=make,
        candidate=candidate,
        running=running,
        previous=previous,
        former=former,
        tagged=_tagged(engine, target, unmended),
        kept=tuple(retained_images(engine, kept_tags).values()),
        kept_tags=kept_tags,
        goes_back=goes_back,
        is_current=_is_current(scene, make, candidate),
        resumes=unmended is not None,
        seen=tuple(container.id for container in scene.containers),
        mounted=mounted,
    )


def _refuse_loss(
    engine: Engine,
    make: Make,
    scene: Scene,
    previous: Image | None,
    candidate: Image,
    mounted: frozenset[str],
) -> None:
    """Raises Refused or Stale where there would be no way back, or something would not come with it."""
    target = make.target
    running = require_only(scene.containers, target) if scene.containers else None
    if running and previous is None:
        raise Refused(
            f"production's container {running.name} runs {running.image_id}, which this Engine no longer has.",
            "There would be no way back, and Docker makes no image of such a container. To go without, with production"
            f" down until the new image serves, take it away and run again: docker rm --force {running.name}",
        )
    if running:
        _refuse_lost_volumes(engine, target, running, candidate, mounted)


def _is_current(scene: Scene, make: Make, candidate: Image) -> bool:
    """Whether Compose needs not be asked: another version of it would make the same container anew, for nothing."""
    return (
        len(scene.containers) == 1
        and scene.containers[0].runs
        and scene.containers[0].image_id == candidate.id
        and scene.known == make.configuration != ""
        and scene.unmended is None
    )


def _tagged(engine: Engine, target: Target, unmended: Record | None) -> Image | None:
    if unmended and same_tag(unmended.tag, target.image):
        return find_image(engine, unmended.tagged) if unmended.tagged else None
    return find_tagged(engine, target.image)


def _refuse_lost_volumes(
    engine: Engine, target: Target, running: Container, candidate: Image, mounted: frozenset[str]
) -> None:
    """Raises Refused where a recreation would lose what the container has, and the way back would not bring it back."""
    if running.image_id == candidate.id:
        return
    written = [path for path in written_volumes(engine, running) if path not in mounted]
    if written:
        raise Refused(
            f"production's container {running.name} keeps files in anonymous volumes at {', '.join(written)} that its"
            " image did not bring: a container of another image would lose them, or they would lie over it.",
            f"{how_to_keep(running, written[0], target.project)} Where nothing of it has to stay, take the container"
            f" away, with production down until the new image serves: docker rm --force --volumes {running.name}",
        )


def plan_of(engine: Engine, record: Record, make: Make, former: Make, kept_tags: RetainedTags) -> Plan:
    """The plan of a promotion that was cut, from its record. An image that is gone keeps its ID: a tag will say so."""
    target = make.target
    found = {one: find_image(engine, one) or Image(id=one) for one in (record.previous, record.tagged) if one}
    is_same_tag = record.tag == target.image
    return Plan(
        make=make,
        candidate=find_image(engine, record.candidate) or Image(id=record.candidate),
        running=None,
        previous=found.get(record.previous),
        former=former,
        tagged=found.get(record.tagged) if is_same_tag else find_tagged(engine, target.image),
        kept=record.kept,
        kept_tags=kept_tags,
        goes_back=record.goes_back,
    )
