"""Tells the world how a run ended: log, annotation, report, step summary and, last of all, the outputs."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from freshness.ci.log import Log
from freshness.ci.outputs import Outputs
from freshness.core.check import Check, CheckResult
from freshness.core.run import Run
from freshness.core.secret import redacted
from freshness.errors import OutputError
from freshness.report.check_lines import MARKS, left_to_say, not_reached
from freshness.report.forge import Forge
from freshness.report.json_report import Report, content_of, write_report, write_text
from freshness.report.summary import append_summary, render_summary

Told = TypeVar("Told")
KEEP_REPORTS = 100
"""Where the settings cannot be read."""


class Publisher(Struct, frozen=True, kw_only=True):
    """Where a run's end is told. Made before the run starts, so that its times are the whole run's.

    `forge` is there where pull request or commit are told as well, `answer` where the caller wants the report on
    standard output, `report_file` where in a file.
    """

    command: str
    env: Mapping[str, str]
    log: Log
    outputs: Outputs
    keep_reports: int = KEEP_REPORTS
    forge: Forge | None = None
    answer: Callable[[str], None] | None = None
    report_file: Path | None = None
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: float = field(default_factory=time.monotonic)

    def tell(
        self,
        decision: str,
        reason: str,
        outputs: Mapping[str, str],
        *,
        fine: bool,
        done: bool = False,
        **found: Any,
    ) -> None:
        """Publishes the decision; `found` are the other fields of the Report.

        The outputs are the last thing that is written: what fails before leaves the gate closed. Where something was
        `done` already, all else is told all the same. Raises OutputError.
        """
        seconds, reason = time.monotonic() - self.started, redacted(reason)
        found["checks"] = tuple(map(_redacted, found.get("checks", ())))
        found["notes"] = tuple(map(redacted, found.get("notes", ())))
        report = Report(
            command=self.command, decision=decision, reason=reason, started_at=self.started_at, seconds=seconds, **found
        )
        path = self._try(partial(write_report, report, self.env, keep=self.keep_reports), done=done)
        if missing := not_reached(report.checks):
            self.log.say(missing, style="dim")
        self._log(report, path, fine=fine)
        summary = Run.of(self.env).step_summary
        text = render_summary(report, self.env)
        self._try(partial(append_summary, Path(summary) if summary else None, text), done=done)
        self._try(partial(self._tell_programs, content_of(report, self.env)), done=done)
        for note in self.forge.end(report) if self.forge else ():
            self.log.warning("The forge was not told", note)
        self.outputs.write({**outputs, "reason": reason, "report-path": str(path or "")})

    def _try(self, tell: Callable[[], Told], *, done: bool) -> Told | None:
        """What it gives; where it cannot be written, and something was done, a warning and None. Raises OutputError."""
        try:
            return tell()
        except OutputError as error:
            if not done:
                raise
            self.log.warning("Not all could be told", str(error))
        return None

    def tell_ahead(self, ahead: str, why: str) -> None:
        """Says what a run would do, or `why` it would not; nothing else is written."""
        self._tell_programs({"command": self.command, "ahead": ahead.splitlines(), "reason": why})
        if why:
            self.log.error(f"{self.command}: dry run", f"Dry run: nothing was written. It would end here. {why}")
            return
        self.log.say(f"Dry run: nothing was written. Nothing speaks against it; it would\n{ahead}", loud=True)

    def _tell_programs(self, content: Mapping[str, object]) -> None:
        text = json.dumps(content, indent=2)
        if self.answer:
            self.answer(text)
        if self.report_file:
            write_text(self.report_file, f"{text}\n", mode="a")

    def _log(self, report: Report, path: Path | None, *, fine: bool) -> None:
        if path:
            self.log.say(f"Report: {path}", style="dim")
        title = f"{report.command}: {report.decision}"
        if not fine and self.log.actions:
            self.log.error(title, report.reason)
            return
        mark = MARKS[CheckResult.PASSED if fine else CheckResult.FAILED]
        self.log.say(f"{mark} {title}", style="bold green" if fine else "bold red", loud=True)
        if left := left_to_say(report.reason, report.checks):
            self.log.say(left, loud=True)


def _redacted(check: Check) -> Check:
    return replace(
        check,
        got=redacted(check.got),
        expected=redacted(check.expected),
        remedy=redacted(check.remedy),
        output=tuple(map(redacted, check.output)),
    )
