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
    if not found:
        return
    stays = max(found, key=lambda one: (one.image_id == image_id, one.runs, one.name == target.container))
    for container in found:
        if container.id != stays.id:
            retire(hold, container)
    if stays.name != target.container:
        hold.insist()
        with asking(f"renaming the container {stays.name}"):
            hold.engine.client.api.rename(stays.id, target.container)


def retire(hold: Hold, container: Container) -> None:
    """Stops the container with its own signal and grace, and removes it; one that is gone already is fine."""
    hold.insist()
    with asking(f"removing the container {container.name}"), suppress(docker.errors.NotFound):
        if container.runs:
            hold.engine.client.api.stop(container.id)
        hold.engine.client.api.remove_container(container.id, force=True)
