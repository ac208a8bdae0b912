"""Reads a project's configuration as Docker Compose understands it; no Engine is asked.

docker-py takes longer to import than Compose to read: nothing here imports it, so that both may go on at once.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from freshness.core.compose import Target, Wanted, find_problems, read_target, why_missing
from freshness.core.endpoint import FORMS
from freshness.core.secret import conceal_variables
from freshness.engine.compose_file import ComposeFile
from freshness.engine.docker_host import env_without_engine
from freshness.engine.variables import missing_env_files, why_lacking
from freshness.errors import EngineError, SettingsError, Unreadable
from freshness.process.children import Reading, reading

CONFIG_SECONDS = 60


class ConfigReading(Struct, frozen=True, kw_only=True):
    """Compose reads the project of `file`, as `env` has it."""

    file: ComposeFile
    env: Mapping[str, str]
    child: Reading

    def end(self) -> tuple[dict[str, Any], str]:
        """The whole project, and what Compose warned of.

        Raises SettingsError with what Compose said, EngineError where it cannot tell which Engine is meant.
        """
        status, out, err = self.child.end()
        if "unable to resolve docker endpoint" in err:
            raise EngineError(
                f"Compose cannot tell which Docker Engine to use: {last_line(err)}.",
                f"Correct DOCKER_CONTEXT, or DOCKER_HOST: unix:///path/to/socket, {FORMS}.",
            )
        if status != 0:
            raise Unreadable(
                f"Compose cannot read {self.file.names}: {last_line(err)}.",
                "Compose reads the whole file, so every service's variables and files must exist. For a variable,"
                f" {self.file.how_to_give}; add a missing file, or set `project-directory` to the folder on the host"
                " that has it; or correct the Compose file.",
            )
        config = _parse(out)
        for service in (config.get("services") or {}).values():
            conceal_variables(service.get("environment") or {})
            conceal_variables((service.get("build") or {}).get("args") or {})
        return config, err


def _parse(out: str) -> dict[str, Any]:
    """Nothing of it is in the error: what is no JSON here may be most of it, with all values."""
    try:
        config: dict[str, Any] = json.loads(out)
    except ValueError as error:
        raise EngineError(
            "Compose was asked for its configuration as JSON, and printed something else, or something besides.",
            "See what does: `docker compose config --format json`. A wrapper in its place may print to standard error"
            " only.",
        ) from error
    return config


@contextmanager
def reading_config(file: ComposeFile, env: Mapping[str, str]) -> Iterator[ConfigReading]:
    """Starts Compose, which is given up when the block is left before its end."""
    argv = [*file.command(env), "config", "--format", "json"]
    with reading(argv, env_without_engine(file.environment(env)), CONFIG_SECONDS) as child:
        yield ConfigReading(file=file, env=env, child=child)


def read_config(file: ComposeFile, env: Mapping[str, str]) -> dict[str, Any]:
    """The whole project. Raises as `ConfigReading.end`."""
    with reading_config(file, env) as begun:
        return begun.end()[0]


def read_services(
    begun: ConfigReading,
    wanted: Sequence[Wanted],
    allow_empty: Collection[str],
    find_others: Callable[[Mapping[str, Any], str], tuple[str, ...]],
) -> tuple[dict[str, Any], tuple[Target, ...]]:
    """The whole project, and the services of it; `allow_empty` are variables that may lack a value.

    `find_others` finds more problems of a service in the project.
    Raises SettingsError with every problem at once, and as `ConfigReading.end`.
    """
    (config, said), file, env = begun.end(), begun.file, begun.env
    problems: dict[str, None] = {}
    for one in wanted:
        problems.update(dict.fromkeys(find_problems(config, one)))
        if one.service in (config.get("services") or {}):
            problems.update(dict.fromkeys(find_others(config, one.service)))
            problems.update(dict.fromkeys(why_lacking(file, env, config, one.service, said, allow_empty)))
    if problems:
        raise SettingsError("\n".join(problems), "Nothing was built or changed.", tuple(problems))
    found = ((one, missing_env_files(file, env, one.service)) for one in wanted)
    return config, tuple(replace(read_target(config, one), missing_env_files=missing) for one, missing in found)


def project_with(config: Mapping[str, Any], service: str) -> str:
    """The project's name, if it has this service. Raises SettingsError."""
    missing = why_missing(config, service)
    if missing:
        raise SettingsError(missing, "Set `service` to one of them (`--service`, or in the env file).")
    name: str = config["name"]
    return name


def last_line(output: str) -> str:
    """The last that a child said, for a sentence."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else "no output"
