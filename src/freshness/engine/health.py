"""Waits until a container answers its health path, or its HEALTHCHECK says healthy."""

import time
from contextlib import nullcontext
from dataclasses import dataclass, field

from freshness.core.answer import Answer, Heard, more_telling
from freshness.core.compose import Target
from freshness.core.image import Image
from freshness.core.pace import pause_after, silent_pause
from freshness.engine.address import Address, refuse_unaskable
from freshness.engine.client import Engine
from freshness.engine.containers import Container, find_container
from freshness.engine.http_probe import ask
from freshness.engine.vantage import Vantage
from freshness.errors import Refused
from freshness.settings.model import Health

WATCH_SECONDS = 0.25  # between two looks at the container
AGAIN_SECONDS = 5.0  # for one more good answer of what was healthy before
LAST_SECONDS = 1.0  # before the deadline, for a last question


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthResult:
    """Whether it got healthy, and what was seen last."""

    ok: bool
    got: str


def refuse_unknowable(
    health: Health, target: Target, image: Image, previous: Image | None = None, former: Target | None = None
) -> None:
    """Raises Refused where neither a health path nor a HEALTHCHECK could ever tell: nothing found is never fine.

    That goes for `previous` as well, which would have to be proven on the way back, as the target `former`.
    """
    if health.path is not None:
        return
    if not _has_healthcheck(target, image):
        raise Refused(
            "the health path is `none`, and neither the image nor the Compose file has a HEALTHCHECK.",
            "Give the image a HEALTHCHECK, or set `health-path`.",
        )
    if previous and not _has_healthcheck(former or target, previous):
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
    return _wait(engine, target, container, health, vantage, health.deadline)


def ask_once_more(
    engine: Engine, target: Target, container: Container, health: Health, vantage: Vantage
) -> HealthResult:
    """One more good answer from what was healthy before, soon; and it is the same container still, behind that."""
    again = _wait(engine, target, container, health, vantage, min(health.deadline, max(health.interval, AGAIN_SECONDS)))
    broken = again.ok and _broken(container, find_container(engine, container.id))
    return HealthResult(ok=False, got=broken) if broken else again


def _wait(
    engine: Engine, target: Target, container: Container, health: Health, vantage: Vantage, seconds: float
) -> HealthResult:
    with vantage.facing(engine, target, container) if health.path else nullcontext() as address:
        wait = _Wait(engine=engine, container=container, health=health, address=address, seconds=seconds)
        while True:
            result = wait.look()
            if result:
                return result
            wait.pause()


@dataclass(slots=True, kw_only=True)
class _Wait:
    """One wait for health, of so many `seconds`.

    `seen` is the most telling answer so far, `due` when the next question is.
    """

    engine: Engine
    container: Container
    health: Health
    address: Address | None
    seconds: float
    began: float = field(default_factory=time.monotonic)
    due: float = 0
    seen: Answer | None = None
    unhappy: int = 0

    @property
    def left(self) -> float:
        """Seconds to the deadline."""
        return self.began + self.seconds - time.monotonic()

    def look(self) -> HealthResult | None:
        """How the wait ended, or None where it goes on."""
        now = find_container(self.engine, self.container.id)
        broken = _broken(self.container, now)
        if broken or now is None:
            return HealthResult(ok=False, got=broken or "the container is gone")
        ok, got = self._ask() if self.address else _healthcheck(now)
        if ok and self.left > 0:
            return HealthResult(ok=True, got=got)
        if self.left <= 0:
            return HealthResult(ok=False, got=f"after {self.seconds:g} s {got}")
        return None

    def pause(self) -> None:
        """Until the next question is due; the container is looked at meanwhile."""
        now = time.monotonic()
        until = self.due if self.address else now + silent_pause(now - self.began)
        time.sleep(max(0, min(until - now, WATCH_SECONDS, self.left)))

    def _ask(self) -> tuple[bool, str]:
        """Asks if it is time to; whether the answer is good, and what is best said of all answers."""
        if self.address and self.health.path and time.monotonic() >= self.due:
            seconds = min(self.health.interval, max(self.left, 0.01))
            answer = ask(self.address, self.health.path, seconds)
            self.seen = more_telling(self.seen, answer, had_its_time=seconds == self.health.interval)
            self._plan_next(answer)
            return answer.is_good, self.seen.got
        return False, self.seen.got if self.seen else ""

    def _plan_next(self, answer: Answer) -> None:
        """When to ask again; the deadline is not waited for without a last question shortly before."""
        self.unhappy += answer.heard in {Heard.STATUS, Heard.NOISE}
        now = time.monotonic()
        wanted = now + pause_after(answer, answers=self.unhappy, elapsed=now - self.began)
        last = self.began + self.seconds - min(self.health.interval, LAST_SECONDS)
        self.due = min(wanted, last) if now < last else wanted


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
