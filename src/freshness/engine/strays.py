"""Finds the container that may be meant by a target without one, after a service or a project was renamed."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from freshness.core.deployment import Role
from freshness.core.image import same_tag
from freshness.engine.client import Engine, engine_call
from freshness.engine.containers import ONE_OFF_LABEL, PROJECT_LABEL, SERVICE_LABEL
from freshness.engine.deployments import read_roles


class MissingTarget(Struct, frozen=True, kw_only=True):
    """A target without a container. `services` are those of its project's file, `image` its tag, empty for none.

    `port` is where it should be published, None where nobody says; what publishes `not_on` is not meant.
    """

    role: Role
    project: str
    service: str
    services: frozenset[str]
    image: str = ""
    port: int | None = None
    not_on: int | None = None


def find_strays(engine: Engine, sought: MissingTarget) -> Iterator[str]:
    """In words, each container that may be meant, and by what it can be named."""
    roles = read_roles(engine)
    with engine_call("listing the containers"):
        listed = engine.client.api.containers(all=True)
    for entry in listed:
        labels = entry.get("Labels") or {}
        place = labels.get(PROJECT_LABEL, ""), labels.get(SERVICE_LABEL, "")
        role = roles.get(place)
        if place == (sought.project, sought.service) or role not in {None, sought.role}:
            continue
        if labels.get(ONE_OFF_LABEL) == "True" or (sought.not_on and _publishes(entry, sought.not_on)):
            continue
        reasons = list(_reasons(entry, place, role, sought))
        if reasons:
            yield _in_words(entry, place, reasons, sought)


def _reasons(
    entry: Mapping[str, Any], place: tuple[str, str], role: Role | None, sought: MissingTarget
) -> Iterator[str]:
    project, service = place
    if sought.port and _publishes(entry, sought.port):
        yield f"publishes {sought.port}"
    if sought.image and entry.get("Image") and same_tag(entry["Image"].partition("@")[0], sought.image):
        yield f"runs {sought.image}"
    if project == sought.project and service not in sought.services:
        yield "is of this project, whose Compose file does not have its service"
    if project == sought.project and role is sought.role:
        yield f"is recorded as {role.value}"


def _publishes(entry: Mapping[str, Any], port: int) -> bool:
    return any(at.get("PublicPort") == port and at["Type"] == "tcp" for at in entry.get("Ports") or ())


def _in_words(entry: Mapping[str, Any], place: tuple[str, str], reasons: list[str], sought: MissingTarget) -> str:
    name = entry["Names"][0].removeprefix("/") if entry.get("Names") else entry["Id"][:12]
    project, service = place
    found = f"{name} ({entry['State']}) {' and '.join(reasons)}."
    said = f"{sought.role.value}: {sought.service} has no container, but {found}"
    if not project:
        return f"{said} No Compose project has it."
    option = "service" if sought.role is Role.PRODUCTION else "staging-service"
    where = "project" if sought.role is Role.PRODUCTION else "staging-project"
    return f"{said} It is the service {service} of the project {project}: `--{option} {service} --{where} {project}`."
