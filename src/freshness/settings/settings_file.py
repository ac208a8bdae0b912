"""Reads a file of settings: the commit's own `freshness.toml`, or the host's, which alone may say where things run."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from msgspec import Struct

from freshness.core.quoting import quoted
from freshness.settings.application import JobSettings, ServiceSettings
from freshness.settings.declaration import Surroundings, settings_of
from freshness.settings.sources import SettingsFile, Texts
from freshness.settings.table import GATE, PROMOTE
from freshness.settings.values import WrongValue, service

SERVICE = tuple(settings_of(ServiceSettings))
JOB = tuple(settings_of(JobSettings))
SECTIONS = ("services", "jobs", "environments")
_SECTIONS_AT = {0: frozenset(SECTIONS), 2: frozenset(SECTIONS[:2])}
"""By the dots of where: at the top, and in an environment."""
OF_RUN = {setting.name: setting for setting in GATE + PROMOTE}
OF_ONE_TARGET = frozenset(
    one.name for one in GATE for other in PROMOTE if one.name == other.name and one.variable != other.variable
)
"""Gate and promotion have these under one name, each for its own target: they belong into an environment."""
_FEW = 12
_ELSEWHERE = frozenset(OF_RUN) | {"hooks", "hosts", "host", "env-files"}


def parse_settings_file(
    text: str, place: str, environment: str, surroundings: Surroundings, *, host_file: str = ""
) -> SettingsFile:
    """What the file says for the `environment`; what is wrong anywhere in it is added to the problems.

    `host_file` is the path of the host's own file, given where this is the commit's: it says where the rest belongs.
    """
    import tomllib

    reader = _Reader(place=place, host_file=host_file, surroundings=surroundings)
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: TOML's own, and a number of thousands of digits
        surroundings.refuse(f"{place} cannot be read: {error}.", "Correct it: https://toml.io says how it is written.")
        return SettingsFile(place=place)
    everywhere = reader.level(data, "")
    levels = {
        name: reader.level(table, f"environments.{name}.") for name, table in reader.tables(data, SECTIONS[-1], "")
    }
    here = levels.get(environment, SettingsFile(place=place))
    return SettingsFile(
        place=place,
        services=_over(everywhere.services, here.services),
        jobs=_over(everywhere.jobs, here.jobs),
        values={**_source_host(levels), **everywhere.values, **here.values},
        environments=tuple(levels),
        shared_jobs=frozenset(everywhere.jobs).union(*(one.jobs for one in levels.values() if one is not here)),
    )


def nearest(name: str, known: Collection[str]) -> str:
    """The known name that is most like it, in backquotes; where none is, all of them, if they are few."""
    from difflib import get_close_matches

    found = get_close_matches(name, known, n=1, cutoff=0.5)
    if found or len(known) > _FEW:
        return f"`{found[0]}`" if found else "a name of docs/reference.md"
    return f"one of {', '.join(f'`{each}`' for each in sorted(known))}" if known else "none, for there is none"


def _word_for_path(texts: Texts) -> Texts:
    """A service's `health` as the setting of a single service has it."""
    word = {"healthcheck": "none", "running": "running"}.get(texts.get("health", ""))
    return {"health-path": word} if word else {}


def _source_host(levels: Mapping[str, SettingsFile]) -> Texts:
    """What staging is gated on is what a promotion carries from."""
    staging = levels.get("staging")
    host = staging.values.get("docker-host") if staging else None
    return {"source-host": host} if host else {}


def _over(all_of: Mapping[str, Texts], here: Mapping[str, Texts]) -> dict[str, Texts]:
    return {name: {**all_of.get(name, {}), **here.get(name, {})} for name in dict.fromkeys([*all_of, *here])}


class _Reader(Struct, frozen=True, kw_only=True):
    """Takes one file apart."""

    place: str
    host_file: str
    surroundings: Surroundings

    def level(self, data: Mapping[str, Any], where: str) -> SettingsFile:
        """What stands at the top, or in one environment."""
        rest = {key: value for key, value in data.items() if key not in SECTIONS or (where and key == SECTIONS[-1])}
        known = set() if self.host_file else set(OF_RUN) - (frozenset() if where else OF_ONE_TARGET)
        return SettingsFile(
            place=self.place,
            services=self.named(data, "services", {setting.name for setting in SERVICE}, where),
            jobs=self.named(data, "jobs", {setting.name for setting in JOB}, where),
            values=self.texts(rest, known, where),
        )

    def table(self, data: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
        found = data.get(key, {})
        if isinstance(found, Mapping):
            return found
        self.refuse(f"`{where}{key}` is {quoted(str(found))}; expected a table.", f"Write it as [{where}{key}].")
        return {}

    def tables(self, data: Mapping[str, Any], section: str, where: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The tables of a section by name; a name stands in sentences, and for a service."""
        tables = self.table(data, section, where)
        for name in tables:
            try:
                yield service(name), self.table(tables, name, f"{where}{section}.")
            except WrongValue as wrong:
                self.refuse(f"[{where}{section}] has {quoted(name)}; expected names.", wrong.remedy)

    def named(self, data: Mapping[str, Any], section: str, known: set[str], where: str) -> dict[str, Texts]:
        found: dict[str, Texts] = {}
        for name, table in self.tables(data, section, where):
            texts = self.texts(table, known, f"{where}{section}.{name}.")
            found[name] = {**_word_for_path(texts), **texts}
        return found

    def texts(self, data: Mapping[str, Any], known: set[str], where: str) -> Texts:
        found = {}
        for key, value in data.items():
            text = _text(value)
            if key not in known:
                self.refuse(*self.why_not(key, known, where))
            elif text is None:
                told = f"`{where}{key}` is {quoted(str(value))}; expected text, a number, true, false or a list."
                self.refuse(told, "Write the value as the reference has it.")
            else:
                found[key] = text
        return found

    def why_not(self, key: str, known: set[str], where: str) -> tuple[str, str]:
        told = f"`{where}{quoted(key)[1:-1]}`"
        if self.host_file and key in _ELSEWHERE - known:
            return (
                f"{told} may not come from a commit; expected services, checks and jobs there, and nothing else.",
                f"Give `{key}` as an input, or in the host's own file {self.host_file}.",
            )
        if key in OF_ONE_TARGET and not where:
            return (f"{told} is another one for staging than for production.", "Write it in [environments.NAME].")
        expected = nearest(key, known | _SECTIONS_AT.get(where.count("."), frozenset()))
        return f"{told} is no setting there; expected {expected}.", "Correct the name, or take it out."

    def refuse(self, message: str, remedy: str) -> None:
        self.surroundings.refuse(f"In {self.place}: {message}", remedy)


def _text(value: object) -> str | None:
    """A TOML value as an input would have it: items and headers one a line."""
    match value:
        case bool():
            return str(value).lower()
        case str() | int() | float():
            return str(value)
        case list():
            lines = [_text(item) for item in value if not isinstance(item, list | dict)]
            return "\n".join(filter(None, lines)) if len(lines) == len(value) and None not in lines else None
        case dict() if all(isinstance(item, str) for item in value.values()):
            return "\n".join(f"{name}: {item}" for name, item in value.items())
        case _:
            return None
