"""Finds the host's own file of settings: outside every checkout, so that no commit can write it."""

import os
from collections.abc import Mapping
from pathlib import Path

from freshness.core.repository_name import name_of
from freshness.core.scope import is_repository_name
from freshness.settings.declaration import Surroundings

SYSTEM = Path("/etc")
LARGEST = 1_000_000  # bytes


def host_file(repository: str, env: Mapping[str, str]) -> Path | None:
    """Where the file of this repository (`owner/name`) is: the user's where there is one, else the system's.

    None where no repository is named, as in a shell without GITHUB_REPOSITORY.
    """
    name = name_of(repository)
    if not is_repository_name(name):
        return None
    home = env.get("XDG_CONFIG_HOME") or (f"{env['HOME']}/.config" if env.get("HOME") else "")
    folders = [folder for folder in (Path(home), SYSTEM) if folder.is_absolute()]
    paths = [folder / "freshness" / f"{name}.toml" for folder in folders]
    return next((path for path in paths if path.is_file()), paths[-1])


def read_host_file(path: Path, surroundings: Surroundings) -> str:
    """Its text, empty where there is none; why it cannot be read, or may not be taken, is added to the problems."""
    real = Path(os.path.realpath(path))
    try:
        if real.stat().st_size > LARGEST:
            surroundings.refuse(f"{path} is longer than a file of settings can be.", "Check what it is.")
            return ""
        if real.is_relative_to(os.path.realpath(surroundings.workspace)):
            remedy = "Keep the host's own settings outside the workspace, where commits are checked out."
            surroundings.refuse(f"{path} leads into the workspace; expected a file that no commit can write.", remedy)
            return ""
        return real.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        surroundings.refuse(f"{path} cannot be read: {why}.", "Let the user of this run read it.")
        return ""
