"""Which variables of our service are missing: Compose itself warns, if at all, and goes on with empty values."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from freshness.core.interpolation import anywhere, deciding, needed, texts

Config = Mapping[str, Any]
_KINDS = ("configs", "secrets", "volumes", "networks")
# Nothing of these reaches a container: the gate builds.
_NOT_RUN = frozenset({"build", "develop"})
_QUOTED_VALUE = re.compile(r"""=\s*(?:"(?:[^"\\]|\\.)*"|'[^']*')""", re.DOTALL)
_LINE = re.compile(r"^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*[=:](.*)$", re.MULTILINE | re.ASCII)
_BARE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_]\w*)\s*$", re.MULTILINE | re.ASCII)


def needed_by(raw: Config, service: str, values: Mapping[str, str | None] = MappingProxyType({})) -> frozenset[str]:
    """What our service needs, and what of the whole project it uses, by `config --no-interpolate`."""
    return frozenset(name for text in _texts_of(raw, service) for name in needed(text, values))


def deciding_for(raw: Config, service: str) -> frozenset[str]:
    """The variables whose `values` decide what it needs."""
    return frozenset(name for text in _texts_of(raw, service) for name in deciding(text))


def _texts_of(raw: Config, service: str) -> Iterator[str]:
    ours = {key: value for key, value in raw["services"][service].items() if key not in _NOT_RUN}
    parts: list[Any] = [raw.get("name"), ours]
    for kind in _KINDS:
        used = set(_used(ours.get(kind) or (["default"] if kind == "networks" else [])))
        parts += [declared for name, declared in (raw.get(kind) or {}).items() if name in used]
    return texts(parts)


def needed_by_all(raw: Config) -> frozenset[str]:
    """What the files themselves need anywhere, or would."""
    return frozenset(name for text in texts(raw) for name in anywhere(text))


def _used(entries: Mapping[str, Any] | Sequence[Any]) -> Iterator[str]:
    for entry in entries:
        yield (str(entry.get("source")) if isinstance(entry, Mapping) else str(entry)).partition(":")[0]


def env_files_of(raw: Config, service: str) -> tuple[str, ...]:
    """The paths of its `env_file:` whose text Compose interpolates."""
    return tuple(entry["path"] for entry in _env_files(raw, service) if entry.get("format") != "raw")


def optional_env_files(raw: Config, service: str) -> tuple[str, ...]:
    """The paths of its `env_file:` that Compose leaves out without a word where they are not there."""
    return tuple(entry["path"] for entry in _env_files(raw, service) if entry.get("required") is False)


def _env_files(raw: Config, service: str) -> list[Mapping[str, Any]]:
    given = raw["services"][service].get("env_file") or ()
    entries = [given] if isinstance(given, str) else given
    return [{"path": entry} if isinstance(entry, str) else entry for entry in entries]


def needed_in(env_file: str) -> frozenset[str]:
    """What the text of an env file needs."""
    return frozenset(needed(env_file))


def behind(wanted: frozenset[str], env_files: Iterable[str]) -> frozenset[str]:
    """What env files need themselves for the wanted names: `JWT=${VAULT}` is empty where VAULT is not set."""
    lines = [found for text in env_files for found in _LINE.findall(text)]
    found = frozenset(other for name, value in lines if name in wanted for other in needed(value))
    return found if found <= wanted else found | behind(wanted | found, ["\n".join(f"{a}={b}" for a, b in lines)])


def passed_through(config: Config, service: str, env_files: Sequence[str]) -> frozenset[str]:
    """The names that are to be taken from where Compose runs and are not there, by `config`: it warns of none."""
    listed: Mapping[str, str | None] = config["services"][service].get("environment") or {}
    bare = {name for text in env_files for name in _BARE.findall(_QUOTED_VALUE.sub("=", text))}
    return frozenset({name for name, value in listed.items() if value is None} | (bare - listed.keys()))


def secret_variables(config: Config, service: str) -> frozenset[str]:
    """The variables whose values are the service's secrets and configs (`environment:`), by `config`."""
    ours = config["services"][service]
    return frozenset(
        declared["environment"]
        for kind in ("configs", "secrets")
        for name, declared in (config.get(kind) or {}).items()
        if declared.get("environment") and name in set(_used(ours.get(kind) or ()))
    )


def explain_emptied(what: str, names: Sequence[str]) -> tuple[str, str]:
    """What is about to be lost of `what` runs or ran, and what to do, as two sentences."""
    lost = f"{what} has a value for {', '.join(names)}, which this Compose file leaves empty."
    remedy = (
        "Set a value for Compose: in a workflow `compose-env` or `compose-env-files`, in a shell a variable or the"
        " `.env` file. Or remove the name from the Compose file, or list it in `allow-empty` if empty is meant."
    )
    return lost, remedy


def find_emptied(
    new: Mapping[str, str | None], running: Mapping[str, str], allowed: Collection[str] = ()
) -> tuple[str, ...]:
    """What is listed still, empty or not set, and has a value in the container that runs."""
    return tuple(sorted(name for name, value in new.items() if not value and running.get(name) and name not in allowed))
