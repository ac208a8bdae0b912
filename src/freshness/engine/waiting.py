"""One wait for health: when to probe, which answer says most, and what makes waiting pointless."""

import time

from msgspec import Struct, field

from freshness.core.answer import Answer, AnswerKind, more_informative
from freshness.core.healthcheck import describe_unhealthy, describe_waiting
from freshness.core.pace import pause_after, silent_pause
from freshness.engine.address import Address
from freshness.engine.client import Engine
from freshness.engine.containers import Container, find_container
from freshness.engine.http_probe import ask
from freshness.engine.listeners import explain_no_answer
from freshness.settings.model import Health

WATCH_SECONDS = 0.25  # between two looks at the container
LAST_SECONDS = 1.0  # before the deadline, for a last question


class HealthResult(Struct, frozen=True, kw_only=True):
    """Whether it got healthy, and what was seen last."""

    ok: bool
    got: str


class Wait(Struct, kw_only=True):
    """One wait for health, of so many `seconds`.

    `seen` is the most telling answer so far, `due` when the next question is.
    """

    engine: Engine
    container: Container
    health: Health
    address: Address | None
    port: int
    seconds: float
    began: float = field(default_factory=time.monotonic)
    due: float = 0
    seen: Answer | None = None
    unhappy: int = 0

    @property
    def left(self) -> float:
        """Seconds to the deadline."""
        return self.began + self.seconds - time.monotonic()

    def poll(self) -> HealthResult | None:
        """How the wait ended, or None where it goes on."""
        now = find_container(self.engine, self.container.id)
        broken = why_broken(self.container, now)
        if broken or now is None:
            return HealthResult(ok=False, got=broken or "the container is gone")
        ok, got = self._ask() if self.address else _told(now, self.health)
        if ok and self.left > 0:
            return HealthResult(ok=True, got=got)
        if self.left <= 0:
            return HealthResult(ok=False, got=f"after {self.seconds:g} s {got}{self._why()}")
        return None

    def pause(self) -> None:
        """Until the next question is due; the container is looked at meanwhile."""
        now = time.monotonic()
        until = self.due if self.address else now + silent_pause(now - self.began)
        time.sleep(max(0, min(until - now, WATCH_SECONDS, self.left)))

    def _ask(self) -> tuple[bool, str]:
        """Probes if it is time to; whether the answer is good, and the most informative one so far."""
        if self.address and self.health.path and time.monotonic() >= self.due:
            seconds = min(self.health.interval, max(self.left, 0.01))
            answer = ask(self.address, self.health.path, seconds, self.health.question)
            self.seen = more_informative(self.seen, answer, had_its_time=seconds == self.health.interval)
            self._plan_next(answer)
            return answer.is_good, self.seen.got
        return False, self.seen.got if self.seen else ""

    def _why(self) -> str:
        """What the container itself shows of a port that nobody answers on."""
        if self.address is None or self.seen is None:
            return ""
        why = explain_no_answer(self.engine, self.container, self.address, self.port, self.seen)
        return f"; {why}" if why else ""

    def _plan_next(self, answer: Answer) -> None:
        """When to ask again; the deadline is not waited for without a last question shortly before."""
        self.unhappy += answer.kind in {AnswerKind.STATUS, AnswerKind.NOT_HTTP}
        now = time.monotonic()
        wanted = now + pause_after(answer, answers=self.unhappy, elapsed=now - self.began)
        last = self.began + self.seconds - min(self.health.interval, LAST_SECONDS)
        self.due = min(wanted, last) if now < last else wanted


def why_broken(before: Container, now: Container | None) -> str | None:
    """What makes waiting pointless, in words."""
    if now is None:
        return "the container is gone"
    if now.restarts != before.restarts or now.started_at != before.started_at or now.status == "restarting":
        status = "" if now.runs else f" (exit status {now.exit_code})"  # it reads 0 once it runs again
        return f"the container restarted{status}"
    if not now.runs:
        why = "it ran out of memory" if now.is_out_of_memory else f"exit status {now.exit_code}"
        return f"the container is {now.status} ({why})"
    if now.health == "unhealthy":
        return describe_unhealthy(now.healthcheck, now.start_period)
    return None


def _told(now: Container, health: Health) -> tuple[bool, str]:
    if health.is_running_enough:
        return True, "running, which is all that is asked"
    return now.health == "healthy", describe_waiting(now.health, now.healthcheck)
