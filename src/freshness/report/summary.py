"""Renders the step summary, what went wrong first, and appends it to the runner's file."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from freshness.core.check import Check, CheckResult
from freshness.core.hexid import with_short_ids
from freshness.core.run import Run
from freshness.core.state import State, state_of
from freshness.errors import OutputError
from freshness.report.check_lines import took
from freshness.report.json_report import Report
from freshness.report.markdown import escaped, fenced, in_cell, link, with_code

_LARGEST = 900_000  # bytes; the runners drop a summary over 1 MiB as a whole
_FOLD, _UNFOLD = ("<details><summary>All checks</summary>", ""), "\n</details>\n"
_REASON = 8000  # characters
_SHORT = 12  # digits of a commit's id
_SUBJECT = 100  # characters
_MOST = 200  # checks and notes that are shown
_BAD = {CheckResult.FAILED, CheckResult.ERROR}
_MARKS = {CheckResult.PASSED: "✅", CheckResult.FAILED: "❌", CheckResult.ERROR: "⚠️", CheckResult.NOT_RUN: "⏭️"}


def render_summary(
    report: Report, env: Mapping[str, str], *, title: str = "", folded: bool = False, largest: int = _LARGEST
) -> str:
    """The report for a person: the decision, of what, why with the culprit's last lines, what to do, and all the rest.

    `env` is the run's own environment, for links. `folded`: the rest opens when it is asked for. Never more than
    `largest` bytes.
    """
    lines = [f"## {_mark(report)} {escaped(title or f'{report.command}: {report.decision}')}", ""]
    lines += [*_about(report, env), *_why(report), "", *(_FOLD if folded else ()), *_table(report.checks), ""]
    lines += [f"* {name}: {value}" for name, value in _facts(report, env)]
    lines += [f"* {with_code(with_short_ids(note))}" for note in report.notes[:_MOST]]
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
    """Fine, not fine, or not known."""
    match state_of(report.decision):
        case State.SUCCESS:
            return _MARKS[CheckResult.PASSED]
        case State.FAILURE:
            return _MARKS[CheckResult.FAILED]
        case _:
            return _MARKS[CheckResult.ERROR]


def _table(checks: Sequence[Check]) -> Iterator[str]:
    """A row for each check that ended; those that did not run share one."""
    if not checks:
        return
    yield from ("| check | result |", "| --- | --- |")
    for check in [one for one in checks if one.result is not CheckResult.NOT_RUN][:_MOST]:
        wanted = "" if check.result is CheckResult.PASSED or not check.expected else f"; expected {check.expected}"
        got = in_cell(with_short_ids(f"{check.got}{wanted}"))
        yield f"| {_MARKS[check.result]}&nbsp;{escaped(check.name)} | {got}{took(check)} |"
    missing = ", ".join(check.name for check in checks if check.result is CheckResult.NOT_RUN)
    if missing:
        yield f"| {_MARKS[CheckResult.NOT_RUN]}&nbsp;not reached | {escaped(missing)} |"


def _about(report: Report, env: Mapping[str, str]) -> Iterator[str]:
    """The commit with its subject, and the run, on one line."""
    run, commit = Run.of(env), report.revision or report.candidate
    parts = []
    if commit:
        subject = escaped(report.revision.subject, _SUBJECT) if report.revision else ""
        parts.append(f"Commit {link(commit.commit[:_SHORT], env, 'commit', commit.commit)} {subject}".rstrip())
    if run.id:
        parts.append(link(f"run {run.number or run.id}", env, "actions", "runs", run.id))
    if parts:
        yield from (" · ".join(parts), "")


def _why(report: Report) -> Iterator[str]:
    """The reason. Where one check failed, its output comes between what happened and what to do."""
    bad = [check for check in report.checks if check.result in _BAD]
    remedy = bad[0].remedy if len(bad) == 1 else ""
    told, found, rest = report.reason.partition(remedy) if remedy else (report.reason, "", "")
    yield with_code(with_short_ids(told), _REASON)
    for check in report.checks:
        yield from fenced(check.output)
    if found:
        yield from ("", f"**What to do:** {with_code(with_short_ids(remedy), _REASON)}")
    if rest.strip():
        yield from ("", with_code(with_short_ids(rest), _REASON))


def _facts(report: Report, env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if report.revision:
        commit = link(report.revision.commit, env, "commit", report.revision.commit)
        yield "commit", f"{commit}, from {escaped(report.revision.source)}"
    plain = {
        "image": report.image,
        "image ID": report.image_id,
        "previous image ID": report.previous_image_id,
        "Docker Engine": report.daemon_id,
    }
    yield from ((name, escaped(value)) for name, value in plain.items() if value)


def _cut(text: str, largest: int) -> str:
    data = text.encode("utf-8", "replace")
    if len(data) <= largest:
        return text
    return data[:largest].decode("utf-8", "ignore").rpartition("\n")[0] + "\n\nThe rest is in the report and the log.\n"
