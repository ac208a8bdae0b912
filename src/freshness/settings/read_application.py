"""Puts together what is said of each service and job of the application."""

from collections.abc import Iterable, Mapping
from typing import Any

from freshness.settings.application import ApplicationSettings, JobSettings, ServiceSettings
from freshness.settings.declaration import Setting, Surroundings, assemble, settings_of
from freshness.settings.kinds import HealthKind, Stage
from freshness.settings.sources import BY_DEFAULT, Sources, raise_problems, read_into

_KINDS = {"none": HealthKind.HEALTHCHECK.value, "running": HealthKind.RUNNING.value}
"""The words in place of a path."""
_Values = dict[str, Any]


def read_application(
    names: Iterable[str],
    sources: Sources,
    table: Iterable[Setting],
    read: Mapping[str, Any],
    surroundings: Surroundings,
) -> ApplicationSettings:
    """The services of these names, and the jobs of the files. `read` are the values of the command's own `table`.

    Raises SettingsError with all problems, those found before as well.
    """
    own = {setting.name: setting for setting in table}
    services = {name: _service(name, sources, own, read, surroundings) for name in names}
    jobs = {name: _job(name, sources, surroundings) for file in sources.files for name in file.jobs}
    raise_problems(surroundings.problems)
    shared = frozenset().union(*(file.shared_jobs for file in sources.files))
    found = [
        assemble(JobSettings, values, surroundings, service=name, is_shared=name in shared)
        for name, values in jobs.items()
    ]
    return ApplicationSettings(
        services=tuple(assemble(ServiceSettings, values, surroundings, name=name) for name, values in services.items()),
        pre_deploy=tuple(job for job in found if job.stage is Stage.PRE_DEPLOY),
        post_deploy=tuple(job for job in found if job.stage is Stage.POST_DEPLOY),
    )


def _service(
    name: str, sources: Sources, own: Mapping[str, Setting], read: Mapping[str, Any], surroundings: Surroundings
) -> _Values:
    values: _Values = {}
    found = {setting.name: _find(name, setting, sources, own) for setting in settings_of(ServiceSettings)}
    word, place = found["health-path"]
    if word.lower() in _KINDS:
        found |= {"health": (_KINDS[word.lower()], place), "health-path": ("", BY_DEFAULT)}
    for setting in settings_of(ServiceSettings):
        title = f"`services.{name}.{setting.name}`"
        if name == sources.first and setting.name in own and setting.name not in read:
            continue  # wrong, and said already
        read_into(values, setting, found[setting.name], surroundings, title)
    return values


def _find(name: str, setting: Setting, sources: Sources, own: Mapping[str, Setting]) -> tuple[str, str]:
    """Of the first service what the command's own settings say, or by default."""
    if name != sources.first or setting.name not in own:
        return sources.in_files("services", name, setting)
    return sources.find(own[setting.name])


def _job(name: str, sources: Sources, surroundings: Surroundings) -> _Values:
    values: _Values = {}
    for setting in settings_of(JobSettings):
        found = sources.in_files("jobs", name, setting)
        read_into(values, setting, found, surroundings, f"`jobs.{name}.{setting.name}`")
    return values
