"""What is asked of the gate, and how it ended."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from freshness.core.check import Check, CheckName
from freshness.core.decision import decide, explain, not_run
from freshness.core.verdict import Verdict
from freshness.errors import FreshnessError, Interrupted
from freshness.report.forge import Forge
from freshness.report.run_log import RunLog
from freshness.settings.model import GateSettings

if TYPE_CHECKING:
    from freshness.gate.plan import Plan

BACK_TO_DEVELOPMENT = "The work goes back to development; production stays as it is."


class Request(Struct, frozen=True, kw_only=True):
    """One gate. `run_env` is the run's own environment, `env` what our children inherit of it.

    `started` is the monotonic clock's, of the whole run.
    """

    settings: GateSettings
    run_env: Mapping[str, str]
    env: Mapping[str, str]
    forge: Forge
    dry_run: bool = False
    started: float = field(default_factory=time.monotonic)


class Result(Struct, frozen=True, kw_only=True):
    """How a gate ended. `found` are the fields of the Report that it could fill, `ahead` is what a dry run says."""

    verdict: Verdict
    reason: str
    exit_status: int
    checks: tuple[Check, ...]
    notes: tuple[str, ...]
    found: Mapping[str, Any]
    ahead: str = ""

    @classmethod
    def planned(cls, run: RunLog, plan: "Plan") -> "Result":
        """A dry run that found nothing against it: the gate stays closed."""
        return _result(run, Verdict.ERROR, "", 0, ahead=str(plan))

    @classmethod
    def decided(cls, run: RunLog) -> "Result":
        """Every check was made: the first one that did not pass names the verdict."""
        verdict = decide(run.checks)
        if verdict is Verdict.FRESH:
            return _result(run, verdict, _praise(run.checks), 0)
        return _result(run, verdict, _with_remedy(verdict, explain(run.checks)), run.steps.exit_status or 1)

    @classmethod
    def ended(cls, run: RunLog, error: FreshnessError | Interrupted) -> "Result":
        """It could not go on. Where a check failed before, a later error does not make that an error."""
        if isinstance(error, Interrupted):
            reason = f"The gate was interrupted. {_state_of_staging(run)}"
            return _result(run, Verdict.ERROR, reason, error.exit_status)
        if not run.steps.exit_status:  # it belongs to no check
            return _result(run, error.verdict, str(error), error.exit_status)
        return cls.decided(run)


def _result(run: RunLog, verdict: Verdict, reason: str, exit_status: int, *, ahead: str = "") -> Result:
    return Result(
        verdict=verdict,
        reason=reason,
        exit_status=exit_status if verdict is Verdict.ERROR or not exit_status else 1,
        checks=(*run.checks, *not_run(run.checks)),
        notes=tuple(run.notes),
        found=dict(run.found),
        ahead=ahead,
    )


def _with_remedy(verdict: Verdict, why: str) -> str:
    return why if verdict is Verdict.ERROR else f"{why} {BACK_TO_DEVELOPMENT}"


def _praise(checks: tuple[Check, ...]) -> str:
    passed: dict[CheckName, list[str]] = {}
    for check in checks:
        passed.setdefault(check.name, []).append(check.got)
    said = {name: "; ".join(dict.fromkeys(got)) for name, got in passed.items()}
    published = f" Published: {said[CheckName.REGISTRY]}." if CheckName.REGISTRY in said else ""
    return (
        f"Staging runs {said[CheckName.BUILD]}. It is healthy ({said[CheckName.HEALTH]}) and passed its check"
        f" ({said[CheckName.STAGING_CHECK]}). Commit: {said[CheckName.COMMIT]}.{published}"
    )


def _state_of_staging(run: RunLog) -> str:
    """What an interrupt leaves behind."""
    if "throwaway" in run.found:
        return (
            f"The throwaway project {run.found['throwaway']} is removed, by the next such gate where it is not by now."
        )
    container = run.found.get("container")
    if container:
        return f"Staging runs {container['image_id']} in the container {container['name']}; it was not proven."
    if run.is_under_way(CheckName.RECREATION):
        return "Compose was recreating staging, and comes to its end by itself; look with `freshness status`."
    return "Staging was not touched: it runs what it ran before."
