"""Runs `git` and `docker` for the demo, and says in one sentence what did not work."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path


class DemoError(Exception):
    """The demo cannot go on; the message says why and what to do."""


def output(*argv: str, folder: Path | None = None, env: Mapping[str, str] | None = None) -> bytes:
    """What the command prints, with `env` on top of the user's. Raises DemoError with its last line where it fails."""
    # What a Git hook sets, GIT_DIR or GIT_INDEX_FILE, would lead the demo's commits into the user's repository.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(argv, cwd=folder, env={**kept, **(env or {})}, capture_output=True, check=False)
    except OSError as error:
        raise DemoError(f"{argv[0]} cannot be run: {error}.") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise DemoError(f"`{' '.join(argv)}` failed: {said[-1] if said else f'exit status {done.returncode}'}")
    return done.stdout


def text(*argv: str) -> str:
    """As `output`, decoded and stripped."""
    return output(*argv).decode(errors="replace").strip()
