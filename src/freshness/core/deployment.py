"""What runs at a target and who put it there, as the labels of one volume on the Docker host say it."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import ClassVar

from msgspec import Struct, field, to_builtins
from msgspec.structs import replace

from freshness.core.discreet import Discreet

DEPLOYMENT_LABEL = "freshness.deployment"
"""The label that every volume of a deployment record has; its value is the target's name."""

MOST_CONFIGURATIONS = 5
"""Of one image, with which it ran before."""
_NUMBER_LABEL = "freshness.number"
_TEXTS = ("repository", "container", "image", "revision", "made", "who", "run")
_VALUE_LABEL = "freshness.value"
_CONFIGURATION_LABEL = "freshness.configuration"  # of what runs; `.IMAGE` stands behind it for what ran before


class Role(StrEnum):
    """What a target is to its application."""

    STAGING = "staging"
    PRODUCTION = "production"


class Served(Discreet, frozen=True, kw_only=True):
    """An image and what it ran with at a target before: its `revision` and `configuration` (see Deployment).

    `replaced` is when, in the Engine's words. `left` says that a rollback went past it: none goes there by itself.
    """

    unshown: ClassVar = ("configuration",)
    image: str
    revision: str = ""
    configuration: str = ""
    replaced: str = ""
    left: bool = False

    def is_as(self, other: "Served") -> bool:
        """Whether it is the same image, and nobody knows of another configuration."""
        return self.image == other.image and self.configuration in {"", other.configuration}


class Deployment(Discreet, frozen=True, kw_only=True):
    """What one run put at a target. It outlives containers, every prune, and a change of the image store.

    `repository` is the source's `owner/name`, empty where it was not known. `files` are the Compose files: paths within
    the repository, or absolute ones. `ports` are as `docker port` writes them, `127.0.0.1:8500->8000/tcp`. `image` is
    the image ID, `revision` the commit that it was proven to be built from. `configuration` is the service as Compose
    rendered it (core/configuration.py), in JSON; it holds interpolated values, may be read by whoever may use Docker,
    and is never logged. `made` is Compose's hash in the container that was made of it: another one was made by somebody
    else. `kept` is what ran before, the newest first. `who` put the image there, in the `run` of this address.
    `references` say of these images where a registry has them, as HOST/NAME@sha256:…. What is not known is empty.

    Where only a tag is moved, `project` is empty, and `service` is the tag.
    """

    unshown: ClassVar = ("configuration",)
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
    made: str = ""
    kept: tuple[Served, ...] = ()
    references: Mapping[str, str] = field(default_factory=dict)
    who: str = ""
    run: str = ""

    @property
    def target(self) -> str:
        """The target's name; a project's name has no dot, so no two services share one."""
        return target_name(self.project, self.service)

    @property
    def image_back(self) -> str:
        """The newest other image that no rollback has left; empty where there is none."""
        return next((one.image for one in self.kept if not one.left and one.image != self.image), "")


class Recorded(Struct, frozen=True, kw_only=True):
    """A volume of a record: its `name`, its `number` (the highest counts), and since when, in the Engine's words."""

    name: str
    number: int
    since: str
    deployment: Deployment


def served_then(
    before: Deployment,
    kept: Iterable[str],
    *,
    current: Served,
    previous: Served | None,
    left: Collection[str],
    now: str,
    goes_back: bool = False,
) -> tuple[Served, ...]:
    """What ran before, once `current` serves, the newest first: what each of the images that are `kept` ran with.

    Of the current image, other configurations that it ran with. `previous` is what was replaced `now`. `left` are the
    images that a rollback went past; with `goes_back` so are all that are newer than what it went to. Who was left
    before stays so, until it is promoted again.
    """
    retained, newer = tuple(kept), _newer(before.kept, current) if goes_back else ()
    ran = replace(previous, replaced=now, left=goes_back) if previous else None
    serving = tuple(one for one in (ran, current) if one)
    found = [ran] if ran else []
    for one in before.kept:
        if any(one.is_as(other) for other in serving) or one.image not in {*retained, current.image}:
            continue
        if sum(other.image == one.image for other in found) < MOST_CONFIGURATIONS:
            found.append(replace(one, left=one.left or one.image in left or one in newer))
    unknown = (image for image in retained if image not in {one.image for one in found})
    return (*found, *(Served(image=image, left=image in left) for image in unknown))


def _newer(kept: Sequence[Served], current: Served) -> tuple[Served, ...]:
    """What ran after this last ran."""
    found = [number for number, one in enumerate(kept) if one.is_as(current)]
    return tuple(kept[: found[0]]) if found else ()


def signed(deployment: Deployment, before: Deployment | None, *, who: str, run: str) -> Deployment:
    """As it is to be recorded: signed by who put the image there, whoever writes down something else of it later."""
    is_new = before is None or (before.image, before.configuration) != (deployment.image, deployment.configuration)
    return replace(deployment, who=who, run=run) if deployment.image and is_new else deployment


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
    said = to_builtins(deployment)
    configurations = {_CONFIGURATION_LABEL: said.pop("configuration")}
    for label, served in zip(_labels_of(said["kept"]), said["kept"], strict=True):
        configurations[label] = served.pop("configuration")
    value = json.dumps(said, separators=(",", ":"), sort_keys=True)
    known = {name: text for name, text in configurations.items() if text}
    return {DEPLOYMENT_LABEL: deployment.target, _NUMBER_LABEL: str(number), _VALUE_LABEL: value, **known}


def from_labels(labels: Mapping[str, str]) -> tuple[int, Deployment] | None:
    """Number and deployment, or None where the labels are not what `to_labels` writes.

    Names that only a later release knows are passed over.
    """
    try:
        number, said = int(labels[_NUMBER_LABEL]), json.loads(labels[_VALUE_LABEL])
        texts = {name: str(said.get(name, "")) for name in _TEXTS}
        deployment = Deployment(
            project=str(said["project"]),
            service=str(said["service"]),
            role=Role(said["role"]),
            files=tuple(map(str, said.get("files", ()))),
            ports=tuple(map(str, said.get("ports", ()))),
            configuration=labels.get(_CONFIGURATION_LABEL, ""),
            kept=_read_kept(said.get("kept", ()), labels),
            references={str(image): str(name) for image, name in said.get("references", {}).items()},
            **texts,
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return (number, deployment) if labels.get(DEPLOYMENT_LABEL) == deployment.target else None


def _labels_of(kept: Iterable[Mapping[str, object]]) -> tuple[str, ...]:
    """The label of each one's configuration: the image's, and of an image's second one with a number behind it."""
    images = [str(one["image"]) for one in kept]
    numbers = [images[:place].count(image) + 1 for place, image in enumerate(images)]
    return tuple(
        f"{_CONFIGURATION_LABEL}.{image}{f'.{number}' if number > 1 else ''}"
        for image, number in zip(images, numbers, strict=True)
    )


def _read_kept(said: Sequence[Mapping[str, object]], labels: Mapping[str, str]) -> tuple[Served, ...]:
    return tuple(
        Served(
            image=str(one["image"]),
            revision=str(one.get("revision", "")),
            configuration=labels.get(label, ""),
            replaced=str(one.get("replaced", "")),
            left=one.get("left") is True,
        )
        for one, label in zip(said, _labels_of(said), strict=True)
    )
