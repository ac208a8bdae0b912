"""What is asked for, what is told on the way, and how it ended."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from freshness.ci.log import Log
from freshness.core.check import Check, CheckName
from freshness.core.decision import explain
from freshness.core.image import Image
from freshness.core.lock import Record
from freshness.core.promotion import PromotionOutcome
from freshness.core.scope import in_scope
from freshness.errors import FreshnessError, Interrupted, LockLost, Refused
from freshness.report.run_log import telling
from freshness.report.steps import Step, Steps
from freshness.settings.model import PromoteSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A promotion, or with `is_rollback` a way back: to the newest that no rollback has left, or to `rollback_to`.

    `run_env` is the run's own environment, `env` what our children inherit of it.
    """

    settings: PromoteSettings
    env: Mapping[str, str]
    run_env: Mapping[str, str]
    is_rollback: bool = False
    rollback_to: str | None = None
    dry_run: bool = False

    def expected(self, candidate: Image) -> str | None:
        """The commit to prove (words that no label says, where there is none); None where the guard is not in force."""
        settings = self.settings
        if not settings.enabled or not in_scope(settings.repository, settings.repos):
            return None
        claimed = candidate.revision(settings.revision_label) if self.is_rollback else settings.expected_revision
        return claimed or (None if settings.allow_unverified else "a commit id")

    @property
    def why_unguarded(self) -> str:
        """Why the guard is not in force."""
        if not self.settings.enabled:
            return "ORCH_IMAGE_FRESHNESS_ENABLED is false"
        if not in_scope(self.settings.repository, self.settings.repos):
            return f"{self.settings.repository} is out of the scope of ORCH_IMAGE_FRESHNESS_REPOS"
        return "--allow-unverified was given"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a run ended. `image` is production's tag, `image_id` what was proven to run, `previous_image_id` what ran.

    These are of the service that was named first; `revision` is the commit that the label of what was to run claims,
    `images` has what was proven to run of each. `ahead` is what a dry
    run says. What was not found out is empty.
    """

    outcome: PromotionOutcome
    reason: str
    exit_status: int
    checks: tuple[Check, ...] = ()
    notes: tuple[str, ...] = ()
    image: str = ""
    image_id: str = ""
    previous_image_id: str = ""
    images: Mapping[str, str] = field(default_factory=dict)
    daemon_id: str = ""
    revision: str = ""
    ahead: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What became of a run that was interrupted: `done` in a sentence, for the reason of what ends next.

    `undo_to` are its records by their locks, where it could not be undone: what last served is the next plan's way
    back.
    """

    done: str
    undo_to: Mapping[str, Record] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionLog:
    """What a run tells as it goes: it is only ever added to. `found` are values for the Result, by their names."""

    log: Log
    steps: Steps = field(default_factory=Steps)
    notes: list[str] = field(default_factory=list)
    recovered: list[Recovered] = field(default_factory=list)
    found: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def step(self, name: CheckName, expected: str) -> Iterator[Step]:
        """A step of the run, as `Steps.step`."""
        with telling(self.log, self.steps, name, expected), self.steps.step(name, expected) as step:
            yield step

    def note(self, text: str) -> None:
        """For log, report and summary, each once."""
        if text and text not in self.notes:
            self.notes.append(text)
            self.log.say(f"note: {text}")

    def warning(self, title: str, text: str) -> None:
        """A note, and a warning in the log."""
        if text and text not in self.notes:
            self.notes.append(text)
            self.log.warning(title, text)

    def result(self, outcome: PromotionOutcome, reason: str, status: int | None = None, **found: Any) -> Result:
        """The run's end, with all that was told so far."""
        return Result(
            outcome=outcome,
            reason=reason,
            exit_status=outcome.exit_status if status is None else status,
            checks=tuple(self.steps.checks),
            notes=tuple(self.notes),
            **{**self.found, **found},
        )

    def why(self, error: FreshnessError | Interrupted) -> str:
        """What ended the run, in words."""
        if isinstance(error, Interrupted):
            return "The promotion was interrupted."
        if isinstance(error, LockLost):
            return str(error)
        return explain(self.steps.checks) if self.steps.exit_status else str(error)

    def ended(self, error: FreshnessError | Interrupted) -> Result:
        """The run's end before its own first write."""
        recovered = self.recovered or [Recovered(done="Nothing was changed.")]
        reason = f"{self.why(error)} {' '.join(one.done for one in recovered)}"
        if any(one.undo_to for one in recovered):
            status = error.exit_status if isinstance(error, Interrupted) else None
            return self.result(PromotionOutcome.STRANDED, reason, status)
        refused = isinstance(error, Refused)
        outcome = PromotionOutcome.REFUSED if refused else PromotionOutcome.ERROR
        return self.result(outcome, reason, error.exit_status)
