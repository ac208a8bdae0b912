"""What would not come with production: of the container that stands there, or of what is recorded where none does."""

import json
from collections.abc import Collection, Mapping
from pathlib import PurePath
from typing import ClassVar

from freshness.core.compose import Target
from freshness.core.configuration import environment_of
from freshness.core.discreet import Discreet
from freshness.core.image import Image
from freshness.core.mounts import Mount, mounts_of
from freshness.core.moved import bound_by
from freshness.core.variables import explain_emptied, find_emptied
from freshness.engine.client import Engine
from freshness.engine.compose import ComposeFile, configuration_of
from freshness.errors import Refused
from freshness.promotion.observe import Scene
from freshness.target.moved import refuse_moved


class Ran(Discreet, frozen=True, kw_only=True):
    """What runs, or what was recorded to have run last; `what` calls it in a sentence.

    `files` are the Compose files that it was made from, `made` is Compose's hash of it, `before` are its bind mounts'
    sources by target. `record` is the name of the record's volume, where nothing else tells.
    """

    unshown: ClassVar = ("environment",)
    what: str
    files: tuple[str, ...]
    made: str
    environment: Mapping[str, str]
    before: Mapping[str, str]
    record: str = ""

    @property
    def otherwise(self) -> str:
        """The way out where what was recorded is none of this application's any more."""
        if not self.record:
            return ""
        rule = "Where nothing of what ran has to stay, remove its record by hand"
        return f" {rule} (`docker volume rm {self.record}`), and run again."


def find_ran(scene: Scene, service: str) -> Ran | None:
    """None where nothing runs, and nothing is known of what ran.

    What a cut promotion left counts by its values alone: what it was begun from was looked at then.
    """
    if scene.containers:
        only = scene.containers[0]
        return Ran(
            what=f"production's container {only.name}",
            files=() if scene.undo_to else scene.files,
            made=only.configuration,
            environment=only.environment,
            before={} if scene.undo_to else only.binds,
        )
    if scene.last is None or not scene.last.deployment.configuration:
        return None
    last = scene.last.deployment
    return Ran(
        what=f"{last.image}, which was recorded to have run last,",
        files=last.files,
        made=last.made,
        environment=environment_of(last.configuration, service),
        before=bound_by(mounts_of(json.loads(last.configuration), service)),
        record=scene.last.name,
    )


def refuse_loss(
    engine: Engine,
    ran: Ran,
    target: Target,
    file: ComposeFile,
    *,
    mounts: tuple[Mount, ...],
    allowed: Collection[str],
    candidate: Image,
) -> None:
    """Raises Refused where production would go on without what `ran` has: values, files, or what the files say of it.

    `mounts` are those of the service by `file`, `allowed` the variables that may be empty.
    """
    _refuse_lost_files(engine, target, ran, file)
    emptied = find_emptied(target.environment, ran.environment, allowed)
    if emptied:
        message, remedy = explain_emptied(ran.what, emptied)
        raise Refused(message, f"{remedy}{ran.otherwise}")
    refuse_moved(engine, candidate.id, mounts, what=ran.what, before=ran.before, file=file, otherwise=ran.otherwise)


def _refuse_lost_files(engine: Engine, target: Target, ran: Ran, file: ComposeFile) -> None:
    """Raises Refused where it was started from more files than are read, and they say more of the service.

    By their names alone, since a checkout may lie elsewhere each time. Where Compose sees no difference there is none.
    """
    read = {path.name for path in file.paths}
    lost = [path for path in ran.files if PurePath(path).name not in read]
    if len(ran.files) < 2 or not lost:  # noqa: PLR2004 -- one that was renamed is no loss
        return
    if ran.made == configuration_of(file, engine.env, target):
        return
    raise Refused(
        f"{ran.what} was started from {' and '.join(ran.files)}; only"
        f" {file.names} is read here, and what {' and '.join(lost)} says of it (volumes, environment) would be lost.",
        f"Name all of them in `compose-file`, in that order, one a line or as `first.yaml:second.yaml`.{ran.otherwise}",
    )
