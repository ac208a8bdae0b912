"""What runs at a target and who put it there, as the labels of one volume on the Docker host say it."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum

DEPLOYMENT_LABEL = "freshness.deployment"
"""The label that every volume of a deployment record has; its value is the target's name."""

_NUMBER_LABEL = "freshness.number"
_VALUE_LABEL = "freshness.value"
_CONFIGURATION_LABEL = "freshness.configuration"  # of what runs; `.IMAGE` stands behind it for what ran before


class Role(StrEnum):
    """What a target is to its application."""

    STAGING = "staging"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """An image that ran at a target before, with its `revision` and `configuration` (see Deployment).

    `replaced` is when, in the Engine's words. `left` says that a rollback went past it: none goes there by itself.
    """

    image: str
    revision: str = ""
    configuration: str = field(default="", repr=False)
    replaced: str = ""
    left: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What one run put at a target. It outlives containers, every prune, and a change of the image store.

    `repository` is the source's `owner/name`, empty where it was not known. `files` are the Compose files: paths within
    the repository, or absolute ones. `ports` are as `docker port` writes them, `127.0.0.1:8500->8000/tcp`. `image` is
    the image ID, `revision` the commit that it was proven to be built from. `configuration` is the service as Compose
    rendered it (core/configuration.py), in JSON; it holds interpolated values, may be read by whoever may use Docker,
    and is never logged. `made` is Compose's hash in the container that was made of it: another one was made by somebody
    else. `kept` is what ran before, the newest first. What is not known is empty.

    Where only a tag is moved, `project` is empty, and `service` is the tag.
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
    configuration: str = field(default="", repr=False)
    made: str = ""
    kept: tuple[Served, ...] = ()

    @property
    def target(self) -> str:
        """The target's name; a project's name has no dot, so no two services share one."""
        return target_name(self.project, self.service)

    def served(self, image: str) -> Served | None:
        """What is known of this image here, be it what runs or what ran before; None where nothing is."""
        if image and image == self.image:
            return Served(image=image, revision=self.revision, configuration=self.configuration)
        return next((one for one in self.kept if one.image == image), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A volume of a record: its `name`, its `number` (the highest counts), and since when, in the Engine's words."""

    name: str
    number: int
    since: str
    deployment: Deployment


def served_then(
    before: Deployment, kept: Iterable[str], *, previous: Served | None, left: Collection[str], now: str
) -> tuple[Served, ...]:
    """What ran before, once something else serves: one for each of the images that are `kept`, the newest first.

    `previous` is what was replaced `now`. `left` are the images that a rollback went past; who was left before stays
    so, until it is promoted again and is no kept one any more.
    """
    known = {served.image: served for served in before.kept}
    if previous:
        known[previous.image] = replace(previous, replaced=now, left=False)
    found = (known.get(image) or Served(image=image) for image in kept)
    return tuple(replace(one, left=one.left or one.image in left) for one in found)


def target_name(project: str, service: str) -> str:
    """How records and locks call a Compose service."""
    return f"{project}.{service}"


def newest(records: Iterable[Recorded]) -> Recorded | None:
    """The record that counts: between the writing of one and the removal of the one before there are two."""
    return max(records, key=lambda one: one.number, default=None)


def to_labels(deployment: Deployment, number: int) -> dict[str, str]:
    """The labels of the record's volume; `from_labels` reads them.

    Each configuration has a label of its own, which a person can give to Compose as it is.
    """
    said = asdict(deployment)
    configurations = {_CONFIGURATION_LABEL: said.pop("configuration")}
    for served in said["kept"]:
        configurations[f"{_CONFIGURATION_LABEL}.{served['image']}"] = served.pop("configuration")
    value = json.dumps(said, separators=(",", ":"), sort_keys=True)
    known = {name: text for name, text in configurations.items() if text}
    return {DEPLOYMENT_LABEL: deployment.target, _NUMBER_LABEL: str(number), _VALUE_LABEL: value, **known}


def from_labels(labels: Mapping[str, str]) -> tuple[int, Deployment] | None:
    """Number and deployment, or None where the labels are not what `to_labels` writes.

    Names that only a later release knows are passed over.
    """
    try:
        number, said = int(labels[_NUMBER_LABEL]), json.loads(labels[_VALUE_LABEL])
        texts = {name: str(said.get(name, "")) for name in ("repository", "container", "image", "revision", "made")}
        deployment = Deployment(
            project=str(said["project"]),
            service=str(said["service"]),
            role=Role(said["role"]),
            files=tuple(map(str, said.get("files", ()))),
            ports=tuple(map(str, said.get("ports", ()))),
            configuration=labels.get(_CONFIGURATION_LABEL, ""),
            kept=tuple(_read_served(one, labels) for one in said.get("kept", ())),
            **texts,
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return (number, deployment) if labels.get(DEPLOYMENT_LABEL) == deployment.target else None


def _read_served(said: Mapping[str, object], labels: Mapping[str, str]) -> Served:
    image = str(said["image"])
    return Served(
        image=image,
        revision=str(said.get("revision", "")),
        configuration=labels.get(f"{_CONFIGURATION_LABEL}.{image}", ""),
        replaced=str(said.get("replaced", "")),
        left=said.get("left") is True,
    )
