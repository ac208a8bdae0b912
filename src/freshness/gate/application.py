"""Reads the application: the services of one commit, how each is proven, and which builds bring their images."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from freshness.core.baked import find_baked
from freshness.core.compose import Target, Wanted, publishers_of
from freshness.core.levels import order_by_need
from freshness.core.restarts import note_restarts
from freshness.engine.compose_config import ConfigReading, read_services
from freshness.engine.compose_file import ComposeFile
from freshness.engine.health import settle_health
from freshness.engine.throwaway import LOCKED
from freshness.gate.builds import Builds, find_builds
from freshness.gate.request import Request
from freshness.gate.service import Service
from freshness.gate.throwaway import Throwaway
from freshness.report.run_log import RunLog
from freshness.report.steps import Found
from freshness.settings.application import JobSettings, ServiceSettings
from freshness.settings.model import GateSettings, Health
from freshness.settings.service_health import health_of
from freshness.target.mounts import Overlay, find_tracked


class Application(Struct, frozen=True, kw_only=True):
    """The services that one commit runs in, in the order in which they are recreated, and its jobs around that.

    `first` is the one that was named first: the inputs and the single outputs speak of it. `throwaway` is there where
    they run in a project of this run's own.
    """

    first: str
    file: ComposeFile
    config: Mapping[str, Any]
    services: tuple[Service, ...]
    builds: Builds
    jobs: tuple[JobSettings, ...] = ()
    later_jobs: tuple[JobSettings, ...] = ()
    allowed_mounts: tuple[str, ...] = ()
    throwaway: Throwaway | None = None

    @property
    def overlays_of_jobs(self) -> list[Overlay]:
        """What the Compose file lays over the images of the jobs."""
        jobs = self.jobs + self.later_jobs
        return [Overlay.of(self.config, job.service, self.allowed_mounts) for job in jobs]

    @property
    def project(self) -> str:
        return self.services[0].target.project

    @property
    def locked(self) -> tuple[str, ...]:
        """What a run keeps for itself, in the order in which all runs take it: every service and job."""
        return (LOCKED,) if self.throwaway else tuple(sorted(self.members))

    @property
    def members(self) -> frozenset[str]:
        """Services and jobs: among them an image may be shared."""
        return frozenset([one.name for one in self.services] + [job.service for job in self.jobs + self.later_jobs])


def read_application(begun: ConfigReading, request: Request, run: RunLog) -> Found[Application]:
    """Of the Compose files that are being read. Raises SettingsError with every problem of every service."""
    settings, said = request.settings, request.settings.application
    healths = {one.name: health_of(settings.health, one) for one in said.services}
    wanted = [_wanted(settings, one, healths[one.name]) for one in said.services]
    builds: list[Builds] = []

    def find_others(config: Mapping[str, Any], name: str) -> tuple[str, ...]:
        if name != settings.service:
            return _tracked_mounts(request, run, config, name)
        of_builds = _read_builds(settings, config, builds)
        jobs = [job.service for job in said.jobs] if builds else []
        return (
            *(problem for one in [name, *jobs] for problem in _tracked_mounts(request, run, config, one)),
            *of_builds,
            *_shared_jobs(settings, config),
        )

    config, targets = read_services(begun, wanted, settings.exceptions.empty, find_others)
    throwaway = Throwaway.of(settings, config, [job.service for job in said.jobs]) if settings.throwaway else None
    if throwaway:
        run.found["throwaway"] = throwaway.project
        targets = tuple(map(throwaway.place, targets))
    services = {target.service: _service(settings, config, target, healths[target.service]) for target in targets}
    _tell(settings, config, services, builds[0], run, is_throwaway=throwaway is not None)
    run.found["image"] = targets[0].image
    application = Application(
        first=settings.service,
        file=begun.file,
        config=config,
        services=tuple(services[name] for level in order_by_need(config, tuple(services)) for name in level),
        builds=builds[0],
        jobs=said.pre_deploy,
        later_jobs=said.post_deploy,
        allowed_mounts=settings.exceptions.mounts,
        throwaway=throwaway,
    )
    got = "; ".join(f"{one.service} of the project {one.project}, {one.place}" for one in targets)
    return Found(value=application, got=got)


def _tell(
    settings: GateSettings,
    config: Mapping[str, Any],
    services: Mapping[str, Service],
    builds: Builds,
    run: RunLog,
    *,
    is_throwaway: bool,
) -> None:
    """The notes on how little was asked for, on what is built and baked in, and on who is not restarted."""
    for one in services.values():
        run.note(*([f"{one.health.note}{_of(one.name, services)}"] if one.health.note else ()))
    run.note(*builds.notes)
    if not is_throwaway:  # else it is built with production's own values
        run.note(*find_baked(config, builds.shared, settings.prod_port, settings.build.revision_arguments))
        run.note(*note_restarts(config, settings.services))


def _read_builds(settings: GateSettings, config: Mapping[str, Any], builds: list[Builds]) -> tuple[str, ...]:
    names = [*settings.services, *(job.service for job in settings.application.jobs)]
    missing = [name for name in names if name not in (config.get("services") or {})]
    if missing:
        has = ", ".join(sorted(config.get("services") or {}))
        return tuple(f"The Compose file has no service {name!r} (it has: {has}). Correct its name." for name in missing)
    found = find_builds(settings, config, names)
    builds.append(found)
    return found.problems


def _shared_jobs(settings: GateSettings, config: Mapping[str, Any]) -> Iterator[str]:
    """What a job did cannot be undone: where production stands in the same project, no job is also production's."""
    production = () if settings.throwaway else publishers_of(config, settings.prod_port)
    for job in settings.application.jobs:
        if job.is_shared and production:
            yield (
                f"The job {job.service!r} is production's too, and {production[0]!r} of this project publishes"
                f" {settings.prod_port}, production's port: staging's job would work on production's data. Give staging"
                f" a service of its own for it, under `[environments.staging.jobs.NAME]`, or a project of its own."
            )


