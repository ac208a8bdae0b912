"""The new container starts beside the old one, which goes when the new one is proven: no gap, behind a proxy."""

from dataclasses import dataclass

from freshness.engine.compose import create_another
from freshness.engine.containers import Container, service_containers, start
from freshness.engine.leftovers import keep_only, stop_and_remove
from freshness.engine.lock import Lease
from freshness.engine.volumes import written_volumes
from freshness.errors import Refused, Stale
from freshness.promotion.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class StartFirst:
    """Compose makes one more container; each is started and retired by its ID, since Compose would choose which."""

    lease: Lease
    plan: Plan
    force: bool = False

    def bring(self) -> Container:
        """A started container of the candidate beside production's, or production's own where that is alike."""
        return self._start_another(self.plan.running, force=self.force)

    def resume(self) -> Container:
        """As `bring`, after a run that was cut: what that run has started may stay."""
        started = self._running(self.plan.candidate.id)
        container = self._start_another(started[-1] if started else None)
        if not self.others(container):  # it was cut behind the last retirement, and only the name is left to do
            self.retire_others(container)
        return container

    def others(self, container: Container) -> tuple[Container, ...]:
        """What is still beside the container, running or not."""
        return tuple(one for one in self._containers() if one.id != container.id)

    def retire_others(self, container: Container) -> None:
        """Stops each with its own signal and grace, and removes it; this one gets the service's proper name."""
        keep_only(self.lease, self.plan.target, container)

    def _start_another(self, running: Container | None, *, force: bool = False) -> Container:
        """Asks Compose for a container, not whether it would make one: what it makes tells what has changed."""
        plan = self.plan
        made, wanted = create_another(self.lease, plan.make.source, plan.target), plan.candidate.id
        if made.image_id != wanted:
            stop_and_remove(self.lease, made, volumes=True)
            raise Stale(
                f"the container {made.name} was made from {made.image_id}, not from {wanted}, and never started.",
                "Something else moves production's tag: find it, then run again.",
            )
        if running and running.runs and running.is_like(made) and not force:
            stop_and_remove(self.lease, made, volumes=True)
            return running
        written = written_volumes(self.lease.engine, running) if running else ()
        lost = [path for path in written if path not in self.plan.mounted]
        if running and lost:
            stop_and_remove(self.lease, made, volumes=True)
            raise Refused(
                f"production's container {running.name} keeps files in anonymous volumes at"
                f" {', '.join(lost)}, which one beside it would start without.",
                "Give the service a named volume there in the Compose file, or set `update-order: stop-first`.",
            )
        self.lease.require()
        return start(self.lease.engine, made)

    def _running(self, image_id: str) -> list[Container]:
        """The service's running containers of this image, the newest last."""
        found = [one for one in self._containers() if one.runs and one.image_id == image_id]
        return sorted(found, key=lambda one: one.started_at)

    def _containers(self) -> tuple[Container, ...]:
        target = self.plan.target
        return service_containers(self.lease.engine, target.project, target.service)
