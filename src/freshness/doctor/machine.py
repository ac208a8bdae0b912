"""Looks at this machine and at Docker's plugins."""

import importlib.util
import platform
import shutil
from collections.abc import Iterator, Mapping

from freshness.core.diagnosis import LEAST_PLUGINS, judge_clock, judge_space, judge_version
from freshness.core.finding import Area, Finding
from freshness.doctor.trial import fine, note, unchecked
from freshness.engine.facts import Facts
from freshness.engine.plugin import PACKAGES, plugin_version

_TOOLS = {
    "git": ("the checkout action and `git rev-parse` need it", "apt-get install git"),
    "node": ("the checkout action needs it where jobs run on this machine", "apt-get install nodejs"),
}


def look_at_machine(env: Mapping[str, str]) -> Iterator[Finding]:
    """What the tool and its actions run with."""
    yield fine(Area.MACHINE, f"Python {platform.python_version()} (3.11 or newer is needed).")
    if importlib.util.find_spec("ensurepip") is None:
        told = "Python lacks its `venv` module, with which the actions install their dependencies."
        yield note(Area.MACHINE, told, "apt-get install python3-venv")
    for name, (why, remedy) in _TOOLS.items():
        found = shutil.which(name, path=env.get("PATH"))
        if found:
            yield fine(Area.MACHINE, f"{name} is {found}.")
        else:
            yield note(Area.MACHINE, f"there is no {name} on the PATH; {why}.", remedy)


def look_at_plugin(name: str, env: Mapping[str, str]) -> Iterator[Finding]:
    """Raises EngineError where it is missing."""
    said = plugin_version(name, env)
    yield judge_version(Area.PLUGINS, name, said, LEAST_PLUGINS[name], f"Install a newer {PACKAGES[name]}.")


def look_at_disk_and_clock(facts: Facts, *, is_here: bool) -> Iterator[Finding]:
    """`is_here`: the Engine's files are this machine's, seen from here."""
    yield judge_clock(facts.skew)
    if not is_here:
        yield unchecked(Area.MACHINE, f"the space at {facts.root}, where Docker keeps its data: not seen from here.")
        return
    space = shutil.disk_usage(facts.root)
    yield judge_space(space.free, space.total, facts.root)
