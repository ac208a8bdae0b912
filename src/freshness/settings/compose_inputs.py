"""Puts together what the settings say of the Compose files and of what these interpolate."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from freshness.settings.model import ComposeSettings
from freshness.settings.sources import Problem, name_of

IN_ACTION = "FRESHNESS_ACTION"
"""Set by install.sh, which only the actions run."""


def take_compose(
    values: dict[str, Any], env: Mapping[str, str], workspace: Path, problems: list[Problem]
) -> ComposeSettings:
    """Takes the settings about Compose out of `values`; what is wrong with the files named is added to `problems`."""
    only_inputs = bool(env.get(IN_ACTION))
    folder = values.pop("project_directory", None)
    compose = ComposeSettings(
        files=values.pop("compose_file", ()),
        separator="" if only_inputs else env.get("COMPOSE_PATH_SEPARATOR", ""),
        env_files=tuple(workspace / path for path in values.pop("compose_env_files", ())),
        folder=workspace / folder if folder else None,
        variables=_variables(values.pop("compose_env", ()), env, problems),
        only_inputs=only_inputs,
    )
    problems.extend(_missing(compose))
    return compose


def _variables(
    given: tuple[tuple[str, str | None], ...], env: Mapping[str, str], problems: list[Problem]
) -> Mapping[str, str]:
    for name, value in given:
        if value is None and not env.get(name):  # as a secret that the forge does not have is
            message = f"{name_of('compose-env', 'COMPOSE_ENV')} names {name}; expected a variable of the job's `env:`."
            remedy = f"Give it a value there, or write {name}=VALUE, and {name}= where empty is meant."
            problems.append(Problem(message=message, remedy=remedy))
    return {name: env.get(name, "") if value is None else value for name, value in given}


def _missing(compose: ComposeSettings) -> list[Problem]:
    here = "Paths are those of the machine, or of the container, in which the job runs: create it or mount it there."
    found = [
        Problem(
            message=f"{name_of('compose-env-files', 'COMPOSE_ENV_FILES')} names {path}; expected a file.", remedy=here
        )
        for path in compose.env_files
        if not path.is_file()
    ]
    if compose.folder and not compose.folder.is_dir():
        told = f"{name_of('project-directory', 'PROJECT_DIRECTORY')} is {compose.folder}; expected a folder."
        found.append(Problem(message=told, remedy=here))
    return found
