"""Looks at the Engine and at what answers on the demo's ports: what the demo's rows are judged by."""

import io
import json
import re
import tarfile
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from demo.command import DemoError, output, text
from demo.places import COMPOSE_PROJECT, PORTS, SHOP_PROJECT

_LABEL = "com.docker.compose."
REVISION_LABEL = "org.opencontainers.image.revision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container of one of the Compose projects, running or not. `folder` is where Compose found the project."""

    id: str
    project: str
    name: str
    service: str
    image_id: str
    is_running: bool
    started_at: str
    folder: Path


def containers() -> tuple[Container, ...]:
    """All of the demo's projects, whoever started them."""
    ids = [found for project in projects() for found in of_project(project, "ps", "--all", "--no-trunc")]
    return tuple(_read(found) for found in json.loads(output("docker", "inspect", *ids))) if ids else ()


def projects() -> list[str]:
    """Those of the board and the shop, and each throwaway project that a gate of the shop was killed in."""
    label = f"{_LABEL}project"
    listed = text("docker", "ps", "--all", "--filter", f"label={label}", "--format", f'{{{{.Label "{label}"}}}}')
    thrown_away = {name for name in listed.split() if re.fullmatch(rf"{SHOP_PROJECT}-gate-[0-9a-f]{{16}}", name)}
    return [COMPOSE_PROJECT, SHOP_PROJECT, *sorted(thrown_away)]


def of_project(project: str, *listing: str) -> list[str]:
    """What `docker … --quiet` lists of the Compose project: containers, networks or volumes."""
    return text("docker", *listing, "--quiet", "--filter", f"label={_LABEL}project={project}").split()


def _read(found: dict[str, Any]) -> Container:
    labels = found["Config"]["Labels"]
    return Container(
        id=found["Id"],
        project=labels[f"{_LABEL}project"],
        name=found["Name"].removeprefix("/"),
        service=labels.get(f"{_LABEL}service", ""),
        image_id=found["Image"],
        is_running=found["State"]["Status"] == "running",
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
        if (found.project, found.service) == (COMPOSE_PROJECT, service):
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
    answer = ask(PORTS[service], "/version")
    return str(answer.get("revision", "")) if isinstance(answer, dict) else ""


def ask(port: int, path: str) -> Any:
    """The JSON that is answered on this machine's port; None where none is."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())
    except (OSError, HTTPException, ValueError):
        return None
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
