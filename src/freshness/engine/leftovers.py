"""Cleans up after an interrupted Compose: a second container of the service, and a wrong name."""

from contextlib import suppress

import docker

from freshness.core.compose import Target
from freshness.engine.client import engine_call
from freshness.engine.containers import Container, service_containers
from freshness.engine.lock import Lease


def keep_one_container(lease: Lease, target: Target, image_id: str) -> None:
    """Leaves the service one container at most, under its proper name: the one with this image, where there is one.

    Compose makes the new container as `<old ID>_<name>`, stops and removes the old one, and renames the new one.
    """
    found = service_containers(lease.engine, target.project, target.service)
    if found:
        wanted = max(found, key=lambda one: (one.image_id == image_id, one.runs, one.name == target.container))
        keep_only(lease, target, wanted)


def keep_only(lease: Lease, target: Target, stays: Container, *, volumes: bool = False) -> None:
    """Removes the service's other containers, and gives this one its proper name."""
    for container in service_containers(lease.engine, target.project, target.service):
        if container.id != stays.id:
            stop_and_remove(lease, container, volumes=volumes)
    if stays.name != target.container:
        lease.require()
        with engine_call(f"renaming the container {stays.name}"):
            lease.engine.client.api.rename(stays.id, target.container)


def keep_only_running(lease: Lease, target: Target, image_id: str, first: Container | None) -> Container | None:
    """Leaves the service what still runs this image, alone: `first` where it does, else the oldest. None: nothing does.

    What it had beside it goes with its anonymous volumes, which nothing served from yet.
    """
    found = service_containers(lease.engine, target.project, target.service)
    running = [one for one in found if one.runs and one.image_id == image_id]
    if not running:
        return None
    stays = min(running, key=lambda one: (first is None or one.id != first.id, one.started_at))
    keep_only(lease, target, stays, volumes=True)
    return stays


def stop_and_remove(lease: Lease, container: Container, *, volumes: bool = False) -> None:
    """Stops the container with its own signal and grace, and removes it; one that is gone already is fine.

    `volumes`: with its anonymous ones, which nothing served from yet.
    """
    lease.require()
    with engine_call(f"removing the container {container.name}"), suppress(docker.errors.NotFound):
        if container.runs:
            lease.engine.client.api.stop(container.id, timeout=container.grace)  # docker-py waits as much longer
        lease.engine.client.api.remove_container(container.id, force=True, v=volumes)
