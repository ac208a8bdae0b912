"""What is there before the demo and after it: refuses to touch what is not its own, and takes its own away."""

import shutil
import socket
from collections.abc import Mapping

from demo.command import DemoError, text
from demo.engine import Container, containers, revision_of
from demo.places import COMPOSE_PROJECT, FOLDER, HOME, IMAGES, PORTS, PROJECT, TOOL_CACHE
from demo.scratch import git


def insist_on_this_machine(env: Mapping[str, str]) -> None:
    """Raises DemoError where Docker's commands go to another machine: the boards are asked on this one's ports."""
    host = env.get("DOCKER_HOST", "")
    if host and not host.startswith("unix://"):
        raise DemoError(f"DOCKER_HOST is {host}; the demo needs this machine's own Engine. Unset it, then run again.")


def insist_on_room() -> None:
    """Raises DemoError where something that is not the demo's holds the project's names or its ports."""
    if foreign := [f"{found.name} of {found.folder}" for found in containers() if not _is_ours(found)]:
        raise DemoError(
            f"The Compose project {COMPOSE_PROJECT} is here already: {', '.join(foreign)}. {_STAND_BACK}"
            " Is it another checkout's demo? `make demo-down` there."
        )
    if foreign := [tag for tag in _tags() if not _is_known(tag)]:
        raise DemoError(
            f"Images that the demo did not make have its names: {', '.join(foreign)}. {_STAND_BACK}"
            f" Left over? docker image rm {' '.join(foreign)}"
        )
    if taken := [who for port in PORTS.values() if (who := _holder(port))]:
        raise DemoError(f"{' '.join(taken)} Stop that, then run `make demo` again.")


_STAND_BACK = "The demo leaves them alone and does not start."


def take_down(*, keep_installed: bool = False) -> list[str]:
    """Removes the demo's containers, network, images and folder, nothing else. Returns what it removed, in words."""
    found = containers()
    ours = [container for container in found if _is_ours(container)]
    removed = [f"the container {container.name}" for container in ours]
    if ours:
        text("docker", "rm", "--force", "--volumes", *(container.id for container in ours))
    removed += [f"the network {name}" for name in _remove_networks()] if len(ours) == len(found) else []
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
        for repository in IMAGES.values()
    )
    return [tag for lines in listed for tag in lines.split() if not tag.endswith(":<none>")]


def _is_known(tag: str) -> bool:
    """Whether the image was built from one of the demo's own commits."""
    return revision_of(tag) in _commits()


def _commits() -> set[str]:
    return set(git("rev-list", "--all", "--reflog").split()) if (PROJECT / ".git").is_dir() else set()


def _remove_networks() -> list[str]:
    """The project's networks, once no container of it is left."""
    label = f"label=com.docker.compose.project={COMPOSE_PROJECT}"
    names = text("docker", "network", "ls", "--filter", label, "--format", "{{.Name}}").split()
    if names and FOLDER.is_dir():
        text("docker", "network", "rm", *names)
        return names
    return []


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
