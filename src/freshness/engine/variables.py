"""Asks Compose which variables of our service it found nowhere: it goes on with empty values, and exit status 0."""

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from freshness.core.secret import conceal
from freshness.core.variables import (
    behind,
    deciding_for,
    env_files_of,
    needed_by,
    needed_by_all,
    needed_in,
    optional_env_files,
    passed_through,
    secret_variables,
)
from freshness.engine.compose_file import ComposeFile
from freshness.engine.docker_host import env_without_engine
from freshness.errors import SettingsError
from freshness.process.children import read

SECONDS = 60
_QUOTED = re.compile(r"""["'`]([_A-Za-z]\w*)\\?["'`]""", re.ASCII)
_HAS_ENV_FILE = re.compile(r"\b(env_file|include|extends)\b")
_HAS_OPTIONAL = re.compile(r"\b(required|include|extends)\b")


def why_lacking(
    file: ComposeFile,
    env: Mapping[str, str],
    config: Mapping[str, Any],
    service: str,
    said: str,
    allowed: Collection[str],
) -> tuple[str, ...]:
    """In words which variables the service lacks; `config` is what Compose made of the files, `said` its warnings.

    `allowed` may be empty.
    """
    lacking = sorted(_lacking(file, env, config, service, said) - set(allowed))
    if not lacking:
        return ()
    names, first = ", ".join(lacking), lacking[0]
    told = (
        f"Compose finds no value for {names} of the service {service!r}: the container would get none. To fix it,"
        f" {file.how_to_give}. If empty is meant, write a default into the Compose file, such as ${{{first}:-}}, or"
        " list it in `allow-empty`."
    )
    said_in_files = "".join(map(_text, file.paths))
    if any(name not in said_in_files for name in lacking):
        told += " In an env file, put a value that contains `$` into single quotes."
    if any(name.startswith("COMPOSE_") for name in lacking):
        told += " Names that begin with COMPOSE_ are Compose's own and never passed on: use another name."
    return (told,)


def _lacking(
    file: ComposeFile, env: Mapping[str, str], config: Mapping[str, Any], service: str, said: str
) -> frozenset[str]:
    secret = secret_variables(config, service)
    values = file.ask(secret, env) if secret else {}
    conceal(value for value in values.values() if value)
    unset = {name for name in secret if not values.get(name)}
    if not said and not file.dropped and not any(_HAS_ENV_FILE.search(_text(path)) for path in file.paths):
        return frozenset(unset) | passed_through(config, service, ())
    # All of Compose's versions put the name into quotes; the rest of a warning differs.
    named, raw = frozenset(_QUOTED.findall(said)), _read_raw(file, env)
    paths = env_files_of(raw, service)
    env_files = tuple(_text(Path(path)) for path in paths)
    decide = deciding_for(raw, service)
    decided = file.ask(decide, env) if decide else {}
    wanted = needed_by(raw, service, decided).union(*map(needed_in, env_files))
    wanted |= behind(wanted, map(_text, file.env_files))
    if any("$" in path for path in paths):  # where it lies is not known here: what is nobody else's is in there
        wanted |= named - needed_by_all(raw)
    warned = {name for name in wanted if name in file.dropped or name in named}
    dropped = {name for name in config["services"][service].get("environment") or {} if name in file.dropped}
    return frozenset(unset | warned | dropped) | passed_through(config, service, env_files)


def missing_env_files(file: ComposeFile, env: Mapping[str, str], service: str) -> tuple[str, ...]:
    """The optional files of its `env_file:` that are not there, or whose path holds a variable and may not be."""
    if not any(_HAS_OPTIONAL.search(_text(path)) for path in file.paths):
        return ()
    paths = optional_env_files(_read_raw(file, env), service)
    return tuple(path for path in paths if "$" in path or not Path(path).is_file())


def _read_raw(file: ComposeFile, env: Mapping[str, str]) -> dict[str, Any]:
    argv = [*file.command(env), "config", "--no-interpolate", "--format", "json"]
    status, out, err = read(argv, env_without_engine(file.environment(env)), SECONDS)
    if status != 0:
        raise SettingsError(
            f"Compose cannot read {file.names} without its variables: {(err.splitlines() or ['no output'])[-1]}.",
            "A path under `include:` or `extends: file:` may hold no variable: write it out, or name the file in"
            " `compose-file`, one a line, in place of `include:`. Otherwise set all variables that it names.",
        )
    raw: dict[str, Any] = json.loads(out)
    return raw


def _text(path: Path) -> str:
    """Empty where it is not there: an env file may be optional, and its path may hold a variable."""
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return ""
