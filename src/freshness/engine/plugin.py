"""Finds Docker's command-line plugins, buildx and Compose.

They are started directly, not through `docker`: the Docker command line of Engine 20.10 leaves its plugin running when
it is killed itself, and would be one process more to start.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from freshness.errors import EngineError
from freshness.process.children import read
from freshness.process.search_path import is_outside

# The order in which the Docker command line looks (docker/cli, cli-plugins/manager, on Unix).
SYSTEM_FOLDERS = (
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)
# Without it buildx takes DOCKER_HOST from its environment, but neither DOCKER_TLS_VERIFY nor DOCKER_CERT_PATH. Its
# first word is its own name then.
STARTED_BY_DOCKER = {"DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND": "docker"}
VERSION_SECONDS = 30
PACKAGES = {
    "buildx": "docker-buildx-plugin (or docker-buildx)",
    "compose": "docker-compose-plugin (or docker-compose 2)",
}


def find_plugin(name: str, env: Mapping[str, str]) -> str:
    """The path of the plugin's program. Raises EngineError where `docker` or the plugin is missing."""
    if shutil.which("docker", path=env.get("PATH")) is None:
        raise EngineError(
            "The Docker command line (`docker`) is not on the PATH (the workspace and relative folders do not count).",
            "Install it on the runner or in the job's image, with buildx and Compose v2.",
        )
    passed_over = []
    for folder in _folders(env):
        program = Path(folder, f"docker-{name}")
        if os.access(program, os.X_OK):
            if is_outside(folder, env):
                return str(program)
            passed_over.append(str(program))
    but = f" but for {' and '.join(passed_over)}, which lies in the workspace" if passed_over else ""
    raise EngineError(
        f"Docker's plugin `{name}` is not installed{but}.", f"Install {PACKAGES[name]} where the job runs."
    )


def plugin_version(name: str, env: Mapping[str, str]) -> str:
    """What the plugin says of its version. Raises EngineError where it is missing or does not run."""
    status, out, err = read([find_plugin(name, env), "version"], env, VERSION_SECONDS)
    if status != 0:
        said = (err or out).strip().splitlines()[-1:] or ["nothing"]
        raise EngineError(f"Docker's plugin `{name}` does not run: {said[0]}.", f"Install {PACKAGES[name]} again.")
    return out.strip()


def _folders(env: Mapping[str, str]) -> Iterator[str]:
    config = Path(env.get("DOCKER_CONFIG") or Path(env.get("HOME", "/"), ".docker"))
    yield str(config / "cli-plugins")
    try:
        extra = json.loads((config / "config.json").read_text()).get("cliPluginsExtraDirs") or ()
    except (OSError, ValueError, AttributeError):
        extra = ()
    yield from (folder for folder in extra if isinstance(folder, str))
    yield from SYSTEM_FOLDERS
