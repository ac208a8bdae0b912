"""Runs the command line in this process, and writes where its time went, and how much memory it took at most.

`stopwatch.py RESULT PYTHON -I SRC WORDS…` runs `freshness WORDS` from SRC; RESULT is the file for the seconds, as JSON.
"""

import functools
import json
import resource
import sys
import time
from collections import defaultdict
from pathlib import Path
from types import ModuleType

BEGAN = time.perf_counter()


def main() -> None:
    result, _, _, source, *words = sys.argv[1:]
    sys.path.insert(0, source)
    from freshness.cli import main as cli

    spent: defaultdict[str, float] = defaultdict(float)
    watch(spent)
    ready = time.perf_counter()
    sys.argv = ["freshness", *words]
    try:
        cli.main()
    finally:
        spent["imports"], spent["work"] = ready - BEGAN, time.perf_counter() - ready
        spent["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        Path(result).write_text(json.dumps(spent))


def watch(spent: defaultdict[str, float]) -> None:
    """Adds up what the children take, and the wait for the application; `healthy at` is the monotonic clock's."""
    from freshness.engine import compose
    from freshness.engine.build import Building
    from freshness.engine.compose_config import ConfigReading
    from freshness.gate import proof
    from freshness.promotion import work as switch
    from freshness.registry.transport import Transport

    time_calls(spent, ConfigReading, "end", "configuration")
    time_calls(spent, compose, "finish", "recreation")
    time_calls(spent, Building, "end", "build")
    time_calls(spent, Transport, "ask", "registry")
    time_calls(spent, proof, "run_staging_check", "check")
    time_calls(spent, proof, "wait_hold_time", "hold")
    for story in (proof, switch):
        time_calls(spent, story, "wait_until_healthy", "application")


def time_calls(spent: defaultdict[str, float], module: ModuleType | type, name: str, part: str) -> None:
    called = getattr(module, name)

    @functools.wraps(called)
    def timed(*values: object, **named: object) -> object:
        before = time.perf_counter()
        try:
            return called(*values, **named)
        finally:
            spent[part] += time.perf_counter() - before
            spent[f"{part} ended at"] = time.monotonic()

    setattr(module, name, timed)


if __name__ == "__main__":
    main()
