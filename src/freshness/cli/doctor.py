"""The command `doctor`: everything that a deployment needs, looked at at once, a line for each finding."""

import json
import sys
from collections.abc import Callable, Mapping

from msgspec.structs import asdict

from freshness.ci.sanitizing import one_line
from freshness.cli.opening import find_terminal
from freshness.cli.streams import answer
from freshness.core.finding import Finding, Level, exit_status, summary
from freshness.core.secret import redacted

_MARKS = {Level.OK: "✓", Level.NOTE: "!", Level.PROBLEM: "✗", Level.UNCHECKED: "-"}
_STYLES = {Level.OK: "green", Level.NOTE: "yellow", Level.PROBLEM: "bold red", Level.UNCHECKED: "dim"}


def run_doctor(
    given: Mapping[str, str | None],
    env: Mapping[str, str],
    env_file: Mapping[str, str],
    *,
    as_json: bool,
    quiet: bool,
) -> int:
    """Prints the findings as they come, or all of them as one JSON object; the exit status.

    `quiet` leaves out what is fine.
    """
    from freshness.doctor.examine import examine
    from freshness.doctor.settings import Asked

    found: list[Finding] = []
    say = (lambda _line, _style: None) if as_json else _printer(env)
    for one in examine(Asked(given=given, run_env=env, env_file=env_file)):
        found.append(one)
        if not (quiet and one.level is Level.OK):
            say(f"{_MARKS[one.level]} {one}", _STYLES[one.level])
    say(f"freshness doctor: {summary(found)}", "bold")
    if as_json:
        answer(json.dumps(_as_object(found), indent=2))
    return exit_status(found)


def _as_object(found: list[Finding]) -> dict[str, object]:
    findings = [{name: _plain(value) for name, value in asdict(one).items()} for one in found]
    return {"exit_status": exit_status(found), "findings": findings}


def _printer(env: Mapping[str, str]) -> Callable[[str, str], None]:
    """Writes one line, with a style where a person watches. Raises OutputError where nobody gets it."""
    terminal = find_terminal(sys.stdout, env)
    if terminal is None:
        return lambda line, _style: answer(_plain(line))
    return lambda line, style: terminal.write(_plain(line), style)


def _plain(text: str) -> str:
    """What others wrote stands in it, and ends no line."""
    return one_line(redacted(text))
