"""Waits until a container answers its health path, or its HEALTHCHECK says healthy."""

import time
from collections.abc import Callable
from contextlib import nullcontext

from msgspec.structs import replace

from freshness.core.compose import Target
from freshness.core.image import Image
from freshness.engine.address import require_reachable_port
from freshness.engine.client import Engine
from freshness.engine.containers import Container, find_container
from freshness.engine.probe_address import Prober
from freshness.engine.waiting import WATCH_SECONDS, HealthResult, Wait, why_broken
from freshness.errors import Refused
from freshness.settings.model import Health

__all__ = [
    "HealthResult",
    "probe_again",
    "require_health_source",
    "require_probeable",
    "settle_health",
    "stay_healthy",
    "wait_until_healthy",
]

AGAIN_SECONDS = 5.0  # for one more good answer of what was healthy before


def require_health_source(
    health: Health, target: Target, image: Image, previous: Image | None = None, former: Target | None = None
) -> None:
    """Raises Refused where neither a health path nor a HEALTHCHECK could ever tell: nothing found is never fine.

    That goes for `previous` as well, which a rollback would have to verify, as the target `former`.
    """
    if health.path is not None or health.is_running_enough:
        return
    if not _has_healthcheck(target, image):
        why = "the health path is `none`"
        if health.asked != "none":
            why = f"{target.service} publishes no port, neither `port` nor `health-path` is set"
        raise Refused(
            f"{why}, but neither the image nor the Compose file has a HEALTHCHECK.",
            "Give the image a HEALTHCHECK, or set `health-path`, and `port` to the one inside the container. If it is"
            " enough that it runs for `hold-time`, set `health-path: running`.",
        )
    if previous and not _has_healthcheck(former or target, previous):
        raise Refused(
            f"the HEALTHCHECK decides, but the image in production, {previous.id}, has no HEALTHCHECK: rolling back to"
            " it could not be verified.",
            "Set `health-path` (`running` if it is enough that it runs), or give the service a `healthcheck:` in the"
            " Compose file.",
        )


def settle_health(health: Health, target: Target, *, is_port_given: bool) -> Health:
    """The HEALTHCHECK decides where nothing is published, and nobody named a port or a path."""
    if health.asked or is_port_given or target.is_published:
        return health
    return replace(health, asked="healthcheck")


def _has_healthcheck(target: Target, image: Image) -> bool:
    """What the Compose file says of it goes first; where it names no test, the image's own is run."""
    said = target.healthcheck or {}
    test = said.get("test") or (image.healthcheck or {}).get("Test") or ("NONE",)
    return not said.get("disable") and test[0] != "NONE"


def require_probeable(engine: Engine, health: Health, target: Target, prober: Prober) -> None:
    """Raises SettingsError where the health path of a remote target could never be asked from here, EngineError."""
    if health.path is not None and prober.job is None:
        require_reachable_port(engine, target)


def wait_until_healthy(
    engine: Engine,
    target: Target,
    container: Container,
    health: Health,
    prober: Prober,
    seen: Callable[[str], object] = str,
) -> HealthResult:
    """Asks again and again until the deadline; an exit, a restart or `unhealthy` ends it at once.

    One request takes at most the health settings' interval. `seen` is told what was seen last.
    """
    return _wait(engine, target, container, health, prober, health.deadline, seen)


def probe_again(engine: Engine, target: Target, container: Container, health: Health, prober: Prober) -> HealthResult:
    """One more good answer from what was healthy before, soon; and it is the same container still, behind that."""
    again = _wait(engine, target, container, health, prober, min(health.deadline, max(health.interval, AGAIN_SECONDS)))
    broken = again.ok and why_broken(container, find_container(engine, container.id))
    return HealthResult(ok=False, got=broken) if broken else again


def _wait(
    engine: Engine,
    target: Target,
    container: Container,
    health: Health,
    prober: Prober,
    seconds: float,
    seen: Callable[[str], object] = str,
) -> HealthResult:
    if health.path and not target.is_published and not container.addresses:  # what has ended has none any more
        broken = why_broken(container, find_container(engine, container.id))
        if broken:
            return HealthResult(ok=False, got=broken)
    with prober.address(engine, target, container) if health.path else nullcontext() as address:
        wait = Wait(
            engine=engine,
            container=container,
            health=health,
            address=address,
            port=target.container_port,
            seconds=seconds,
        )
        while True:
            result = wait.poll()
            if result:
                return result
            seen(wait.seen.got if wait.seen else "")
            wait.pause()


def stay_healthy(engine: Engine, container: Container, seconds: float) -> HealthResult:
    """Looks for `seconds` whether the container is still what it was; an exit, a restart or `unhealthy` ends it."""
    deadline = time.monotonic() + seconds
    while True:
        broken = why_broken(container, find_container(engine, container.id))
        left = deadline - time.monotonic()
        if broken or left <= 0:
            return HealthResult(ok=not broken, got=broken or f"it stayed up for {seconds:g} s")
        time.sleep(min(WATCH_SECONDS, left))
