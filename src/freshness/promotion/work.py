"""What the operations of one run work with on one Docker host, and what they found on the way."""

from collections.abc import Callable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from freshness.core.lock import Begun
from freshness.engine.client import Engine
from freshness.engine.containers import Container
from freshness.engine.health import HealthResult, wait_until_healthy
from freshness.engine.lock import Lease
from freshness.errors import FreshnessError, LockLost, Unhealthy
from freshness.promotion.change import Change, Make
from freshness.promotion.host import Host
from freshness.promotion.leases import Leases
from freshness.promotion.plan import Plan
from freshness.report.container_log import show_container_log
from freshness.report.run_log import RunLog
from freshness.report.steps import Steps
from freshness.settings.model import PromoteSettings


class Work(Struct, frozen=True, kw_only=True):
    """Operations done on the host, under the leases of what the run is about there.

    `containers` are the services' containers by the service, as the operations made them; `failed` the IDs of those
    that were found unhealthy; `moments` the Engine's time at which this run's records say that services changed;
    `switched` the monotonic clock's before the first recreation and after each; `elsewhere` the leases on the run's
    other hosts.
    """

    host: Host
    leases: Leases
    run: RunLog
    containers: dict[str, tuple[Container, ...]] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    moments: list[str] = field(default_factory=list)
    switched: list[float] = field(default_factory=list)
    elsewhere: tuple[Leases, ...] = ()

    @property
    def engine(self) -> Engine:
        return self.host.engine

    @property
    def settings(self) -> PromoteSettings:
        return self.host.request.settings

    def unheard(self, moments: list[str]) -> "Work":
        """As it begins, with a moment of its own: what is done with it is no check of this run's own."""
        return Work(host=self.host, leases=self.leases, run=replace(self.run, steps=Steps()), moments=moments)

    def lease(self, change: Change) -> Lease:
        """That of the service."""
        return self.leases.by_lock[change.lock]

    def of(self, make: Make) -> tuple[Container, ...]:
        """The service's containers."""
        return self.containers[make.target.service]

    def ask(self, container: Container, make: Make) -> HealthResult:
        """Waits until it is healthy, or the deadline is over."""
        return wait_until_healthy(self.engine, make.target, container, make.health, self.host.prober)

    def require_healthy(self, container: Container, result: HealthResult) -> str:
        """What was seen; where that is not health, the log is shown. Raises Unhealthy."""
        if not result.ok:
            self.failed.add(container.id)
            show_container_log(self.run.log, self.engine, container)
            raise Unhealthy(result.got, f"Look at what {container.name} printed, in the log.")
        return result.got

    def or_note(self, do: Callable[[], None], otherwise: str) -> None:
        """What fails here is no reason to go back: it is noted."""
        try:
            do()
        except LockLost:
            raise
        except FreshnessError as error:
            self.run.note(f"{otherwise}: {error}")


class Part(Struct, frozen=True, kw_only=True):
    """One host's part of a run: its plan, and `begun`, the volumes in which it is written down, by their locks."""

    plan: Plan
    work: Work
    begun: Mapping[str, Begun] = field(default_factory=dict)


def names(containers: tuple[Container, ...]) -> str:
    """For people."""
    return ", ".join(one.name for one in containers)
