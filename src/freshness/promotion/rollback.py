"""What production can be brought back to, and the list of it for people."""

from collections.abc import Mapping

from freshness.core.compose import Wanted, read_target
from freshness.core.deployment import Recorded, Served
from freshness.core.image import repository_of
from freshness.core.retained import RetainedImage, RetainedTags, in_json, in_table, retained_tags_of
from freshness.engine.client import Engine, connect
from freshness.engine.compose import ComposeFile, project_with, read_config
from freshness.engine.deployments import read_deployment
from freshness.engine.images import find_image, find_tagged, retained_images
from freshness.errors import Unreadable
from freshness.promotion.observe import Scene, look
from freshness.promotion.recorded import standing_record, tags_in_use
from freshness.settings.model import PromoteSettings
from freshness.settings.read import read_promote

Texts = Mapping[str, str]


def find_retained(
    engine: Engine, tags: RetainedTags, recorded: Recorded | None, label: str, now: RetainedImage
) -> tuple[RetainedImage, ...]:
    """What can be gone back to, the newest first: image and configuration. Raises EngineError.

    Each image under a retained tag, and of what runs `now`, or ran last, other configurations that it ran with.
    """
    retained = tuple(retained_images(engine, tags).values())
    current = Served(image=now.image, configuration=now.configuration)
    found = [
        one
        for one in (recorded.deployment.kept if recorded else ())
        if one.image in retained or (one.image == now.image and one.configuration and not one.is_as(current))
    ]
    for place, image in enumerate(retained):
        if image not in {one.image for one in found}:
            found.insert(place, Served(image=image))
    return tuple(_kept(engine, label, one, number) for number, one in enumerate(found, start=1))


def find_now(engine: Engine, runs: str, configuration: str, recorded: Recorded | None, label: str) -> RetainedImage:
    """What runs, or ran last by the record where its image still exists; without image where nothing is known."""
    if not runs and recorded:
        runs, configuration = recorded.deployment.image, recorded.deployment.configuration
    there = runs if runs and find_image(engine, runs) else ""
    return _kept(engine, label, Served(image=there, configuration=configuration if there else ""), 0)


def _kept(engine: Engine, label: str, served: Served, number: int) -> RetainedImage:
    image = find_image(engine, served.image) if served.image else None
    return RetainedImage(
        number=number,
        image=served.image,
        revision=(image.revision(label) if image else None) or "",
        replaced=served.replaced,
        left=served.left,
        configuration=served.configuration,
    )


def list_retained(given: Mapping[str, str | None], env: Texts, env_file: Texts, *, as_json: bool = False) -> str:
    """What runs, and what `rollback` can go back to, the newest first. Raises SettingsError, EngineError."""
    settings = read_promote(given, env, env_file, revision_required=False)
    engine = connect(env, settings.engine_timeout)
    if settings.recreate or settings.image is None:
        tags, scene = _of_service(engine, settings, env)
        runs, configuration, recorded = scene.runs, scene.known, scene.recorded
    else:
        tags, recorded = (
            RetainedTags(repository=repository_of(settings.image)),
            read_deployment(engine, "", settings.image),
        )
        named = find_tagged(engine, settings.image)
        runs, configuration = named.id if named else "", ""
    now = find_now(engine, runs, configuration, recorded, settings.revision_label)
    kept = find_retained(engine, tags, recorded, settings.revision_label, now)
    return in_json(now, kept, runs=bool(runs)) if as_json else in_table(now, kept, runs=bool(runs))


def _of_service(engine: Engine, settings: PromoteSettings, env: Texts) -> tuple[RetainedTags, Scene]:
    try:
        config = read_config(ComposeFile.of(settings, env), env)
        project = project_with(config, settings.service)
        target = read_target(config, Wanted(service=settings.service, port=settings.port))
        tags = retained_tags_of(target, config, settings.staging_service)
    except Unreadable as error:
        last = standing_record(engine, settings, error)
        project, tags = last.project, tags_in_use(engine, last, settings.service)
    return tags, look(engine, project, settings.service, None)
