"""What is there before the demo and after it: refuses to touch what is not its own, and takes its own away."""

import json
import shutil
import socket
from collections.abc import Iterable, Mapping

from demo import scratch, shop_story
from demo.command import DemoError, text
from demo.engine import Container, containers, of_project, projects, revision_of
from demo.places import (
    COMPOSE_PROJECT,
    FOLDER,
    HOME,
    IMAGES,
    PORTS,
    SHOP,
    SHOP_IMAGE,
    SHOP_PORT,
    SHOP_PROJECT,
    TOOL_CACHE,
)

_RECORD = "freshness.deployment"


def insist_on_this_machine(env: Mapping[str, str]) -> None:
    """Raises DemoError where Docker's commands go to another machine: the boards are asked on this one's ports."""
    host = env.get("DOCKER_HOST", "")
    if host and not host.startswith("unix://"):
        raise DemoError(f"DOCKER_HOST is {host}; the demo needs this machine's own Engine. Unset it, then run again.")


def insist_on_room() -> None:
    """Raises DemoError where something that is not the demo's holds its projects' names or its ports."""
    if others := [found for found in containers() if not _is_ours(found)]:
        raise DemoError(
            f"The Compose project {others[0].project} is here already:"
            f" {', '.join(f'{found.name} of {found.folder}' for found in others)}. {_STAND_BACK}"
            " Is it another checkout's demo? `make demo-down` there."
        )
    if volumes := of_project(SHOP_PROJECT, "volume", "ls"):
        raise DemoError(
            f"Volumes of a Compose project {SHOP_PROJECT} are here already: {', '.join(volumes)}. {_STAND_BACK}"
            f" Left over? docker volume rm {' '.join(volumes)}"
        )
    if foreign := [tag for tag in _tags() if not _is_known(tag)]:
        raise DemoError(
            f"Images that the demo did not make have its names: {', '.join(foreign)}. {_STAND_BACK}"
            f" Left over? docker image rm {' '.join(foreign)}"
        )
    if taken := [who for port in (*PORTS.values(), SHOP_PORT) if (who := _holder(port))]:
        raise DemoError(f"{' '.join(taken)} Stop that, then run `make demo` again.")


_STAND_BACK = "The demo leaves them alone and does not start."


def take_down(*, keep_installed: bool = False) -> list[str]:
    """Removes the demo's containers, networks, volumes, images and folder, nothing else. Returns what, in words."""
    here, found = projects(), containers()
    ours = [container for container in found if _is_ours(container)]
    removed = [f"the container {container.name}" for container in ours]
    if ours:
        text("docker", "rm", "--force", "--volumes", *(container.id for container in ours))
    foreign = {container.project for container in found if container not in ours}
    removed += _remove_around(project for project in here if project not in foreign)
    removed += [f"{len(records)} records of deployments"] if (records := _remove_records()) else []
    if tags := [tag for tag in _tags() if _is_known(tag)]:
        text("docker", "image", "rm", *tags)
        removed.append(f"{len(tags)} image tags")
    _remove_folder(keep_installed=keep_installed)
    return removed


def _is_ours(container: Container) -> bool:
    """Compose labels a container with the folder it was made from: the demo's are workspaces in the demo's folder."""
    return container.folder.is_relative_to(FOLDER)


def _tags() -> list[str]:
    """Every tag of the images that staging and production run, and ran."""
    listed = (
        text("docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", repository)
        for repository in (*IMAGES.values(), SHOP_IMAGE)
    )
    return [tag for lines in listed for tag in lines.split() if not tag.endswith(":<none>")]


def _is_known(tag: str) -> bool:
    """Whether the image was built from one of the demo's own commits."""
    return revision_of(tag) in _commits()


def _commits() -> set[str]:
    return scratch.CHECKOUT.commits() | shop_story.CHECKOUT.commits()


def _remove_around(these: Iterable[str]) -> list[str]:
    """The networks of the projects of which no container is left, and the shop's volumes. Returns what, in words."""
    removed = []
    for project in these:
        if networks := of_project(project, "network", "ls") if FOLDER.is_dir() else []:
            text("docker", "network", "rm", *networks)
            removed.append(f"the network of {project}")
        is_shops = SHOP.is_dir() and project != COMPOSE_PROJECT
        if volumes := of_project(project, "volume", "ls") if is_shops else []:
            text("docker", "volume", "rm", *volumes)
            removed.append(f"the volume of {project}")
    return removed


def _remove_records() -> list[str]:
    """The deployments that are recorded of the demo's own commits, and the targets of which no commit is recorded."""
    form = f'{{{{.Name}}}} {{{{.Label "{_RECORD}"}}}} {{{{.Label "freshness.value"}}}}'
    listed = text("docker", "volume", "ls", "--filter", f"label={_RECORD}", "--format", form).splitlines()
    commits = _commits()
    ours = [line.split()[0] for line in listed if commits and _is_recorded_by_us(line, {"", *commits})]
    if ours:
        text("docker", "volume", "rm", *ours)
    return ours


def _is_recorded_by_us(line: str, commits: set[str]) -> bool:
    target, _, value = line.partition(" ")[2].partition(" ")
    is_of_ours = target.partition(".")[0] in {COMPOSE_PROJECT, SHOP_PROJECT}
    return is_of_ours and json.loads(value).get("revision", "") in commits


def _remove_folder(*, keep_installed: bool) -> None:
    if not FOLDER.is_dir():
        return
    if not keep_installed:
        shutil.rmtree(FOLDER)
        return
    for path in (*FOLDER.iterdir(), *TOOL_CACHE.parent.glob("*")):
        if path not in {HOME, TOOL_CACHE}:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _holder(port: int) -> str:
    """Who listens on the port, as a sentence; empty where nobody does."""
    container = text("docker", "ps", "--filter", f"publish={port}", "--format", "{{.Names}}").replace("\n", ", ")
    if container:
        return f"Port {port} is the container {container}'s."
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return f"Another program listens on port {port}."
    return ""
