"""How a gate and a promotion begin: closed, and ending in an orderly way when a signal arrives."""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from freshness import BEGUN
from freshness.ci.log import Log
from freshness.ci.outputs import Outputs
from freshness.cli.streams import answer
from freshness.core.revision import Candidate
from freshness.core.run import Run
from freshness.process.signals import raise_on_signals
from freshness.report.forge import Forge
from freshness.report.json_report import write_text
from freshness.report.publish import Publisher
from freshness.settings.model import GateSettings, PromoteSettings

if TYPE_CHECKING:
    from freshness.ci.terminal import Terminal

Given = Mapping[str, str | None]


def output_file(env: Mapping[str, str]) -> Path | None:
    path = Run.of(env).output
    return Path(path) if path else None


def open_run(command: str, env: Mapping[str, str], outputs: Outputs) -> Publisher:
    """Closes the gate before anything is read or printed (I5), and lets signals end the run in an orderly way."""
    outputs.close_gate()
    raise_on_signals()
    actions, chosen = Run.of(env).actions == "true", click.get_current_context().meta
    started = time.monotonic() if "noted" in chosen else BEGUN  # a deployment's second run begins in its middle
    stream = sys.stderr if chosen.get("json") else sys.stdout
    log = Log(
        stream,
        actions=actions,
        quiet=bool(chosen.get("quiet")),
        terminal=None if actions else find_terminal(stream, env),
        noted=chosen.setdefault("noted", set()),
    )
    return Publisher(
        command=command,
        env=env,
        log=log,
        outputs=outputs,
        answer=answer if chosen.get("json") else None,
        report_file=_empty_once(chosen),
        started=started,
    )


def _empty_once(chosen: dict[str, Any]) -> Path | None:
    """The file of `--report`. Both halves of a deployment write to it, and nobody takes an earlier run's for theirs.

    Raises OutputError where it cannot be written, before anything is done.
    """
    path: Path | None = chosen.get("report")
    if path and not chosen.get("report_is_empty"):
        write_text(path, "")
        chosen["report_is_empty"] = True
    return path


def find_terminal(stream: TextIO | None, env: Mapping[str, str]) -> "Terminal | None":
    """Where a person watches, and rich is installed."""
    if stream is None or not stream.isatty() or env.get("TERM", "dumb") == "dumb" or env.get("CI"):
        return None
    try:
        from freshness.ci.terminal import open_terminal
    except ImportError:
        return None
    return open_terminal(stream, env)


def forge_of(command: str, settings: GateSettings | PromoteSettings, env: Mapping[str, str]) -> Forge:
    """What pull request and commit are told with; a promotion's are those of its settings.

    A promotion edits the comment of the gate whose image it takes: an application has one.
    """
    project, services, promoted, environment = settings.compose.project, settings.services, None, None
    if isinstance(settings, PromoteSettings):
        project = settings.staging_project or project
        services = tuple(settings.staging_of(service) for service in services)
        promoted, environment = candidate_of(settings, settings.expected_revision), settings.deployment
    return Forge(
        command=command,
        env=env,
        token=settings.source.token,
        application="/".join(name for name in (project, ",".join(services)) if name),
        comments=settings.forge.comments,
        context=settings.forge.context,
        promoted=promoted,
        environment=environment,
    )


def candidate_of(settings: PromoteSettings, commit: str | None) -> Candidate | None:
    """The commit that a promotion is about, with the pull request that the settings name."""
    return Candidate(commit=commit, source="", event="", note="", number=settings.head.pr) if commit else None
