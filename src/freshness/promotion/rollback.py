"""What production can be brought back to, and the list of it for people."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

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
from freshness.errors import FreshnessError, Unreadable
from freshness.process.ask_all import ANSWER_SECONDS, ask_each
from freshness.promotion.observe import look
from freshness.promotion.recorded import standing_record, tags_in_use
from freshness.settings.docker_host import each_host
from freshness.settings.model import PromoteSettings

Texts = Mapping[str, str]
Config = Mapping[str, Any]


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


class Listed(Struct, frozen=True, kw_only=True):
    """The list in words or in JSON, and why the `lost` hosts are not in it, by their names."""

    text: str
    lost: Mapping[str, FreshnessError]


def list_retained(settings: PromoteSettings, env: Texts, *, as_json: bool = False) -> Listed:
    """What runs, and what `rollback` can go back to, the newest first. Raises SettingsError, EngineError.

    Each entry says of which host and service it is, where there are several. These hosts are asked at once, each for
    `ANSWER_SECONDS`.
    """
    hosts = each_host(env, settings.docker_hosts)
    config = _read_config(settings, next(iter(hosts.values())))
    found = ask_each(
        {host: partial(_on_host, settings, config, there) for host, there in hosts.items()}, ANSWER_SECONDS
    )
    lost = {host: answer for host, answer in found.items() if isinstance(answer, FreshnessError)}
    if len(lost) == len(hosts):
        raise next(iter(lost.values()))
    shown = [
        ({"host": host, "service": service}, one)
        for host, answer in found.items()
        if not isinstance(answer, FreshnessError)
        for service, one in answer
    ]
    many = [
        *(["host"] if len(hosts) > 1 else []),
        *(["service"] if len({one["service"] for one, _ in shown}) > 1 else []),
    ]
    return Listed(text=_as_text(shown, many, as_json=as_json), lost=lost)


def _as_text(shown: Sequence[tuple[Texts, "_Shown"]], many: Sequence[str], *, as_json: bool) -> str:
    if as_json:
        named = [({key: whose[key] for key in many}, one) for whose, one in shown]
        listed = [{**whose, **entry} for whose, one in named for entry in entries(*one.rows, runs=one.runs)]
        return json.dumps(listed, indent=2)
    titles = (" of ".join(whose[key] for key in reversed(many)) for whose, _ in shown)
    tables = (in_table(*one.rows, runs=one.runs) for _, one in shown)
    return "\n\n".join(f"{title}\n{table}".lstrip("\n") for title, table in zip(titles, tables, strict=True))


def _read_config(settings: PromoteSettings, env: Texts) -> Config | Unreadable:
    """Today's files, once for all hosts; where they cannot be read, the records have what there is to know."""
    if not settings.recreate and settings.image is not None:
        return {}
    try:
        return read_config(ComposeFile.of(settings, env), env)
    except Unreadable as error:
        return error


def _on_host(settings: PromoteSettings, config: Config | Unreadable, env: Texts) -> list[tuple[str, "_Shown"]]:
    engine = connect(env, settings.engine.timeout)
    if settings.recreate or settings.image is None:
        return [(name, _of_service(engine, settings, name, config)) for name in settings.services]
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


def _of_service(engine: Engine, settings: PromoteSettings, service: str, config: Config | Unreadable) -> _Shown:
    if isinstance(config, Unreadable):
        last = standing_record(engine, settings, service, config)
        project, tags = last.project, tags_in_use(engine, last, service)
    else:
        project = project_with(config, service)
        target = read_target(config, Wanted(service=service, port=settings.port))
        tags = retained_tags_of(target, config, set(settings.staging_services) - set(settings.services))
    scene = look(engine, project, service, None)
    return _shown(engine, settings, tags, scene.runs, scene.known, scene.recorded)
