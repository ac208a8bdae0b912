"""Reads the containers that Compose, or this tool, would replace at a target."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import docker

from freshness.core.compose import Target
from freshness.core.ownership import HASH_LABEL, ExistingContainer, is_seen_by_compose, why_not_from_compose
from freshness.core.published import published_by_container
from freshness.engine.client import Engine, engine_call
from freshness.engine.containers import FILES_LABEL, PROJECT_LABEL, SERVICE_LABEL, split_files
from freshness.engine.rendered import FILE_NAME

_ENV_FILES_LABEL = "com.docker.compose.project.environment_file"

NameFiles = Callable[[tuple[str, ...]], tuple[str, ...]]
"""Absolute paths, as labels have them, become the names by which files are compared."""
AreOurs = Callable[[tuple[str, ...]], bool]
"""Whether absolute paths are this run's own files."""


def find_existing(
    engine: Engine, target: Target, *, name_files: NameFiles, is_ours: AreOurs
) -> tuple[ExistingContainer, ...]:
    """All of them, running or not. Raises EngineError."""
    labels = [f"{PROJECT_LABEL}={target.project}", f"{SERVICE_LABEL}={target.service}"]
    found = []
    with engine_call(f"listing the containers of {target.service}"):
        for entry in engine.client.api.containers(all=True, filters={"label": labels}):
            if not is_seen_by_compose(entry.get("Labels") or {}):
                continue
            with suppress(docker.errors.NotFound):  # it went meanwhile
                found.append(_read(engine, engine.client.api.inspect_container(entry["Id"]), name_files, is_ours))
    return tuple(found)


def _read(engine: Engine, found: Mapping[str, Any], name_files: NameFiles, is_ours: AreOurs) -> ExistingContainer:
    labels = found["Config"].get("Labels") or {}
    files = split_files(labels.get(FILES_LABEL, ""))
    image = _image_config(engine, found["Image"])
    given = set(found["Config"].get("Env") or ()) - set(image.get("Env") or ()) if image else set()
    return ExistingContainer(
        name=found["Name"].removeprefix("/"),
        ports=published_by_container(found["HostConfig"].get("PortBindings") or {}),
        files=name_files(files),
        env_files=name_files(split_files(labels.get(_ENV_FILES_LABEL, ""))),
        is_same_file=is_ours(files),
        configuration=labels.get(HASH_LABEL, ""),
        is_recorded=files == (FILE_NAME,),
        doubt=why_not_from_compose(labels, image.get("Labels") or {}),
        variables=frozenset(
            name
            for name, _, value in (one.partition("=") for one in given)
            if value and not name.lower().endswith("_proxy")  # Compose takes these from Docker's own configuration
        ),
    )


def _image_config(engine: Engine, image_id: str) -> Mapping[str, Any]:
    """Empty where the image is gone: then its container cannot have been started from it by hand just now."""
    with suppress(docker.errors.ImageNotFound):
        return engine.client.api.inspect_image(image_id).get("Config") or {}  # type: ignore[no-untyped-call]
    return {}
