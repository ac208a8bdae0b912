"""Production as it is found, before anybody says what becomes of it."""

from dataclasses import dataclass

from freshness.core.compose import Target
from freshness.core.deployment import Recorded
from freshness.core.lock import Record
from freshness.engine.client import Engine
from freshness.engine.containers import Container, service_containers
from freshness.engine.deployments import read_deployment
from freshness.engine.rendered import FILE_NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The service's containers, and what was written down of it.

    `recorded` is what was last written down of it. `unmended` is what a cut promotion has begun that could not be
    undone: what it would have brought back is what last served, whatever stands there now.
    """

    containers: tuple[Container, ...]
    recorded: Recorded | None
    unmended: Record | None

    @property
    def runs(self) -> str:
        """The ID of the image that production runs, or last ran where it could not be brought back; else empty."""
        if self.unmended:
            return self.unmended.previous
        return self.containers[0].image_id if self.containers else ""

    @property
    def known(self) -> str:
        """The configuration that production runs with; empty where nobody recorded it, or somebody changed it since."""
        if self.unmended:
            return self.unmended.former
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
        return self.recorded if not self.containers and not self.unmended else None


def look(engine: Engine, target: Target, unmended: Record | None) -> Scene:
    """Looks at production, and at what was written down of it. Raises EngineError."""
    return Scene(
        containers=service_containers(engine, target.project, target.service),
        recorded=read_deployment(engine, target.project, target.service),
        unmended=unmended,
    )
