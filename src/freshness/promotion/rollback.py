"""What production can be brought back to, and the list of it for people."""

import json
from collections.abc import Mapping

from msgspec import Struct

from freshness.core.compose import Wanted, read_target
from freshness.core.deployment import Recorded, Served
from freshness.core.image import repository_of
from freshness.core.retained import RetainedImage, RetainedTags, entries, in_table, retained_tags_of
from freshness.engine.client import Engine, connect
from freshness.engine.compose_config import project_with, read_config
from freshness.engine.compose_file import ComposeFile
from freshness.engine.deployments import read_deployment
from freshness.engine.images import find_image, find_tagged, retained_images
from freshness.errors import Unreadable
from freshness.promotion.observe import look
from freshness.promotion.recorded import standing_record, tags_in_use
from freshness.settings.docker_host import each_host
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
    """What runs, and what `rollback` can go back to, the newest first. Raises SettingsError, EngineError.

    Each entry says of which host and service it is, where there are several.
    """
    settings = read_promote(given, env, env_file, revision_required=False)
    shown = [
        ({"host": host, "service": service}, one)
        for host, there in each_host(env, settings.docker_hosts).items()
        for service, one in _on_host(settings, there)
    ]
    many = [key for key in ("host", "service") if len({whose[key] for whose, _ in shown}) > 1]
    if as_json:
        named = [({key: whose[key] for key in many}, one) for whose, one in shown]
        listed = [{**whose, **entry} for whose, one in named for entry in entries(*one.rows, runs=one.runs)]
        return json.dumps(listed, indent=2)
    titles = (" of ".join(whose[key] for key in reversed(many)) for whose, _ in shown)
    tables = (in_table(*one.rows, runs=one.runs) for _, one in shown)
    return "\n\n".join(f"{title}\n{table}".lstrip("\n") for title, table in zip(titles, tables, strict=True))


def _on_host(settings: PromoteSettings, env: Texts) -> list[tuple[str, "_Shown"]]:
    engine = connect(env, settings.engine.timeout)
    if settings.recreate or settings.image is None:
        return [(name, _of_service(engine, settings, name, env)) for name in settings.services]
    tags = RetainedTags(repository=repository_of(settings.image))
    named, recorded = find_tagged(engine, settings.image), read_deployment(engine, "", settings.image)
    return [("", _shown(engine, settings, tags, named.id if named else "", "", recorded))]


class _Shown(Struct, frozen=True, kw_only=True):
    """What runs, or ran last, and what can be gone back to."""

    rows: tuple[RetainedImage, tuple[RetainedImage, ...]]
    runs: bool


def _shown(
    engine: Engine,
    settings: PromoteSettings,
    tags: RetainedTags,
    runs: str,
    configuration: str,
    recorded: Recorded | None,
) -> _Shown:
    now = find_now(engine, runs, configuration, recorded, settings.source.label)
    kept = find_retained(engine, tags, recorded, settings.source.label, now)
    return _Shown(rows=(now, kept), runs=bool(runs))


def _of_service(engine: Engine, settings: PromoteSettings, service: str, env: Texts) -> _Shown:
    try:
        config = read_config(ComposeFile.of(settings, env), env)
        project = project_with(config, service)
        target = read_target(config, Wanted(service=service, port=settings.port))
        tags = retained_tags_of(target, config, set(settings.staging_services) - set(settings.services))
    except Unreadable as error:
        last = standing_record(engine, settings, service, error)
        project, tags = last.project, tags_in_use(engine, last, service)
    scene = look(engine, project, service, None)
    return _shown(engine, settings, tags, scene.runs, scene.known, scene.recorded)
