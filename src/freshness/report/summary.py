"""Renders the step summary in Markdown, with every foreign value escaped, and appends it to the runner's file."""

import re
from pathlib import Path

from freshness.ci.sanitizing import one_line
from freshness.core.check import CheckResult
from freshness.errors import OutputError
from freshness.report.json_report import Report

_LARGEST = 900_000  # bytes; the runners drop a summary over 1 MiB as a whole
_CELL = 600  # characters
_MOST = 200  # checks and notes that are shown
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~$])")
# Where a renderer makes a link or a mention by itself, also of text that it decoded before: `://`, `www.` and `@`.
_BY_ITSELF = re.compile(r"(:)//|(www)\.|@", re.IGNORECASE)
_BREAK = "&#8203;"  # a space without width
_MARKS = {CheckResult.PASSED: "✅", CheckResult.FAILED: "❌", CheckResult.ERROR: "⚠️", CheckResult.NOT_RUN: "⏭️"}


def render_summary(report: Report) -> str:
    """The report for a person: the decision, why, what was found, each check, the notes. Always below 1 MiB."""
    lines = [f"## {escaped(report.command)}: {escaped(report.decision)}", "", escaped(report.reason, limit=8000), ""]
    lines += [f"* {name}: {escaped(value)}" for name, value in _facts(report)]
    if report.checks:
        lines += ["", "| | check | got | expected | seconds |", "| --- | --- | --- | --- | ---: |"]
        lines += [
            f"| {_MARKS[check.result]} | {escaped(check.name)} | {escaped(check.got)} | {escaped(check.expected)} "
            f"| {check.seconds:.1f} |"
            for check in report.checks[:_MOST]
        ]
    lines += ["", *(f"* {escaped(note)}" for note in report.notes[:_MOST])]
    left_out = max(0, len(report.checks) - _MOST) + max(0, len(report.notes) - _MOST)
    if left_out:
        lines += ["", f"{left_out} more are in the report and the log."]
    return _cut("\n".join(lines).rstrip() + "\n")


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
            "Look at the free space and the permissions of the runner's folder.",
        ) from error


def escaped(text: str, limit: int = _CELL) -> str:
    """The text on one line, with neither Markdown, HTML, nor links that open by themselves."""
    plain = one_line(text, limit).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _BY_ITSELF.sub(_broken, _MARKDOWN.sub(r"\\\1", plain))


def _broken(found: re.Match[str]) -> str:
    if found[1]:
        return f":{_BREAK}&#47;&#47;"
    return f"{found[2]}{_BREAK}." if found[2] else f"&#64;{_BREAK}"


def _facts(report: Report) -> list[tuple[str, str]]:
    revision = report.revision
    facts = {
        "commit": revision and f"{revision.commit}, from {revision.source}",
        "tree": revision and revision.tree,
        "image": report.image,
        "image ID": report.image_id,
        "previous image ID": report.previous_image_id,
        "Docker Engine": report.daemon_id,
    }
    return [(name, value) for name, value in facts.items() if value]


def _cut(text: str) -> str:
    data = text.encode("utf-8", "replace")
    if len(data) <= _LARGEST:
        return text
    return (
        data[:_LARGEST].decode("utf-8", "ignore").rpartition("\n")[0] + "\n\nThe rest is in the report and the log.\n"
    )
