"""What a run is about, as today's Compose files have it: the application, or a tag that is moved alone."""

from collections.abc import Mapping
from typing import Any, ClassVar

from msgspec import Struct, field

from freshness.core.check import CheckName
from freshness.core.compose import Target, Wanted, why_missing
from freshness.core.configuration import render
from freshness.core.discreet import Discreet
from freshness.core.image import repository_of
from freshness.core.levels import order_by_need
from freshness.core.lock import service_lock, tag_lock
from freshness.core.restarts import note_restarts
from freshness.core.retained import RetainedTags, retained_tags_of
from freshness.engine.compose_config import read_config, read_services, reading_config
from freshness.engine.compose_file import ComposeFile
from freshness.engine.health import settle_health
from freshness.promotion.configuration import Today
from freshness.promotion.request import Request
from freshness.report.run_log import RunLog
from freshness.settings.application import JobSettings, ServiceSettings
from freshness.settings.model import Health, PromoteSettings, UpdateOrder
from freshness.settings.service_health import health_of
from freshness.target.mounts import Overlay, find_tracked
from freshness.target.staging import refuse_own_source, staging_config, staging_tag


class Application(Discreet, frozen=True, kw_only=True):
    """The services that change together, the one that was named first at the head, and the jobs around the switch.

    `config` is the whole project as Compose prints it, empty where it could not be read.
    """

    unshown: ClassVar = ("config",)
    services: tuple[Today, ...]
    jobs: tuple[JobSettings, ...] = ()
    later_jobs: tuple[JobSettings, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def first(self) -> Today:
        """The one that was named first."""
        return self.services[0]

    @property
    def project(self) -> str:
        return self.first.target.project

    @property
    def members(self) -> frozenset[str]:
        """Services and jobs: among them an image may be shared."""
        return frozenset([one.service for one in self.services] + [job.service for job in self.all_jobs])

    @property
    def all_jobs(self) -> tuple[JobSettings, ...]:
        return self.jobs + self.later_jobs

    @property
    def locks(self) -> tuple[str, ...]:
        """The locks of each service and job, in the order in which all runs take them."""
        return tuple(service_lock(self.project, name) for name in sorted(self.members))

    @property
    def words(self) -> tuple[str, ...]:
        """Compose's words for the files, for a person."""
        return tuple(self.first.file.words)


class TagAlone(Struct, frozen=True, kw_only=True):
    """A `tag` that is moved while something else restarts production; `source` is the image that it gets.

    `staging_project` is staging's, where its tag is the source.
    """

    tag: str
    source: str
    staging_project: str = ""

    @property
    def locks(self) -> tuple[str, ...]:
        """The tag's lock."""
        return (tag_lock(self.tag),)

    @property
    def words(self) -> tuple[str, ...]:
        """No words for Compose: none is called."""
        return ()

    @property
    def retained_tags(self) -> RetainedTags:
        """The tags that keep what it named before."""
        return RetainedTags(repository=repository_of(self.tag))


def read_subject(request: Request, run: RunLog) -> Application | TagAlone:
    """Raises SettingsError with every problem at once, EngineError where Compose cannot tell which Engine is meant."""
    settings = request.settings
    if settings.recreate or settings.image is None:
        with run.step(CheckName.SERVICE, "a service that shares nothing with another") as step:
            application = _read_application(request, run)
            places = (
                f"{one.service} of the project {one.target.project}, {one.target.place}" for one in application.services
            )
            step.got = "; ".join(places)
        return application
    if _is_told(request):
        return TagAlone(tag=settings.image, source=settings.source_image or "")
    staging = staging_config(settings, request.env, read_config(ComposeFile.of(settings, request.env), request.env))
    source = staging_tag(staging, settings.staging_service)
    return TagAlone(tag=settings.image, source=source, staging_project=staging["name"])


def _is_told(request: Request) -> bool:
    """A rollback needs no staging, nor does a promotion that is told the images."""
    settings = request.settings
    return request.is_rollback or bool(settings.source_image or settings.source_images)


def wanted_of(settings: PromoteSettings, one: ServiceSettings) -> Wanted:
    """What the settings say of production's service."""
    said, is_first = settings.application, one.name == settings.service
    jobs = {job.service for job in said.jobs}
    return Wanted(
        service=one.name,
        port=one.port or (settings.usual_port if is_first else 0),
        is_port_given=one.port is not None,
        asks_path=health_of(settings.health, one).asked.startswith("/"),
        image=settings.image if is_first else None,
        container=settings.container if is_first else None,
        in_pairs=settings.update_order is UpdateOrder.START_FIRST,
        accepted=settings.exceptions.dependencies | jobs,
        together=frozenset(settings.services) | jobs,
    )


def settled_health(settings: PromoteSettings, one: ServiceSettings, target: Target, wanted: Wanted) -> Health:
    """How the service is proven, as it decides that itself where the settings do not."""
    has_port = wanted.is_port_given or (wanted.in_pairs and wanted.port != 0)
    return settle_health(health_of(settings.health, one), target, is_port_given=has_port)


def _read_application(request: Request, run: RunLog) -> Application:
    settings, file = request.settings, ComposeFile.of(request.settings, request.env)
    said, overlays = settings.application, dict[str, Overlay]()

    def find_overlay(config: Mapping[str, Any], name: str) -> tuple[str, ...]:
        """Why what lies over the image may not be, as far as no Engine is needed."""
        overlays[name] = Overlay.of(config, name, settings.exceptions.mounts)
        problems, notes = find_tracked(overlays[name], settings.workspace)
        for note in notes:
            run.note(note)
        missing = [job.service for job in said.jobs if job.service not in config["services"]]
        return (*problems, *(f"{why_missing(config, job)} Correct the job's name." for job in missing))

    wanted = {one.name: wanted_of(settings, one) for one in said.services}
    with reading_config(file, request.env) as begun:
        config, targets = read_services(begun, tuple(wanted.values()), settings.exceptions.empty, find_overlay)
    staging = {} if _is_told(request) else staging_config(settings, request.env, config)
    levels = order_by_need(config, settings.services)
    found = []
    for one, target in zip(said.services, targets, strict=True):
        if staging:
            refuse_own_source(settings, one.name, staging, config)
        today = Today(
            target=target,
            wanted=wanted[one.name],
            health=settled_health(settings, one, target, wanted[one.name]),
            file=file,
            configuration=render(config, one.name),
            source=source_of(settings, one.name, staging),
            retained_tags=retained_tags_of(target, config, set(settings.staging_services) - set(settings.services)),
            staging_project=staging["name"] if staging else "",
            overlay=overlays[one.name],
            level=next(number for number, names in enumerate(levels) if one.name in names),
        )
        run.note(today.health.note)
        found.append(today)
    run.note(*note_restarts(config, settings.services))
    return Application(services=tuple(found), jobs=said.pre_deploy, later_jobs=said.post_deploy, config=config)


def source_of(settings: PromoteSettings, service: str, staging: Mapping[str, Any]) -> str:
    """The image that the service gets: the one that is told, by its name or by staging's, else what staging runs."""
    if staging:
        return staging_tag(staging, settings.staging_of(service))
    images = settings.source_images
    return images.get(service) or images.get(settings.staging_of(service)) or settings.source_image or ""
