"""Where programs are taken from: absolute folders outside the workspace, in which the commit's author writes."""

import os
from collections.abc import Mapping
from pathlib import Path

from freshness.core.run import Run


def with_safe_path(env: Mapping[str, str]) -> dict[str, str]:
    """`env` with a PATH of such folders alone; all that looks for a program, our children too, finds it by this one."""
    if "PATH" not in env:
        return dict(env)
    kept = [entry for entry in env["PATH"].split(os.pathsep) if is_outside(entry, env)]
    return {**env, "PATH": os.pathsep.join(kept) or os.defpath}


def is_outside(folder: str | Path, env: Mapping[str, str]) -> bool:
    """Whether a program there is none of the commit's: the path is absolute, and leads nowhere into the workspace."""
    if not Path(folder).is_absolute():
        return False
    real = Path(os.path.realpath(folder))
    return not any(real.is_relative_to(os.path.realpath(place)) for place in _workspaces(env))


def _workspaces(env: Mapping[str, str]) -> list[Path]:
    """The runner's workspace; on a command line the Git work tree around the working directory."""
    cwd = _working_directory()
    trees = [folder for folder in (cwd, *cwd.parents) if (folder / ".git").exists()][:1]
    given = Path(Run.of(env).workspace)
    return [*trees, *([given] if given.is_absolute() and given != Path("/") else [])]


def _working_directory() -> Path:
    """Also where it was removed meanwhile: whoever goes back then still needs Compose (proc(5), /proc/pid/cwd)."""
    return Path(str(Path("/proc/self/cwd").readlink()).removesuffix(" (deleted)"))
