"""Production as it is found: what stands there, what was written down of it, and what would be lost with it."""

from msgspec import Struct

from freshness.core.compose import Target
from freshness.core.deployment import Recorded
from freshness.core.image import Image, same_tag
from freshness.core.lock import Record
from freshness.core.retained import RetainedTags
from freshness.engine.client import Engine
from freshness.engine.compose import require_all
from freshness.engine.containers import Container, service_containers
from freshness.engine.deployments import read_deployment
from freshness.engine.images import find_image, find_tagged, retained_images
from freshness.engine.rendered import FILE_NAME
from freshness.engine.volumes import how_to_keep, written_volumes
from freshness.errors import Refused
from freshness.promotion.change import Change, Make, Move
from freshness.promotion.configuration import Today


class Scene(Struct, frozen=True, kw_only=True):
    """The service's containers, and `recorded`, what was last written down of it.

    `undo_to` is what an interrupted promotion has begun that could not be undone: what it would have brought back is
    what last served, whatever stands there now.
    """

    containers: tuple[Container, ...]
    recorded: Recorded | None
    undo_to: Record | None

    @property
    def runs(self) -> str:
        """The ID of the image that production runs, or last ran where it could not be brought back; else empty."""
        if self.undo_to:
            return self.undo_to.previous
        return self.containers[0].image_id if self.containers else ""

    @property
    def known(self) -> str:
        """The configuration that production runs with; empty where nobody recorded it, or somebody changed it since."""
        if self.undo_to:
            return self.undo_to.former
        last = self.recorded.deployment if self.recorded else None
        if last is None or not self.containers or last.image != self.containers[0].image_id:
            return ""
        return last.configuration if last.made == self.containers[0].configuration else ""

    @property
    def files(self) -> tuple[str, ...]:
        """The Compose files of what runs; of the record, where it was made from that, and its label names none."""
        if not self.containers:
            return ()
        only, last = self.containers[0], self.recorded.deployment if self.recorded else None
        if last and only.compose_files == (FILE_NAME,) and last.made == only.configuration:
            return last.files
        return only.compose_files

    @property
    def last(self) -> Recorded | None:
        """The record, where it alone tells what ran: nothing of production is there any more."""
        return self.recorded if not self.containers and not self.undo_to else None


def look(engine: Engine, project: str, service: str, undo_to: Record | None) -> Scene:
    """Looks at production, and at what was written down of it. Raises EngineError."""
    return Scene(
        containers=service_containers(engine, project, service),
        recorded=read_deployment(engine, project, service),
        undo_to=undo_to,
    )


def find_change(
    engine: Engine,
    scene: Scene,
    today: Today,
    make: Make,
    candidate: Image,
    *,
    goes_back: bool,
    mounted: frozenset[str],
) -> Change:
    """What becomes of the service. Raises Refused or Stale where there would be no way back."""
    target, undo_to = make.target, scene.undo_to
    previous = candidate if scene.runs == candidate.id else find_image(engine, scene.runs) if scene.runs else None
    if not undo_to:
        _refuse_loss(engine, make, scene, previous, candidate, mounted, today.make(scene.known).target.replicas)
    move = Move(
        tag=target.image,
        candidate=candidate,
        previous=previous,
        tagged=_tagged(engine, target, undo_to),
        kept=tuple(retained_images(engine, today.retained_tags).values()),
        retained_tags=today.retained_tags,
        goes_back=goes_back,
        ran=find_image(engine, scene.last.deployment.image) if scene.last and scene.last.deployment.image else None,
    )
    return Change(
        move=move,
        make=make,
        former=today.make(scene.known),
        running=scene.containers,
        is_current=_is_current(scene, make, candidate),
        resumes=undo_to is not None,
        mounted=mounted,
        last=scene.last.deployment.image if scene.last else "",
        level=today.level,
    )


