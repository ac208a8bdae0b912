"""Docker's plugins, buildx and Compose: which ones a test has, found as the product finds them."""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from freshness.engine.plugin import SYSTEM_FOLDERS, find_plugin
from freshness.errors import EngineError
from tests.support.engines import ROOT

NAMES = ("buildx", "compose")
UNPACKED = ROOT / ".cache/sid/plugins"
CURRENT = {name: UNPACKED / f"usr/libexec/docker/cli-plugins/docker-{name}" for name in NAMES}
"""Debian sid's: newer ones than most machines have, where Compose decides otherwise (`--renew-anon-volumes`)."""


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


def why_no_current() -> str | None:
    """Why the current plugins are not here, or None."""
    if (UNPACKED / ".complete").exists():
        return None
    return f"{UNPACKED.relative_to(ROOT)} is missing; `make test` puts it there where apt has a Debian mirror"


def install(programs: Mapping[str, Path], home: Path) -> None:
    """Puts plugins into a home, where they come before the system's."""
    for name, path in programs.items():
        place = _place(home, name)
        place.unlink(missing_ok=True)
        place.symlink_to(path)


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
