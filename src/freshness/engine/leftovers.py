"""Puts in order what Compose leaves behind when it is cut: a second container of the service, and a wrong name."""

from contextlib import suppress

import docker

from freshness.core.compose import Target
from freshness.engine.client import asking
from freshness.engine.containers import Container, service_containers
from freshness.engine.lock import Hold


def tidy(hold: Hold, target: Target, image_id: str) -> None:
    """Leaves the service one container at most, under its proper name: the one with this image, where there is one.

    Compose makes the new container as `<old ID>_<name>`, stops and removes the old one, and renames the new one.
    """
    found = service_containers(hold.engine, target.project, target.service)
    if found:
        wanted = max(found, key=lambda one: (one.image_id == image_id, one.runs, one.name == target.container))
        leave_only(hold, target, wanted)


def leave_only(hold: Hold, target: Target, stays: Container, *, volumes: bool = False) -> None:
    """Retires the service's other containers, and gives this one its proper name."""
    for container in service_containers(hold.engine, target.project, target.service):
        if container.id != stays.id:
            retire(hold, container, volumes=volumes)
    if stays.name != target.container:
        hold.insist()
        with asking(f"renaming the container {stays.name}"):
            hold.engine.client.api.rename(stays.id, target.container)


def leave_running(hold: Hold, target: Target, image_id: str, first: Container | None) -> Container | None:
    """Leaves the service what still runs this image, alone: `first` where it does, else the oldest. None: nothing does.

    What it had beside it goes with its anonymous volumes, which nothing served from yet.
    """
    found = service_containers(hold.engine, target.project, target.service)
    running = [one for one in found if one.runs and one.image_id == image_id]
    if not running:
        return None
    stays = min(running, key=lambda one: (first is None or one.id != first.id, one.started_at))
    leave_only(hold, target, stays, volumes=True)
    return stays


def retire(hold: Hold, container: Container, *, volumes: bool = False) -> None:
    """Stops the container with its own signal and grace, and removes it; one that is gone already is fine.

    `volumes`: with its anonymous ones, which nothing served from yet.
    """
    hold.insist()
    with asking(f"removing the container {container.name}"), suppress(docker.errors.NotFound):
        if container.runs:
            hold.engine.client.api.stop(container.id, timeout=container.grace)  # docker-py waits as much longer
        hold.engine.client.api.remove_container(container.id, force=True, v=volumes)
