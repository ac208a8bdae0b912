"""What production can be brought back to, and the list of it for people."""

from collections.abc import Mapping

from freshness.core.compose import Wanted, read_target
from freshness.core.deployment import Recorded
from freshness.core.image import repository_of
from freshness.core.retained import RetainedImage, RetainedTags, in_table, retained_tags_of
from freshness.engine.client import Engine, connect
from freshness.engine.compose import ComposeFile, project_with, read_config
from freshness.engine.containers import service_containers
from freshness.engine.deployments import read_deployment
from freshness.engine.images import find_image, find_tagged, retained_images
from freshness.settings.model import PromoteSettings
from freshness.settings.read import read_promote

Texts = Mapping[str, str]


def find_kept(engine: Engine, tags: RetainedTags, recorded: Recorded | None, label: str) -> tuple[RetainedImage, ...]:
    """The images under the kept tags, the newest first, with what was recorded of them. Raises EngineError."""
    found = []
    for number, image_id in retained_images(engine, tags).items():
        image = find_image(engine, image_id)
        served = recorded.deployment.served(image_id) if recorded else None
        found.append(
            RetainedImage(
                number=number,
                image=image_id,
                revision=(image.revision(label) if image else None) or "",
                replaced=served.replaced if served else "",
                left=served.left if served else False,
                is_configured=bool(served and served.configuration),
            )
        )
    return tuple(found)


def list_kept(given: Mapping[str, str | None], env: Texts, env_file: Texts) -> str:
    """What runs, and what `rollback` can go back to, the newest first. Raises SettingsError, EngineError."""
    settings = read_promote(given, env, env_file, revision_required=False)
    engine = connect(env, settings.engine_timeout)
    if settings.recreate or settings.image is None:
        tags, runs, recorded = _of_service(engine, settings, env)
    else:
        tags, recorded = (
            RetainedTags(repository=repository_of(settings.image)),
            read_deployment(engine, "", settings.image),
        )
        named = find_tagged(engine, settings.image)
        runs = named.id if named else ""
    image = find_image(engine, runs) if runs else None
    served = recorded.deployment.served(runs) if recorded else None
    now = RetainedImage(
        number=0,
        image=runs,
        revision=(image.revision(settings.revision_label) if image else None) or "",
        is_configured=bool(served and served.configuration),
    )
    return in_table(now, find_kept(engine, tags, recorded, settings.revision_label))


def _of_service(engine: Engine, settings: PromoteSettings, env: Texts) -> tuple[RetainedTags, str, Recorded | None]:
    file = ComposeFile.of(settings, env)
    config = read_config(file, env)
    project = project_with(config, settings.service)
    target = read_target(config, Wanted(service=settings.service, port=settings.port))
    found = service_containers(engine, project, settings.service)
    tags = retained_tags_of(target, config, settings.staging_service)
    return tags, found[0].image_id if found else "", read_deployment(engine, project, settings.service)
