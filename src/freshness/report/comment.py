"""What the pull request and the commit are told of a run, in Markdown and in one line."""

from collections.abc import Mapping

from freshness.core.check import Check, CheckResult
from freshness.core.promotion import PromotionOutcome
from freshness.core.run import Run
from freshness.core.verdict import Verdict
from freshness.report.json_report import Report
from freshness.report.markdown import link
from freshness.report.summary import render_summary

GATE = "freshness gate"
LARGEST = 60_000  # bytes; GitHub refuses more than 65,536 characters
LONGEST_DESCRIPTION = 140  # characters; GitHub refuses more, and shows about 75
_HEADLINES: Mapping[str, str] = {
    Verdict.FRESH: "Deployable: staging runs this commit",
    Verdict.DISABLED: "Not proven: the gate is switched off",
    Verdict.OUT_OF_SCOPE: "Not proven: this repository is out of scope",
    Verdict.REFUSED: "Not deployable: the commit was refused",
    Verdict.BUILD_FAILED: "Not deployable: the build failed",
    Verdict.STALE: "Not deployable: staging does not run this build",
    Verdict.UNHEALTHY: "Not deployable: staging is not healthy",
    Verdict.CHECK_FAILED: "Not deployable: the staging check failed",
    Verdict.SUPERSEDED: "Not deployable: it is not the pull request's head any more",
    Verdict.ERROR: "Not decided: it could not work",
    PromotionOutcome.PROMOTED: "Promoted: production runs this commit",
    PromotionOutcome.UNCHANGED: "Unchanged: production runs this commit already",
    PromotionOutcome.ROLLED_BACK: "Not promoted: what ran before serves again",
    PromotionOutcome.STRANDED: "Production needs a person: neither the commit nor what ran before is proven to serve",
}
_GOOD = frozenset({Verdict.FRESH, PromotionOutcome.PROMOTED, PromotionOutcome.UNCHANGED})


def headline(report: Report) -> str:
    """The decision, for whoever has never seen this tool."""
    if report.decision == PromotionOutcome.REFUSED and report.command != GATE:
        return "Not promoted: it was refused, and production stays as it is"
    return _HEADLINES.get(report.decision, f"{report.command}: {report.decision}")


def render_comment(report: Report, env: Mapping[str, str]) -> str:
    """The decision first, why, and the culprit's last lines; all checks are folded away."""
    return render_summary(report, env, title=headline(report), folded=True, largest=LARGEST)


def render_beginning(commit: str, env: Mapping[str, str]) -> str:
    """What stands there while a gate is at work."""
    run = link("Its run", env, "actions", "runs", Run.of(env).id)
    return f"## ⏳ A gate is at work\n\nIt builds, starts and checks {link(commit, env, 'commit', commit)}. {run}.\n"


def describe(report: Report) -> str:
    """The verdict first, and the check that decided: a description that forges show cut."""
    bad = next((check for check in report.checks if _is_bad(check)), None)
    return f"{report.decision}: {bad.name}: {bad.got}"[:LONGEST_DESCRIPTION] if bad else report.decision


def state_of(report: Report) -> str | None:
    """The state of the commit's status; None for what opens without a proof, which must satisfy no protection."""
    if report.decision in {Verdict.DISABLED, Verdict.OUT_OF_SCOPE}:
        return None
    if report.decision == Verdict.ERROR:
        return "error"
    return "success" if report.decision in _GOOD else "failure"


def _is_bad(check: Check) -> bool:
    return check.result in {CheckResult.FAILED, CheckResult.ERROR}
