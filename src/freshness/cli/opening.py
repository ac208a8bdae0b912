"""How a gate and a promotion begin: closed, and ending in an orderly way when a signal arrives."""

import sys
from collections.abc import Mapping
from pathlib import Path

from freshness.ci.log import Log
from freshness.ci.outputs import Outputs
from freshness.process.signals import raise_on_signals
from freshness.report.publish import Publisher

Given = Mapping[str, str | None]


def output_file(env: Mapping[str, str]) -> Path | None:
    path = env.get("GITHUB_OUTPUT")
    return Path(path) if path else None


def open_run(command: str, env: Mapping[str, str], outputs: Outputs) -> Publisher:
    """Closes the gate before anything is read or printed (I5), and lets signals end the run in an orderly way."""
    outputs.close_gate()
    raise_on_signals()
    return Publisher(
        command=command, env=env, log=Log(sys.stdout, actions=env.get("GITHUB_ACTIONS") == "true"), outputs=outputs
    )
