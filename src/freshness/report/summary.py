"""Renders the step summary, what went wrong first, and appends it to the runner's file."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from freshness.core.check import Check, CheckResult
from freshness.core.hexid import with_short_ids
from freshness.core.run import Run
from freshness.errors import OutputError
from freshness.report.check_lines import took
from freshness.report.json_report import Report
from freshness.report.markdown import escaped, fenced, link

_LARGEST = 900_000  # bytes; the runners drop a summary over 1 MiB as a whole
_FOLD, _UNFOLD = ("<details><summary>All checks</summary>", ""), "\n</details>\n"
_SUBJECT = 100  # characters
_MOST = 200  # checks and notes that are shown
_MARKS = {CheckResult.PASSED: "✅", CheckResult.FAILED: "❌", CheckResult.ERROR: "⚠️", CheckResult.NOT_RUN: "⏭️"}


def render_summary(
    report: Report, env: Mapping[str, str], *, title: str = "", folded: bool = False, largest: int = _LARGEST
) -> str:
    """The report for a person: the decision, why, the culprit's last lines, what was found, checks, notes.

    `env` is the run's own environment, for links. `folded`: checks and notes open when they are asked for. Never more
    than `largest` bytes.
    """
    lines = [f"## {_mark(report)} {escaped(title or f'{report.command}: {report.decision}')}", ""]
    lines += [escaped(report.reason, limit=8000)]
    for check in report.checks:
        lines += fenced(check.output)
    lines += ["", *(f"* {name}: {value}" for name, value in _facts(report, env))]
    lines += [
        "",
        *(_FOLD if folded else ()),
        *_table(report.checks),
        "",
        *(f"* {escaped(note)}" for note in report.notes[:_MOST]),
    ]
    left_out = max(0, len(report.checks) - _MOST) + max(0, len(report.notes) - _MOST)
    if left_out:
        lines += ["", f"{left_out} more are in the report and the log."]
    end = _UNFOLD if folded else ""
    return _cut("\n".join(lines).rstrip() + "\n", largest - len(end)) + end


def append_summary(path: Path | None, text: str) -> None:
    """Appends to the file of GITHUB_STEP_SUMMARY, if there is one. Raises OutputError."""
    if path is None:
        return
    try:
        with path.open("a", encoding="utf-8", errors="replace") as file:
            file.write(f"\n{text}")
    except (OSError, ValueError) as error:
        raise OutputError(
            f"The step summary cannot be written to {str(path)!r}: {error}.",
            "Check the free space and the permissions of the runner's folder.",
        ) from error


def _mark(report: Report) -> str:
    """That of the first check that did not pass."""
    bad = (check.result for check in report.checks if check.result in {CheckResult.FAILED, CheckResult.ERROR})
    if any(check.result is CheckResult.NOT_RUN for check in report.checks):
        return _MARKS[next(bad, CheckResult.ERROR)]
    return _MARKS[next(bad, CheckResult.PASSED)]


def _table(checks: Sequence[Check]) -> Iterator[str]:
    """A row for each check that ended; those that did not run share one."""
    if not checks:
        return
    yield from ("| check | result |", "| --- | --- |")
    for check in [one for one in checks if one.result is not CheckResult.NOT_RUN][:_MOST]:
        wanted = "" if check.result is CheckResult.PASSED or not check.expected else f"; expected {check.expected}"
        got = escaped(with_short_ids(f"{check.got}{wanted}"))
        yield f"| {_MARKS[check.result]} {escaped(check.name)} | {got}{took(check)} |"
    missing = ", ".join(check.name for check in checks if check.result is CheckResult.NOT_RUN)
    if missing:
        yield f"| {_MARKS[CheckResult.NOT_RUN]} not reached | {escaped(missing)} |"


def _facts(report: Report, env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    revision = report.revision
    if revision:
        commit = link(revision.commit, env, "commit", revision.commit)
        subject = f" {escaped(revision.subject, _SUBJECT)}" if revision.subject else ""
        yield "commit", f"{commit}{subject}, from {escaped(revision.source)}"
    plain = {
        "image": report.image,
        "image ID": report.image_id,
        "previous image ID": report.previous_image_id,
        "Docker Engine": report.daemon_id,
    }
    yield from ((name, escaped(value)) for name, value in plain.items() if value)
    run = Run.of(env)
    if run.id:
        yield "run", link(f"#{run.number or run.id}", env, "actions", "runs", run.id)


def _cut(text: str, largest: int) -> str:
    data = text.encode("utf-8", "replace")
    if len(data) <= largest:
        return text
    return data[:largest].decode("utf-8", "ignore").rpartition("\n")[0] + "\n\nThe rest is in the report and the log.\n"