def find_move(engine: Engine, tag: str, retained_tags: RetainedTags, candidate: Image, *, goes_back: bool) -> Move:
    """What becomes of a tag that is moved alone."""
    named, kept = find_tagged(engine, tag), tuple(retained_images(engine, retained_tags).values())
    return Move(
        tag=tag,
        candidate=candidate,
        previous=named,
        tagged=named,
        kept=kept,
        retained_tags=retained_tags,
        goes_back=goes_back,
    )


def change_of(engine: Engine, record: Record, today: Today) -> Change:
    """What an interrupted run began, from its record. An image that is gone keeps its ID: a tag will say so."""
    make, former = today.make(record.configuration), today.make(record.former)
    move = move_of(engine, record, make.target.image, today.retained_tags)
    return Change(move=move, make=make, former=former, level=today.level)


def move_of(engine: Engine, record: Record, tag: str, retained_tags: RetainedTags) -> Move:
    """As `change_of`, of the tag alone; `tag` is production's now, which may be another than the record's."""
    found = {one: find_image(engine, one) or Image(id=one) for one in (record.previous, record.tagged) if one}
    return Move(
        tag=tag,
        candidate=find_image(engine, record.candidate) or Image(id=record.candidate),
        previous=found.get(record.previous),
        tagged=found.get(record.tagged) if record.tag == tag else find_tagged(engine, tag),
        kept=record.kept,
        retained_tags=retained_tags,
        goes_back=record.goes_back,
        ran=find_image(engine, record.last) if record.last else None,
    )


def _refuse_loss(
    engine: Engine,
    make: Make,
    scene: Scene,
    previous: Image | None,
    candidate: Image,
    mounted: frozenset[str],
    former: int,
) -> None:
    """Raises Refused or Stale where there would be no way back, or something would not come with it.

    `former` is how many containers it had when it was made; where some are gone since, these are made anew.
    """
    fewer = range(1, make.target.replicas)
    running = require_all(scene.containers, make.target, former, *fewer) if scene.containers else ()
    if running and previous is None:
        names = " ".join(one.name for one in running)
        raise Refused(
            f"production's container {running[0].name} runs {running[0].image_id}, which this Engine no longer has.",
            "There would be no way back, and Docker makes no image of such a container. To go without, with production"
            f" down until the new image serves, take it away and run again: docker rm --force {names}",
        )
    images = {one.image_id for one in running}
    if len(images) > 1:
        raise Refused(
            f"production's containers of {make.target.service} run {' and '.join(sorted(images))}; expected one image.",
            "What they go back to could not be told. Bring them to one image first: docker compose up --detach"
            f" --no-deps --force-recreate {make.target.service}",
        )
    for one in running:
        _refuse_lost_volumes(engine, make.target, one, candidate, mounted)


def _is_current(scene: Scene, make: Make, candidate: Image) -> bool:
    """Whether Compose needs not be asked: another version of it would make the same container anew, for nothing."""
    return (
        len(scene.containers) == make.target.replicas
        and all(one.runs and one.image_id == candidate.id for one in scene.containers)
        and len({one.configuration for one in scene.containers}) == 1
        and scene.known == make.configuration != ""
        and scene.undo_to is None
    )


def _tagged(engine: Engine, target: Target, undo_to: Record | None) -> Image | None:
    if undo_to and same_tag(undo_to.tag, target.image):
        return find_image(engine, undo_to.tagged) if undo_to.tagged else None
    return find_tagged(engine, target.image)


def _refuse_lost_volumes(
    engine: Engine, target: Target, running: Container, candidate: Image, mounted: frozenset[str]
) -> None:
    """Raises Refused where a recreation would lose what the container has, and a rollback would not bring it back."""
    if running.image_id == candidate.id:
        return
    written = [path for path in written_volumes(engine, running) if path not in mounted]
    if written:
        raise Refused(
            f"production's container {running.name} keeps files in anonymous volumes at {', '.join(written)} that its"
            " image did not bring. A container of another image would lose them, or they would lie over it.",
            f"{how_to_keep(running, written[0], target.project)} Where nothing of it has to stay, take the container"
            f" away, with production down until the new image serves: docker rm --force --volumes {running.name}",
        )
