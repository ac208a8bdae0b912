"""How one service of the application is proven: by what is said of it, over what is said of all."""

from msgspec.structs import replace

from freshness.errors import SettingsError
from freshness.settings.application import ServiceSettings
from freshness.settings.groups import Health
from freshness.settings.kinds import HealthKind


def health_of(health: Health, one: ServiceSettings) -> Health:
    """The service's own. Raises SettingsError where it need only run, and for no time at all."""
    words = {
        HealthKind.RUNNING: "running",
        HealthKind.HEALTHCHECK: "none",
        HealthKind.HTTP: one.health_path or "/health",
        None: one.health_path or "",
    }
    found = replace(health, asked=words[one.health], question=one.question)
    if found.is_running_enough and not found.hold:
        raise SettingsError(
            f"`health` of {one.name} is running, and `hold-time` is 0; expected some seconds for which it has to run.",
            "Set `hold-time` to as long as the service may take to fail.",
        )
    return found
