"""What is asked for, and how it ended."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from freshness.core.check import Check
from freshness.core.decision import explain
from freshness.core.image import Image
from freshness.core.lock import Record
from freshness.core.promotion import PromotionOutcome
from freshness.core.scope import in_scope
from freshness.errors import FreshnessError, Interrupted, LockLost, Refused
from freshness.report.run_log import RunLog
from freshness.settings.model import PromoteSettings


class Request(Struct, frozen=True, kw_only=True):
    """A promotion, or with `is_rollback` a rollback to the newest that no rollback has left, or to `rollback_to`.

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
        if not settings.scope.enabled or not in_scope(settings.repository, settings.scope.repos):
            return None
        claimed = candidate.revision(settings.source.label) if self.is_rollback else settings.expected_revision
        return claimed or (None if settings.reading.allow_unverified else "a commit id")

    @property
    def why_unguarded(self) -> str:
        """Why the guard is not in force."""
        if not self.settings.scope.enabled:
            return "ORCH_IMAGE_FRESHNESS_ENABLED is false"
        if not in_scope(self.settings.repository, self.settings.scope.repos):
            return f"{self.settings.repository} is out of the scope of ORCH_IMAGE_FRESHNESS_REPOS"
        return "--allow-unverified was given"


class Recovered(Struct, frozen=True, kw_only=True):
    """What became of a run that was interrupted: `done` in a sentence, for the reason of what ends next.

    `undo_to` are its records by the Engine's ID and by their locks, where it could not be undone: the next plan undoes
    to what last served.
    """

    done: str
    undo_to: Mapping[str, dict[str, Record]] = field(default_factory=dict)


class Result(Struct, frozen=True, kw_only=True):
    """How a run ended. `image` is production's tag, `image_id` what was proven to run, `previous_image_id` what ran.

    These are of the service that was named first; `revision` is the commit that the label of what was to run claims,
    `images` has what was proven to run of each, `hosts` what each Docker host runs by its name. `ahead` is what a
    dry run says, `recovered` became of earlier runs. What was not found out is empty.
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
    hosts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    recovered: tuple[Recovered, ...] = ()

    @classmethod
    def of(
        cls, run: RunLog, outcome: PromotionOutcome, reason: str, status: int | None = None, **found: Any
    ) -> "Result":
        """With all that was told so far."""
        return cls(
            outcome=outcome,
            reason=reason,
            exit_status=outcome.exit_status if status is None else status,
            checks=run.checks,
            notes=tuple(run.notes),
            **{**run.found, **found},
        )

    @classmethod
    def ended(cls, run: RunLog, error: FreshnessError | Interrupted) -> "Result":
        """It ended before its own first write."""
        recovered = run.found.get("recovered") or (Recovered(done="Nothing was changed."),)
        reason = f"{why(run, error)} {' '.join(one.done for one in recovered)}"
        if any(one.undo_to for one in recovered):
            status = error.exit_status if isinstance(error, Interrupted) else None
            return cls.of(run, PromotionOutcome.STRANDED, reason, status)
        refused = isinstance(error, Refused)
        outcome = PromotionOutcome.REFUSED if refused else PromotionOutcome.ERROR
        return cls.of(run, outcome, reason, error.exit_status)


def why(run: RunLog, error: FreshnessError | Interrupted) -> str:
    """What ended the run, in words."""
    if isinstance(error, Interrupted):
        return "The promotion was interrupted."
    if isinstance(error, LockLost):
        return str(error)
    return explain(run.checks) if run.steps.exit_status else str(error)
