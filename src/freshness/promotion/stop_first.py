"""Production's container is replaced where it is: the only way on one port, with a gap that is as short as Docker's."""

from dataclasses import dataclass

from freshness.engine.compose import recreate
from freshness.engine.containers import Container
from freshness.engine.leftovers import keep_one_container
from freshness.engine.lock import Lease
from freshness.promotion.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class StopFirst:
    """Compose makes the new container, stops and removes the old one, and starts the new one in its place."""

    lease: Lease
    plan: Plan
    force: bool = False

    def bring(self) -> Container:
        """The service on the candidate, which its tag names by now; Compose decides whether it is that already."""
        return self._recreate(force=self.force)

    def resume(self) -> Container:
        """As `bring`, after a run that was cut."""
        keep_one_container(self.lease, self.plan.target, self.plan.candidate.id)
        return self._recreate(force=False)

    def others(self, _container: Container) -> tuple[Container, ...]:
        """What is still beside the container: nothing."""
        return ()

    def retire_others(self, _container: Container) -> None:
        """Nothing has to go."""

    def _recreate(self, *, force: bool) -> Container:
        plan, wanted = self.plan, self.plan.candidate.id
        source = plan.make.source
        container = recreate(self.lease, source, plan.target, force=force, keeping=wanted)
        was_left = plan.running is not None and plan.running.id == container.id
        if container.image_id == wanted or not was_left:
            return container
        # Compose believes labels: this one says that it was made from an image that it does not run.
        return recreate(self.lease, source, plan.target, force=True, keeping=wanted)
