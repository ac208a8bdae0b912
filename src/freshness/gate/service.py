"""One service of the application, as the gate proves it."""

from msgspec import Struct

from freshness.core.compose import Target
from freshness.settings.kinds import CommandCheck, ScriptCheck
from freshness.settings.model import Health
from freshness.target.mounts import Overlay


class Service(Struct, frozen=True, kw_only=True):
    """One service, how it is proven, and what the Compose file lays over its image. `check` None: it has none."""

    target: Target
    health: Health
    overlay: Overlay
    check: ScriptCheck | CommandCheck | None
    check_timeout: float

    @property
    def name(self) -> str:
        return self.target.service
