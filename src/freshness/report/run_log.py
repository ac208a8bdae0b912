"""What a run tells as it goes: its checks, notes, and what it found out. It is only ever added to."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, ParamSpec, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from freshness.ci.log import Log
from freshness.core.check import Check, CheckName, CheckResult
from freshness.report.check_lines import FOLDED, WAITING, tell_check
from freshness.report.steps import Found, Step, Steps

Value = TypeVar("Value")
Given = ParamSpec("Given")
CLEANING_UP = "cleaning up"


@contextmanager
def _telling(log: Log, steps: Steps, name: CheckName, expected: str, place: str) -> Iterator[None]:
    """The log says how the check ended that the block records, and where, and a terminal what is waited for."""
    log.take_last()
    before, has_passed = len(steps.checks), False
    try:
        with log.ticking(f"{name}: {expected}", fold=name in FOLDED) if name in WAITING else nullcontext():
            yield
        has_passed = steps.checks[-1].result is CheckResult.PASSED
    finally:
        log.unfold(show=not has_passed)
        for number in range(before, len(steps.checks)):  # one, or none where an interrupt came
            check = steps.checks[number]
            if check.result is not CheckResult.PASSED:
                check = steps.checks[number] = replace(check, output=log.take_last())
            tell_check(log, replace(check, got=f"{check.got}, on {place}") if place else check)


class RunLog(Struct, frozen=True, kw_only=True):
    """The record of one run. `found` are fields of its Result or Report by their names, `begun` the checks begun.

    `place` is the Docker host that checks are of, empty where there is only one.
    """

    log: Log
    steps: Steps = field(default_factory=Steps)
    notes: list[str] = field(default_factory=list)
    found: dict[str, Any] = field(default_factory=dict)
    begun: list[CheckName] = field(default_factory=list)
    place: str = ""

    @property
    def checks(self) -> tuple[Check, ...]:
        """The checks that have ended."""
        return tuple(self.steps.checks)

    @contextmanager
    def step(self, name: CheckName, expected: str) -> Iterator[Step]:
        """Records the block as a check; the log says how it ended, and a terminal what is waited for.

        What it raises is recorded and goes on, as a FreshnessError, to the caller.
        """
        self.begun.append(name)
        expected = f"{expected}, on {self.place}" if self.place else expected
        with _telling(self.log, self.steps, name, expected, self.place), self.steps.step(name, expected) as step:
            yield step

    def check(
        self,
        name: CheckName,
        expected: str,
        find: Callable[Given, Found[Value]],
        /,
        *args: Given.args,
        **kwargs: Given.kwargs,
    ) -> Value:
        """As `step`, of a function; returns the value that it found, also where it failed."""
        with self.step(name, expected) as step:
            found = find(*args, **kwargs)
            step.verdict, step.got, step.remedy = found.verdict, found.got, found.remedy
        return found.value

    def is_under_way(self, name: CheckName) -> bool:
        """Whether this check was begun and has not ended: an interrupt came in between."""
        return self.begun[-1:] == [name] and len(self.begun) > len(self.steps.checks)

    def note(self, *texts: str) -> None:
        """For report and summary, and a line of the log each; nothing twice, and nothing where it is empty."""
        for text in self._new(texts):
            self.log.note(text)

    def warn(self, title: str, text: str) -> None:
        """A note, and a warning in the log."""
        for new in self._new([text]):
            self.log.note(new, warning=title)

    def _new(self, texts: Iterable[str]) -> Iterator[str]:
        for text in texts:
            if text and text not in self.notes:
                self.notes.append(text)
                yield text

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Adds what the block takes to the report's `phases`: what is no check, and takes its time."""
        before = time.monotonic()
        try:
            yield
        finally:
            self.add_phase(name, time.monotonic() - before)

    def add_phase(self, name: str, seconds: float) -> None:
        """As `phase`."""
        phases = self.found.setdefault("phases", {})
        phases[name] = phases.get(name, 0.0) + seconds

    @contextmanager
    def cleaning_up(self) -> Iterator[None]:
        """What comes between the last check and the block's end is the phase of this name."""
        try:
            yield
        finally:
            if self.checks:
                self.add_phase(CLEANING_UP, time.monotonic() - self.steps.ended)
