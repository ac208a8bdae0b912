"""What Compose is to read, and what it interpolates."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from msgspec import Struct

from freshness.settings import values
from freshness.settings.declaration import Surroundings, derived, setting

IN_ACTION = "FRESHNESS_ACTION"
"""Set by install.sh, which only the actions run."""
_HERE = "Paths are those of the machine or container in which the job runs: create or mount it there."


def _only_inputs(surroundings: Surroundings) -> bool:
    return bool(surroundings.env.get(IN_ACTION))


def _separator(surroundings: Surroundings) -> str:
    return "" if _only_inputs(surroundings) else surroundings.env.get("COMPOSE_PATH_SEPARATOR", "")


def _existing_files(paths: tuple[PurePosixPath, ...], surroundings: Surroundings) -> tuple[Path, ...]:
    found = tuple(surroundings.workspace / path for path in paths)
    for path in found:
        if not path.is_file():
            surroundings.refuse(f"`compose-env-files` (COMPOSE_ENV_FILES) names {path}; expected a file.", _HERE)
    return found


def _existing_folder(given: PurePosixPath | None, surroundings: Surroundings) -> Path | None:
    folder = surroundings.workspace / given if given else None
    if folder and not folder.is_dir():
        surroundings.refuse(f"`project-directory` (PROJECT_DIRECTORY) is {folder}; expected a folder.", _HERE)
    return folder


def _with_the_jobs(given: Mapping[str, str | None], surroundings: Surroundings) -> Mapping[str, str]:
    env = surroundings.env
    for name, value in given.items():
        if value is None and not env.get(name):  # as a secret that the forge does not have is
            message = f"`compose-env` (COMPOSE_ENV) names {name}; expected a variable of the job's `env:`."
            remedy = f"Give it a value there, or write {name}=VALUE, or {name}= if empty is meant."
            surroundings.refuse(message, remedy)
    return {name: env.get(name, "") if value is None else value for name, value in given.items()}


class ComposeSettings(Struct, frozen=True, kw_only=True):
    """What Compose is to read. `files` as they were given, empty where Compose's own rule finds them.

    `separator` stands between several files of one line. `folder` is the project's, None for the first file's.
    `variables` are set for Compose alone. With `only_inputs` (in the actions) no other variable is interpolated, but
    for those of `env_files`, which stand for `.env` where there are none. `project` is None where Compose says it.
    """

    files: tuple[str, ...] = setting(
        values.compose_files,
        "Compose file: a path in the workspace, or an absolute path on the host. Several, one a line (or"
        " `first.yaml:second.yaml`), are merged in order.",
        name="compose-file",
        multiline=True,
        shown_default="what Compose reads: `COMPOSE_FILE` of the `.env`, else `compose.yaml` and its override",
        common=True,
    )
    separator: str = derived(_separator)
    env_files: tuple[Path, ...] = setting(
        values.env_files,
        "Env files that the Compose file interpolates (Compose's `--env-file`), one a line; the last one wins.",
        name="compose-env-files",
        multiline=True,
        shown_default="`.env` beside the Compose file",
        resolve=_existing_files,
    )
    variables: Mapping[str, str] = setting(
        values.compose_variables,
        "Variables that the Compose file interpolates, one a line: `NAME=VALUE`, or `NAME` for a variable of the"
        " job's `env:`.",
        name="compose-env",
        multiline=True,
        sensitive=True,
        shown_default="none; on the command line every variable of the shell",
        resolve=_with_the_jobs,
    )
    folder: Path | None = setting(
        values.optional(values.host_path),
        "Project folder, where `.env`, `env_file:` and relative mounts start, such as `/srv/shop`.",
        name="project-directory",
        shown_default="the Compose file's",
        resolve=_existing_folder,
    )
    only_inputs: bool = derived(_only_inputs)
    project: str | None = setting(
        values.optional(values.project),
        "Compose project.",
        variable="COMPOSE_PROJECT_NAME",
        shown_default="the Compose file's `name:`, else the repository's name",
    )
    force_recreate: bool = setting(
        values.switch,
        "`true` recreates the service even if Compose sees no change, for example after a secret was rotated.",
        default="false",
    )
