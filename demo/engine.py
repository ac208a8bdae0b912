"""Looks at the Engine and at the two boards: what the demo's rows are judged by."""

import io
import json
import tarfile
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from demo.command import DemoError, output, text
from demo.places import COMPOSE_PROJECT, PORTS

_LABEL = "com.docker.compose."
REVISION_LABEL = "org.opencontainers.image.revision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container of the Compose project, running or not. `folder` is where Compose found the project."""

    id: str
    name: str
    service: str
    image_id: str
    started_at: str
    folder: Path


def containers() -> tuple[Container, ...]:
    """All of the project's, whoever started them."""
    ids = text("docker", "ps", "-aq", "--no-trunc", "--filter", f"label={_LABEL}project={COMPOSE_PROJECT}").split()
    return tuple(_read(found) for found in json.loads(output("docker", "inspect", *ids))) if ids else ()


def _read(found: dict[str, Any]) -> Container:
    labels = found["Config"]["Labels"]
    return Container(
        id=found["Id"],
        name=found["Name"].removeprefix("/"),
        service=labels.get(f"{_LABEL}service", ""),
        image_id=found["Image"],
        started_at=found["State"]["StartedAt"],
        folder=Path(labels.get(f"{_LABEL}project.working_dir", "/")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What a target runs, and the commit that it says it is; all empty where there is no container."""

    container: str = ""
    since: str = ""
    image_id: str = ""
    revision: str = ""


def serving(service: str) -> Serving:
    """What the service runs now, asked of the Engine and of the board."""
    for found in containers():
        if found.service == service:
            return Serving(
                container=found.id,
                since=found.started_at,
                image_id=found.image_id,
                revision=revision_served(service),
            )
    return Serving()


def image_id(name: str) -> str:
    """The ID of the image that has this name, or empty."""
    try:
        return text("docker", "image", "inspect", "--format", "{{.Id}}", name)
    except DemoError:
        return ""


def revision_of(image: str) -> str:
    """The commit that the image's label claims, or empty."""
    return text("docker", "image", "inspect", "--format", f'{{{{index .Config.Labels "{REVISION_LABEL}"}}}}', image)


def revision_served(service: str) -> str:
    """The commit that the board says it was built from; empty where it does not answer."""
    connection = HTTPConnection("127.0.0.1", PORTS[service], timeout=5)
    try:
        connection.request("GET", "/version")
        return str(json.loads(connection.getresponse().read())["revision"])
    except (OSError, HTTPException, ValueError, LookupError):
        return ""
    finally:
        connection.close()


def files_in(container: str, folder: str) -> dict[str, bytes]:
    """Name → content of every file below `folder` of the container, names relative to it."""
    above = f"{Path(folder).name}/"
    archived = read_tar(output("docker", "cp", f"{container}:{folder}", "-"))
    return {name.removeprefix(above): content for name, content in archived.items()}


def read_tar(archive: bytes) -> dict[str, bytes]:
    """Name → content of the regular files of a tar archive."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: _content(tar, member) for member in tar if member.isfile()}


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    return file.read() if file else b""
