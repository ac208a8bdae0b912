"""Docker's plugins, buildx and Compose: which ones a test has, found as the product finds them."""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from freshness.engine.plugin import SYSTEM_FOLDERS, find_plugin
from freshness.errors import EngineError

NAMES = ("buildx", "compose")


def program(name: str) -> Path:
    """The program of this test's plugin."""
    return Path(find_plugin(name, os.environ))


def own(env: Mapping[str, str]) -> dict[str, Path]:
    """The plugins that a person keeps for themselves; a test has another home, and sees the system's alone."""
    found: dict[str, Path] = {}
    for name in NAMES:
        with contextlib.suppress(EngineError):
            path = Path(find_plugin(name, env))
            if str(path.parent) not in SYSTEM_FOLDERS:
                found[name] = path
    return found


def install(programs: Mapping[str, Path], home: Path) -> None:
    """Puts plugins into a home, where they come before the system's."""
    for name, path in programs.items():
        _place(home, name).symlink_to(path)


def replace(name: str, script: str) -> None:
    """Lets a shell script stand in this test's home for the plugin, whose program is `$PLUGIN` to it."""
    plugin = program(name).resolve()
    place = _place(Path(os.environ["HOME"]), name)
    place.unlink(missing_ok=True)
    place.write_text(f"#!/bin/sh\nPLUGIN={plugin}\n{script}\n")
    place.chmod(0o755)


def _place(home: Path, name: str) -> Path:
    folder = home / ".docker/cli-plugins"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"docker-{name}"
