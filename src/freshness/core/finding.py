"""What `freshness doctor` found: each a sentence, with what to do where something is to be done."""

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct


class Level(StrEnum):
    """What a finding means. `UNCHECKED` is what cannot be seen from here; it says nothing for or against."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"
    UNCHECKED = "unchecked"


class Area(StrEnum):
    """Where something was looked at, in the order of the looks."""

    MACHINE = "machine"
    PLUGINS = "plugins"
    ENGINE = "Engine"
    SETTINGS = "settings"
    COMMIT = "commit"
    STAGING = "staging"
    PRODUCTION = "production"
    STATE = "state"
    RUNNER = "runner"
    FORGE = "forge"
    REGISTRY = "registry"


class Finding(Struct, frozen=True, kw_only=True):
    """`got` is what was found, `remedy` what to do about it, where that is not said in `got` already."""

    area: Area
    level: Level
    got: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.area}: {self.got}{f' {self.remedy}' if self.remedy else ''}"


def exit_status(findings: Iterable[Finding]) -> int:
    """1 where a gate or a promotion would refuse, else 0."""
    return int(any(one.level is Level.PROBLEM for one in findings))


def summary(findings: Iterable[Finding]) -> str:
    """How it stands, in a sentence."""
    levels = [one.level for one in findings]
    problems = levels.count(Level.PROBLEM)
    more = {"note": levels.count(Level.NOTE), "unchecked": levels.count(Level.UNCHECKED)}
    rest = ", ".join(
        filter(None, [_count(more["note"], "note"), f"{more['unchecked']} not checked" * bool(more["unchecked"])])
    )
    head = f"{_count(problems, 'problem')}: a gate or a promotion would refuse" if problems else "no problem found"
    return f"{head}{f' ({rest})' if rest else ''}."


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'s' if number > 1 else ''}" if number else ""
