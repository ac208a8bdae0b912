"""Adds the files of settings to where settings come from: the host's own, and the commit's."""

from collections.abc import Iterable

from msgspec.structs import replace

from freshness.core.run import Run
from freshness.settings.declaration import Setting, Surroundings
from freshness.settings.host_file import host_file, read_host_file
from freshness.settings.settings_file import nearest, parse_settings_file
from freshness.settings.sources import Reading, Sources
from freshness.settings.values import WrongValue, services

UNNAMED = "/etc/freshness/OWNER/NAME.toml"


def with_files(reading: Reading, table: Iterable[Setting], surroundings: Surroundings) -> Sources:
    """The sources with what the files say of the environment that is chosen, else of the default one."""
    by_name = {setting.name: setting for setting in table}
    sources = reading.sources
    given = sources.find(by_name["deploy-environment"])[0].strip()
    environment = given or reading.environment
    path = host_file(Run.of(sources.env).repository, sources.env)
    hosts = read_host_file(path, surroundings) if path else ""
    files = [parse_settings_file(hosts, str(path), environment, surroundings)] if hosts else []
    if reading.commit_file:
        name = sources.find(by_name["settings-file"])[0].strip()
        place = f"the commit's {name}"
        where = str(path) if path else UNNAMED
        files.append(parse_settings_file(reading.commit_file, place, environment, surroundings, host_file=where))
    known = [name for file in files for name in file.environments]
    if given and not reading.commit_follows and given not in known:
        surroundings.refuse(
            f"{by_name['deploy-environment'].title} is {given!r}; expected {nearest(given, known)}.",
            "Write [environments.NAME] into a settings file, or choose one that is there.",
        )
    found = replace(sources, files=tuple(files))
    return replace(found, first=_first(found.find(by_name["service"])[0]))


def _first(text: str) -> str:
    """The service that the settings of a single service speak of; a wrong text is refused where it is read."""
    try:
        return services(text)[0]
    except WrongValue:
        return ""
