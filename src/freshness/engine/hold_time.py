"""Whether what got healthy lasts: the hold time by the Engine's clock, and then one more good answer."""

import re
from datetime import datetime

from freshness.core.compose import Target
from freshness.engine.client import Engine, engine_call
from freshness.engine.containers import Container
from freshness.engine.health import HealthResult, probe_again, stay_healthy
from freshness.engine.probe_address import Prober
from freshness.errors import EngineError
from freshness.settings.model import Health

_NANOSECONDS = re.compile(r"(\.\d{6})\d+")


def wait_hold_time(
    engine: Engine, target: Target, container: Container, health: Health, prober: Prober
) -> HealthResult:
    """Waits until the container has run for the hold time, then asks once more: a good answer proves a moment only.

    What has run longer is not waited for. An exit, a restart or `unhealthy` ends it at once.
    """
    left = min(health.hold - seconds_since_start(engine, container), health.hold) if health.hold else 0
    if left > 0:
        held = stay_healthy(engine, container, left)
        if not held.ok:
            return HealthResult(ok=False, got=f"{held.got}, before it had run for {health.hold:g} s (`hold-time`)")
    again = probe_again(engine, target, container, health, prober)
    if not again.ok:
        return again
    lasted = f"it has run for {health.hold:g} s or longer, and " if health.hold else ""
    return HealthResult(ok=True, got=f"{lasted}once more {again.got}")


def seconds_since_start(engine: Engine, container: Container) -> float:
    """How long the container has run, by the Engine's own clock alone."""
    with engine_call("reading the Engine's clock"):
        now = engine.client.info().get("SystemTime", "")
    try:
        return (_read_time(now) - _read_time(container.started_at)).total_seconds()
    except (ValueError, TypeError) as error:
        raise EngineError(
            f"The Engine says that it is {now!r} and that {container.name} started at {container.started_at!r}.",
            "Check the Docker daemon's clock, then run again.",
        ) from error


def _read_time(said: str) -> datetime:
    return datetime.fromisoformat(_NANOSECONDS.sub(r"\1", said))
