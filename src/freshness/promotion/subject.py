"""What a run is about, as today's Compose files have it: a service, or a tag that is moved alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from freshness.core.check import CheckName
from freshness.core.compose import Wanted
from freshness.core.configuration import render
from freshness.core.image import repository_of
from freshness.core.lock import tag_lock
from freshness.core.retained import RetainedTags, retained_tags_of
from freshness.engine.compose import ComposeFile, read_config, read_service
from freshness.promotion.configuration import Today
from freshness.promotion.request import PromotionLog, Request
from freshness.settings.model import PromoteSettings, UpdateOrder
from freshness.target.mounts import Overlay, find_tracked
from freshness.target.staging import refuse_own_source, staging_config, staging_tag


@dataclass(frozen=True, slots=True, kw_only=True)
class TagAlone:
    """A `tag` that is moved while something else restarts production; `source` is the image that it gets.

    `staging_project` is staging's, where its tag is the source.
    """

    tag: str
    source: str
    staging_project: str = ""

    @property
    def lock(self) -> str:
        """The name of the tag's lock."""
        return tag_lock(self.tag)

    @property
    def words(self) -> tuple[str, ...]:
        """No words for Compose: none is called."""
        return ()

    @property
    def retained_tags(self) -> RetainedTags:
        """The tags that keep what it named before."""
        return RetainedTags(repository=repository_of(self.tag))


def read_subject(request: Request, log: PromotionLog) -> Today | TagAlone:
    """Raises SettingsError with every problem at once, EngineError where Compose cannot tell which Engine is meant."""
    settings = request.settings
    if settings.recreate or settings.image is None:
        with log.step(CheckName.SERVICE, "a service that shares nothing with another") as step:
            today = _read_service(request, log)
            step.got = f"{today.target.service} of the project {today.target.project}, {today.target.place}"
        return today
    if _is_told(request):
        return TagAlone(tag=settings.image, source=settings.source_image or "")
    staging = staging_config(settings, request.env, read_config(ComposeFile.of(settings, request.env), request.env))
    return TagAlone(tag=settings.image, source=staging_tag(settings, staging), staging_project=staging["name"])


def _is_told(request: Request) -> bool:
    """A rollback needs no staging, nor does a promotion that is told the image."""
    return request.is_rollback or bool(request.settings.source_image)


def wanted_of(settings: PromoteSettings) -> Wanted:
    """What the settings say of production's service."""
    return Wanted(
        service=settings.service,
        port=settings.port,
        is_port_given=settings.given_port is not None,
        asks_path=settings.health.asked.startswith("/"),
        image=settings.image,
        container=settings.container,
        in_pairs=settings.update_order is UpdateOrder.START_FIRST,
        accepted=settings.accept_dependencies,
    )


def _read_service(request: Request, log: PromotionLog) -> Today:
    settings, wanted, overlays = request.settings, wanted_of(request.settings), list[Overlay]()

    def find_overlay(config: Mapping[str, Any]) -> tuple[str, ...]:
        """Why what lies over the image may not be, as far as no Engine is needed."""
        overlays.append(Overlay.of(config, settings.service, settings.allow_mounts))
        problems, notes = find_tracked(overlays[0], settings.workspace)
        for note in notes:
            log.note(note)
        return problems

    file = ComposeFile.of(settings, request.env)
    config, target = read_service(file, request.env, wanted, settings.allow_empty, find_overlay)
    retained_tags = retained_tags_of(target, config, settings.staging_service)
    source, project = settings.source_image or "", ""
    if not _is_told(request):
        staging = staging_config(settings, request.env, config)
        refuse_own_source(settings, staging, config)
        source, project = staging_tag(settings, staging), staging["name"]
    return Today(
        target=target,
        wanted=wanted,
        file=file,
        configuration=render(config, target.service),
        source=source,
        retained_tags=retained_tags,
        staging_project=project,
        overlay=overlays[0],
    )
