"""Waits until a container answers its health path, or its HEALTHCHECK says healthy."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass

from freshness.core.compose import Target
from freshness.core.image import Image
from freshness.engine.address import Address, refuse_unaskable
from freshness.engine.client import Engine
from freshness.engine.containers import Container, find_container
from freshness.engine.vantage import Vantage
from freshness.errors import Refused
from freshness.settings.model import Health

# Between two looks. The target is to notice health within 0.1 s of the first good answer.
PAUSE_SECONDS = 0.04
WATCH_SECONDS = 0.5
SUCCESS = range(200, 300)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthResult:
    """Whether it got healthy, and what was seen last."""

    ok: bool
    got: str


def refuse_unknowable(health: Health, target: Target, image: Image, previous: Image | None = None) -> None:
    """Raises Refused where neither a health path nor a HEALTHCHECK could ever tell: nothing found is never fine.

    That goes for `previous` as well, which would have to be proven on the way back.
    """
    if health.path is not None:
        return
    if not _has_healthcheck(target, image):
        raise Refused(
            "the health path is `none`, and neither the image nor the Compose file has a HEALTHCHECK.",
            "Give the image a HEALTHCHECK, or set `health-path`.",
        )
    if previous and not _has_healthcheck(target, previous):
        raise Refused(
            f"the health path is `none`, and the image that production runs, {previous.id}, has no HEALTHCHECK: going"
            " back to it could never be proven.",
            "Set `health-path`, or give the service a `healthcheck:` in the Compose file.",
        )


def _has_healthcheck(target: Target, image: Image) -> bool:
    """What the Compose file says of it goes first; where it names no test, the image's own is run."""
    said = target.healthcheck or {}
    test = said.get("test") or (image.healthcheck or {}).get("Test") or ("NONE",)
    return not said.get("disable") and test[0] != "NONE"


def refuse_unreachable(engine: Engine, health: Health, target: Target, vantage: Vantage) -> None:
    """Raises SettingsError where the health path of a remote target could never be asked from here, EngineError."""
    if health.path is not None and vantage.job is None:
        refuse_unaskable(engine, target)


def wait_until_healthy(
    engine: Engine, target: Target, container: Container, health: Health, vantage: Vantage
) -> HealthResult:
    """Asks again and again until the deadline; an exit, a restart or `unhealthy` ends it at once.

    One request takes at most the health settings' interval.
    """
    deadline = time.monotonic() + health.deadline
    with vantage.facing(engine, target, container) if health.path else nullcontext() as address:
        got = f"no answer from {address}" if address else ""
        while True:
            now = find_container(engine, container.id)
            broken = _broken(container, now)
            if broken or now is None:
                return HealthResult(ok=False, got=broken or "the container is gone")
            left = deadline - time.monotonic()
            ok, seen = (
                _ask(address, health.path, min(health.interval, max(left, 0.01)))
                if address and health.path
                else _healthcheck(now)
            )
            got = seen or got
            left = deadline - time.monotonic()
            if ok and left > 0:
                return HealthResult(ok=True, got=got)
            if left <= 0:
                return HealthResult(ok=False, got=f"{got} after {health.deadline:g} s")
            time.sleep(min(PAUSE_SECONDS, left))


def stay_healthy(engine: Engine, container: Container, seconds: float) -> HealthResult:
    """Looks for `seconds` whether the container is still what it was; an exit, a restart or `unhealthy` ends it."""
    deadline = time.monotonic() + seconds
    while True:
        broken = _broken(container, find_container(engine, container.id))
        left = deadline - time.monotonic()
        if broken or left <= 0:
            return HealthResult(ok=not broken, got=broken or f"it stayed for {seconds:g} s")
        time.sleep(min(WATCH_SECONDS, left))


def _broken(before: Container, now: Container | None) -> str | None:
    """What makes waiting pointless, in words."""
    if now is None:
        return "the container is gone"
    if now.restarts != before.restarts or now.started_at != before.started_at or now.status == "restarting":
        status = "" if now.runs else f" (exit status {now.exit_code})"  # it reads 0 once it runs again
        return f"the container restarted{status}"
    if not now.runs:
        return f"the container is {now.status} (exit status {now.exit_code})"
    if now.health == "unhealthy":
        return "the HEALTHCHECK says unhealthy"
    return None


def _healthcheck(now: Container) -> tuple[bool, str]:
    return now.health == "healthy", f"HEALTHCHECK {now.health or 'missing'}"


def _ask(address: Address, path: str, timeout: float) -> tuple[bool, str]:
    """One GET by address: no name to resolve, no proxy, no redirect followed. What takes too long says nothing new."""
    connection = http.client.HTTPConnection(address.host, address.port)
    try:
        connection.sock = address.connect(timeout)
        with _cut_after(connection.sock, timeout):
            connection.request("GET", path, headers={"User-Agent": "freshness", "Connection": "close"})
            status = connection.getresponse().status
    except TimeoutError:  # the last request has next to no time: what was seen before says more
        return False, ""
    except (OSError, http.client.HTTPException) as error:
        return False, f"{type(error).__name__} from {address}"
    finally:
        connection.close()
    return status in SUCCESS, f"HTTP {status} from {address}{path}"


@contextmanager
def _cut_after(sock: socket.socket, seconds: float) -> Iterator[None]:
    """Ends the whole exchange: a socket's own timeout begins anew with every byte that drips in."""

    def cut() -> None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
