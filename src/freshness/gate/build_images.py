"""Builds the images of one gate, and looks at what Compose would lay over them."""

from contextlib import ExitStack
from functools import lru_cache

from msgspec.structs import replace

from freshness.core.compose import publishers_of
from freshness.core.definition import Shared
from freshness.engine.base import build_base
from freshness.engine.build import building
from freshness.gate.builds import build_of
from freshness.gate.host import refuse_moved_files
from freshness.gate.work import Built, Work
from freshness.report.steps import Found
from freshness.target.mounts import MountCheck, Overlay
from freshness.target.ownership import refuse_borrowed_labels


def begin_builds(work: Work, until_ended: ExitStack) -> None:
    """All of them: BuildKit does what it can at once, and reads what they share once."""
    settings, run_env, context = work.request.settings, work.request.run_env, work.seen.context
    for shared, (_, tag) in zip(work.seen.application.builds.shared, work.plan.builds, strict=True):
        build = build_of(shared, settings, run_env, context, work.plan.commit, tag)
        work.builds[tag] = until_ended.enter_context(building(work.seen.host.engine, build))


def end_build(work: Work, shared: Shared, tag: str) -> Found[Built]:
    """Waits for it, and looks at the image."""
    begun = work.builds[tag]
    title = "Build" if len(work.plan.builds) == 1 else f"Build of {', '.join(shared.services)}"
    with work.run.log.output_of(title):
        image = begun.end(work.run.log.untrusted)
    if work.seen.application.first in shared.services:
        work.run.found["image_id"] = image.id
        if work.plan.is_throwaway:
            work.run.found["image"] = tag
    work.run.warn("Labels of Compose", refuse_borrowed_labels(image))
    return Found(value=Built(build=begun.build, image=image), got=f"{image.id}, labelled {work.plan.commit}")


def look_at_mounts(work: Work, overlay: Overlay) -> Found[None]:
    """What Compose lays over the image, and what production would: of that the promotion decides."""
    host, built = work.seen.host, work.images[overlay.service]
    base = lru_cache(maxsize=1)(lambda: build_base(host.engine, built.build, built.image.id))
    is_elsewhere = not host.engine.is_local or host.prober.job is not None
    cover = MountCheck(
        engine=host.engine,
        image_id=built.image.id,
        overlay=overlay,
        find_base=base,
        is_elsewhere=is_elsewhere,
    )
    cover.require_uncovered()
    for moved, container in host.moved:
        if moved.name == overlay.service:
            refuse_moved_files(host.engine, built.image.id, work.seen.application, moved, container)
    work.run.note(*cover.notes)
    if overlay.service == work.seen.application.first:
        _warn_of_production(work, replace(cover, notes=[]))
    return Found(value=None, got=cover.summary)


def _warn_of_production(work: Work, staging: MountCheck) -> None:
    settings, config = work.request.settings, work.seen.application.config
    production = publishers_of(config, settings.prod_port)
    for name in production or (settings.service,):
        cover = replace(staging, overlay=Overlay.of(config, name, settings.exceptions.mounts))
        for warning in [*cover.unmounted_volumes(), *(cover.problems() if name in production else ())]:
            work.run.warn("Production's mounts", f"Before production runs this image: {warning}")
