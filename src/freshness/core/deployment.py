"""What runs at a target and who put it there, as the labels of one volume on the Docker host say it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

DEPLOYMENT_LABEL = "freshness.deployment"
"""The label that every volume of a deployment record has; its value is the target's name."""

_NUMBER_LABEL = "freshness.number"
_VALUE_LABEL = "freshness.value"


class Role(StrEnum):
    """What a target is to its application."""

    STAGING = "staging"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What one run put at a target. It outlives containers, every prune, and a change of the image store.

    `repository` is the source's `owner/name`, empty where it was not known. `files` are the Compose files: paths within
    the repository, or absolute ones. `ports` are as `docker port` writes them, `127.0.0.1:8500->8000/tcp`. `image` is
    the image ID, `revision` the commit that it was proven to be built from. `configuration` is the service as Compose
    rendered it, in JSON; it holds interpolated values, and may be read by whoever may use Docker. What is not known is
    empty.
    """

    project: str
    service: str
    role: Role
    repository: str = ""
    files: tuple[str, ...] = ()
    container: str = ""
    ports: tuple[str, ...] = ()
    image: str = ""
    revision: str = ""
    configuration: str = ""

    @property
    def target(self) -> str:
        """The target's name; a project's name has no dot, so no two services share one."""
        return target_name(self.project, self.service)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A volume of a record: its `name`, its `number` (the highest counts), and since when, in the Engine's words."""

    name: str
    number: int
    since: str
    deployment: Deployment


def target_name(project: str, service: str) -> str:
    """How records and locks call a Compose service."""
    return f"{project}.{service}"


def newest(records: Iterable[Recorded]) -> Recorded | None:
    """The record that counts: between the writing of one and the removal of the one before there are two."""
    return max(records, key=lambda one: one.number, default=None)


def to_labels(deployment: Deployment, number: int) -> dict[str, str]:
    """The labels of the record's volume; `from_labels` reads them."""
    value = json.dumps(asdict(deployment), separators=(",", ":"), sort_keys=True)
    return {DEPLOYMENT_LABEL: deployment.target, _NUMBER_LABEL: str(number), _VALUE_LABEL: value}


def from_labels(labels: Mapping[str, str]) -> tuple[int, Deployment] | None:
    """Number and deployment, or None where the labels are not what `to_labels` writes.

    Names that only a later release knows are passed over.
    """
    try:
        number, said = int(labels[_NUMBER_LABEL]), json.loads(labels[_VALUE_LABEL])
        texts = {name: str(said.get(name, "")) for name in ("repository", "container", "image", "revision")}
        deployment = Deployment(
            project=str(said["project"]),
            service=str(said["service"]),
            role=Role(said["role"]),
            files=tuple(map(str, said.get("files", ()))),
            ports=tuple(map(str, said.get("ports", ()))),
            configuration=str(said.get("configuration", "")),
            **texts,
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return (number, deployment) if labels.get(DEPLOYMENT_LABEL) == deployment.target else None
