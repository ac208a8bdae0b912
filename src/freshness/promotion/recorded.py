"""Where the Compose file cannot be read, a rollback goes by the record: it has what production runs with."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from freshness.core.compose import Wanted, read_target
from freshness.core.deployment import Deployment, Role
from freshness.core.retained import RetainedTags
from freshness.engine.client import Engine
from freshness.engine.compose_file import NAMES, NO_ENV_FILE, ComposeFile
from freshness.engine.deployments import read_deployment, read_roles
from freshness.engine.images import retained_images
from freshness.errors import Unreadable
from freshness.promotion.configuration import Today
from freshness.promotion.request import Request
from freshness.promotion.subject import Application, settled_health, wanted_of
from freshness.settings.application import ServiceSettings
from freshness.settings.model import PromoteSettings

_NAME = re.compile(r"""^["']?name["']?\s*:\s*["']?([a-z0-9][a-z0-9_-]*)""", re.MULTILINE)


def standing_record(engine: Engine, settings: PromoteSettings, service: str, error: Unreadable) -> Deployment:
    """The record of production's `service`. Raises `error` where there is none, or nobody can tell which.

    Its project is that of the settings, else the one that a Compose file still names, else the only one on the Engine.
    """
    projects = {
        project for (project, name), role in read_roles(engine).items() if name == service and role is Role.PRODUCTION
    }
    project = settings.compose.project
    named = [project] if project else [name for name in _names(settings) if name in projects]
    found = projects.intersection(named) if named else projects
    last = read_deployment(engine, found.pop(), service) if len(found) == 1 else None
    if last is None or not last.deployment.configuration:
        raise error
    return last.deployment


def _names(settings: PromoteSettings) -> Iterator[str]:
    """The project's name, as far as the text of a Compose file says it."""
    for name in settings.compose.files or NAMES:
        path = settings.workspace / name
        if path.is_file():
            yield from _NAME.findall(path.read_text(encoding="utf-8", errors="replace"))


def tags_in_use(engine: Engine, last: Deployment, service: str) -> RetainedTags:
    """The service's retained tags. Only a Compose file tells whether they bear its name; where some do, they do."""
    repository = read_target(json.loads(last.configuration), Wanted(service=service, port=0)).repository
    own = RetainedTags(repository=repository, suffix=f"-{service}")
    return own if retained_images(engine, own) else RetainedTags(repository=repository)


def recorded_subject(engine: Engine, request: Request, error: Unreadable) -> Application:
    """What `read_subject` reads, from the records alone. Raises `error` where there is none."""
    services = request.settings.application.services
    return Application(services=tuple(_recorded(engine, request, one, error) for one in services))


def _recorded(engine: Engine, request: Request, one: ServiceSettings, error: Unreadable) -> Today:
    settings, wanted = request.settings, wanted_of(request.settings, one)
    last = standing_record(engine, settings, one.name, error)
    paths = tuple(settings.workspace / path for path in last.files) or (settings.workspace / "compose.yaml",)
    folder = paths[0].parent
    file = ComposeFile(
        paths=paths,
        folder=folder if folder.is_dir() else Path("/"),
        env_files=tuple(path for path in settings.compose.env_files if path.is_file()) or (NO_ENV_FILE,),
        project=last.project,
        variables=settings.compose.variables,
        only_inputs=settings.compose.only_inputs,
    )
    target = read_target(json.loads(last.configuration), wanted)
    return Today(
        target=target,
        wanted=wanted,
        health=settled_health(settings, one, target, wanted),
        file=file,
        configuration=last.configuration,
        source="",
        retained_tags=tags_in_use(engine, last, one.name),
        recorded_files=last.files,
    )
