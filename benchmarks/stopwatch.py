"""Runs the command line in this process, and writes where its time went, and how much memory it took at most.

`stopwatch.py RESULT PYTHON -I SRC WORDS…` runs `freshness WORDS` from SRC; RESULT is the file for the seconds, as JSON.
"""

import functools
import json
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

BEGAN = time.perf_counter()
_SERVED = {"wait_until_healthy": "application"}
WATCHED = {
    "freshness.engine.compose_config": {"ConfigReading.end": "configuration"},
    "freshness.engine.compose": {"finish": "recreation"},
    "freshness.engine.build": {"Building.end": "build"},
    "freshness.registry.transport": {"Transport.ask": "registry"},
    "freshness.gate.proof": {"run_staging_check": "check", "wait_hold_time": "hold", **_SERVED},
    "freshness.promotion.work": _SERVED,
}
"""What is timed in which module, and its part; `healthy at` is the monotonic clock's."""


def main() -> None:
    result, _, _, source, *words = sys.argv[1:]
    sys.path.insert(0, source)
    spent: defaultdict[str, float] = defaultdict(float)
    sys.meta_path.insert(0, Watch(spent))
    from freshness.cli import main as cli

    ready = time.perf_counter()
    sys.argv = ["freshness", *words]
    try:
        cli.main()
    finally:
        spent["imports"], spent["work"] = ready - BEGAN, time.perf_counter() - ready
        spent["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        Path(result).write_text(json.dumps(spent))


class Watch(MetaPathFinder):
    """Times calls once their module is imported, and imports none: what a gate imports while it waits stays there."""

    def __init__(self, spent: defaultdict[str, float]) -> None:
        self.spent = spent

    def find_spec(self, name: str, path: Sequence[str] | None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        """As Python's own finder."""
        spec = PathFinder.find_spec(name, path) if name in WATCHED else None
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_watch(module: ModuleType) -> None:
            execute(module)
            for place, part in WATCHED[name].items():
                *owners, called = place.split(".")
                time_calls(self.spent, functools.reduce(getattr, owners, module), called, part)

        spec.loader.exec_module = execute_and_watch  # type: ignore[method-assign]
        return spec


def time_calls(spent: defaultdict[str, float], module: Any, name: str, part: str) -> None:
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