def _of(name: str, services: Mapping[str, Service]) -> str:
    return f" ({name})" if len(services) > 1 else ""


def _wanted(settings: GateSettings, one: ServiceSettings, health: Health) -> Wanted:
    is_first = one.name == settings.service
    jobs = {job.service for job in settings.application.jobs}
    return Wanted(
        service=one.name,
        port=one.port or (_usual_port(settings) if is_first else 0),
        image=settings.image if is_first else None,
        container=settings.container if is_first else None,
        prod_port=None if settings.throwaway else settings.prod_port,
        accepted=settings.exceptions.dependencies | jobs,
        is_port_given=one.port is not None,
        asks_path=health.asked.startswith("/"),
        together=frozenset(settings.services) | jobs,
        is_thrown_away=settings.throwaway,
    )


def _usual_port(settings: GateSettings) -> int:
    return settings.prod_port if settings.throwaway else settings.usual_port


def _service(settings: GateSettings, config: Mapping[str, Any], target: Target, health: Health) -> Service:
    one = next(one for one in settings.application.services if one.name == target.service)
    is_first = target.service == settings.service
    return Service(
        target=target,
        health=settle_health(health, target, is_port_given=one.port is not None),
        overlay=Overlay.of(config, target.service, settings.exceptions.mounts),
        check=settings.check if is_first else one.check,
        check_timeout=settings.staging_check.timeout
        if is_first
        else one.check_timeout or settings.staging_check.timeout,
    )


def _tracked_mounts(request: Request, run: RunLog, config: Mapping[str, Any], service: str) -> tuple[str, ...]:
    """Why what lies over the image may not be there, as far as no Engine is needed to see it."""
    overlay = Overlay.of(config, service, request.settings.exceptions.mounts)
    problems, notes = find_tracked(overlay, request.settings.workspace)
    run.note(*notes)
    return problems
