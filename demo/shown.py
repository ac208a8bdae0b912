"""What one run of act showed, and what every gate and every promotion must have shown."""

from dataclasses import dataclass
from pathlib import Path

from demo.act import ActRun
from demo.claim import Claim, Row, judge
from demo.engine import Serving


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A row of the table, where the run's whole log is, and how long it took in seconds."""

    row: Row
    log: Path
    seconds: float


def shown(run: ActRun, step: str, expected: str, seen: str, claims: tuple[Claim, ...]) -> Shown:
    return Shown(row=judge(step, expected, seen, claims), log=run.log, seconds=run.seconds)


def gated(run: ActRun, revision: str, staging: Serving) -> tuple[Claim, ...]:
    """The gate is open, and staging runs and serves the revision that it names."""
    return (
        Claim(about="gate", got=run.output("gate", "gate"), expected="open"),
        Claim(about="verdict", got=run.output("gate", "verdict"), expected="fresh"),
        Claim(about="revision", got=run.output("gate", "revision"), expected=revision),
        Claim(about="staging's image", got=staging.image_id, expected=run.output("gate", "image-id")),
        Claim(about="staging's answer", got=staging.revision, expected=revision),
    )


def promoted(run: ActRun, revision: str, production: Serving) -> tuple[Claim, ...]:
    """Both jobs passed, and production runs the gate's image and serves its revision."""
    return (
        Claim(about="outcome", got=run.output("promote", "outcome"), expected="promoted"),
        Claim(about="the jobs that ran", got=run.results, expected={"gate": "success", "promote": "success"}),
        Claim(about="production's image", got=production.image_id, expected=run.output("gate", "image-id")),
        Claim(about="production's answer", got=production.revision, expected=revision),
    )


def failed(run: ActRun, job: str, status: int) -> tuple[Claim, ...]:
    """The last job that ran is this one, and its action ended with this exit status."""
    return (
        Claim(about="the last job", got=list(run.results.items())[-1:], expected=[(job, "failure")]),
        Claim(about="exit status", got=run.exit_statuses.get(job), expected=status),
    )
