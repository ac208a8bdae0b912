"""What the operations of one gate work with, and what they found on the way."""

from msgspec import Struct, field

from freshness.core.image import Image
from freshness.engine.build import Build, Building
from freshness.engine.compose import Source
from freshness.engine.containers import Container
from freshness.engine.lock import Lease
from freshness.gate.observe import Observed
from freshness.gate.plan import Plan
from freshness.gate.request import Request
from freshness.report.run_log import RunLog


class Built(Struct, frozen=True, kw_only=True):
    """An image, and the build that brought it."""

    build: Build
    image: Image


class Work(Struct, kw_only=True):
    """One gate; `images`, `leases` and `containers` are by the service's name.

    `source` is what Compose makes the services from. `builds` are under way, by their tags.
    """

    plan: Plan
    request: Request
    seen: Observed
    run: RunLog
    source: Source
    builds: dict[str, Building] = field(default_factory=dict)
    images: dict[str, Built] = field(default_factory=dict)
    leases: dict[str, Lease] = field(default_factory=dict)
    containers: dict[str, tuple[Container, ...]] = field(default_factory=dict)
