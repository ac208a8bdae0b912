"""One look of the doctor: what it raises is a finding too, so that the next look goes on."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from freshness.core.finding import Area, Finding, Level
from freshness.errors import FreshnessError, SettingsError, wrap_unexpected_errors

Value = TypeVar("Value")


def tried(area: Area, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """What the look finds, up to what it raises; of several problems that were found at once each is a finding."""
    try:
        with wrap_unexpected_errors():
            yield from look()
    except FreshnessError as error:
        yield from findings_of(area, error)


def attempt(area: Area, find: Callable[[], Value]) -> tuple[Value | None, tuple[Finding, ...]]:
    """The value that the next looks need, or None and why there is none."""
    try:
        with wrap_unexpected_errors():
            return find(), ()
    except FreshnessError as error:
        return None, tuple(findings_of(area, error))


def findings_of(area: Area, error: FreshnessError) -> Iterator[Finding]:
    """What a gate or a promotion would end with."""
    problems = error.problems if isinstance(error, SettingsError) else ()
    for one in problems:
        yield Finding(area=area, level=Level.PROBLEM, got=one)
    if not problems:
        yield Finding(area=area, level=Level.PROBLEM, got=str(error.args[0]).strip(), remedy=error.remedy)


def fine(area: Area, got: str) -> Finding:
    return Finding(area=area, level=Level.OK, got=got)


def note(area: Area, got: str, remedy: str = "") -> Finding:
    return Finding(area=area, level=Level.NOTE, got=got, remedy=remedy)


def problem(area: Area, got: str, remedy: str) -> Finding:
    return Finding(area=area, level=Level.PROBLEM, got=got, remedy=remedy)


def unchecked(area: Area, got: str) -> Finding:
    return Finding(area=area, level=Level.UNCHECKED, got=f"not checked: {got}")
