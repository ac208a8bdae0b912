"""What the pull request and the commit are told of a run, in Markdown and in one line."""

from collections.abc import Mapping
from datetime import datetime

from freshness.ci.sanitizing import one_line
from freshness.core.check import Check, CheckResult
from freshness.core.hexid import with_short_ids
from freshness.core.promotion import PromotionOutcome
from freshness.core.run import Run
from freshness.core.verdict import Verdict
from freshness.report.json_report import Report
from freshness.report.markdown import link
from freshness.report.summary import render_summary

GATE, ROLLBACK = "freshness gate", "freshness rollback"
LARGEST = 60_000  # bytes; GitHub refuses more than 65,536 characters
LONGEST_DESCRIPTION = 140  # characters; GitHub refuses more, and both forges show about 75
_OF_GATE: Mapping[str, str] = {
    Verdict.FRESH: "Deployable: staging runs this commit",
    Verdict.DISABLED: "Not proven: the gate is switched off",
    Verdict.OUT_OF_SCOPE: "Not proven: this repository is out of scope",
    Verdict.REFUSED: "Not deployable: the commit was refused",
    Verdict.BUILD_FAILED: "Not deployable: the build failed",
    Verdict.STALE: "Not deployable: staging does not run this build",
    Verdict.UNHEALTHY: "Not deployable: staging is not healthy",
    Verdict.CHECK_FAILED: "Not deployable: the staging check failed",
    Verdict.SUPERSEDED: "Not deployable: it is not the pull request's head any more",
    Verdict.ERROR: "Not decided: the gate could not do its work",
}
_OF_PROMOTION: Mapping[str, str] = {
    PromotionOutcome.PROMOTED: "Promoted: production runs this commit",
    PromotionOutcome.UNCHANGED: "Unchanged: production runs this commit already",
    PromotionOutcome.REFUSED: "Not promoted: it was refused, and production stays as it is",
    PromotionOutcome.ROLLED_BACK: "Not promoted: what ran before serves again",
    PromotionOutcome.STRANDED: "Production needs a person: neither the new image nor the one before is proven to serve",
    PromotionOutcome.ERROR: "Not promoted: the promotion could not do its work",
}
_OF_ROLLBACK: Mapping[str, str] = {
    **_OF_PROMOTION,
    PromotionOutcome.PROMOTED: "Rolled back: production runs this earlier commit again",
    PromotionOutcome.REFUSED: "Not rolled back: it was refused, and production stays as it is",
    PromotionOutcome.ROLLED_BACK: "Not rolled back: what ran before serves again",
    PromotionOutcome.ERROR: "Not rolled back: the rollback could not do its work",
}
_BEGINNINGS = {GATE: "Being checked: staging is built from this commit"}
_BEGINNING = "Being promoted: production gets this commit"


def headline(report: Report) -> str:
    """The decision, for whoever has never seen this tool."""
    words = {GATE: _OF_GATE, ROLLBACK: _OF_ROLLBACK}.get(report.command, _OF_PROMOTION)
    return words.get(report.decision, f"{report.command}: {report.decision}")


def render_comment(report: Report, env: Mapping[str, str]) -> str:
    """The decision first, why, and the culprit's last lines; all checks are folded away."""
    return render_summary(report, env, title=headline(report), folded=True, largest=LARGEST)


def render_beginning(command: str, commit: str, env: Mapping[str, str], now: datetime) -> str:
    """What stands there while a run is at work, and for ever where it is cancelled: its token is dead then."""
    title = _BEGINNINGS.get(command, _BEGINNING)
    run = Run.of(env)
    parts = [f"Commit {link(commit[:12], env, 'commit', commit)}"]
    parts += [link(f"run {run.number or run.id}", env, "actions", "runs", run.id)] if run.id else []
    return (
        f"## ⏳ {title}\n\n{' · '.join([*parts, f'since {now:%Y-%m-%d %H:%M} UTC'])}\n\n"
        "This comment will say how it ended. Where the run was cancelled it stays like this until the next one.\n"
    )


def describe(report: Report) -> str:
    """The verdict first, and the check that decided: a description that forges show cut."""
    bad = next((check for check in report.checks if _is_bad(check)), None)
    return describe_decision(report.decision, f"{bad.name}: {bad.got}" if bad else report.reason)


def describe_decision(decision: str, why: str) -> str:
    """As `describe`, of a decision that was handed on. A whole id alone would fill what is shown."""
    return one_line(f"{decision}: {with_short_ids(why)}" if why else decision, LONGEST_DESCRIPTION)


def _is_bad(check: Check) -> bool:
    return check.result in {CheckResult.FAILED, CheckResult.ERROR}
