"""A Swarm as its manager describes it: a service, the tasks of its slots, and the nodes that these run on."""

import re
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any, ClassVar

from msgspec import Struct

from freshness.core.discreet import Discreet
from freshness.core.hexid import is_image_id
from freshness.core.image import repository_of
from freshness.core.manifest import Platform
from freshness.core.registry_name import Reference, Repository

STACK_LABEL = "com.docker.stack.namespace"
UNDER_WAY = frozenset({"updating", "rollback_started"})
STOPPED = frozenset({"paused", "rollback_paused"})
TAKEN_BACK = frozenset({"rollback_started", "rollback_completed", "rollback_paused"})


class Service(Discreet, frozen=True, kw_only=True):
    """A service with its `spec` as it came, of which nothing may get lost in a write.

    `state` is that of its last update in Swarm's words, empty where there was none since its last write; `message` says
    why. `before` is the spec that Swarm would roll back to, empty where there is none.
    """

    unshown: ClassVar = ("spec", "before")
    id: str
    version: int
    spec: Mapping[str, Any]
    before: Mapping[str, Any]
    state: str
    message: str
    updated: str

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> "Service":
        """From the Engine's answer."""
        update = found.get("UpdateStatus") or {}
        return cls(
            id=found["ID"],
            version=found["Version"]["Index"],
            spec=found["Spec"],
            before=found.get("PreviousSpec") or {},
            state=update.get("State") or "",
            message=update.get("Message") or "",
            updated=found.get("UpdatedAt") or "",
        )

    @property
    def name(self) -> str:
        return str(self.spec["Name"])

    @property
    def short_name(self) -> str:
        """The name within its stack, as the stack's file has it."""
        return self.name.removeprefix(f"{self.stack}_" if self.stack else "")

    @property
    def stack(self) -> str:
        """Empty where it is of none."""
        return self.labels.get(STACK_LABEL, "")

    @property
    def labels(self) -> Mapping[str, str]:
        found: Mapping[str, str] = self.spec.get("Labels") or {}
        return found

    @property
    def container(self) -> Mapping[str, Any]:
        """What its containers are made of."""
        found: Mapping[str, Any] = self.spec["TaskTemplate"].get("ContainerSpec") or {}
        return found

    @property
    def image(self) -> str:
        """As the spec spells it."""
        return image_in(self.spec)

    @property
    def mode(self) -> str:
        """Such as `Replicated`, or `Global`."""
        return str(next(iter(self.spec.get("Mode") or {"Replicated": {}})))

    @property
    def replicas(self) -> int:
        """How many tasks are wanted."""
        replicated = (self.spec.get("Mode") or {}).get("Replicated") or {}
        return int(replicated.get("Replicas", 1))

    @property
    def runs_always(self) -> bool:
        """Whether it has tasks that are started anew when they end."""
        return self.mode == "Global" or (self.mode == "Replicated" and self.replicas > 0)

    @property
    def host_ports(self) -> tuple[int, ...]:
        """The ports that each of its tasks takes on its own node."""
        ports = (self.spec.get("EndpointSpec") or {}).get("Ports") or ()
        return tuple(port.get("PublishedPort", 0) for port in ports if port.get("PublishMode") == "host")

    @property
    def starts_first(self) -> bool:
        """Whether an update, or the way back, starts the new task before the old one stops."""
        configs = (self.spec.get("UpdateConfig") or {}, self.spec.get("RollbackConfig") or {})
        return any(one.get("Order") == "start-first" for one in configs)

    def shortest_update(self, hold: float) -> float:
        """Seconds that it takes at least to prove an update.

        That is a delay for each round of tasks, and then the time that Swarm monitors, or `hold` seconds.
        """
        update = self.spec.get("UpdateConfig") or {}
        at_once = update.get("Parallelism", 1) or self.replicas
        rounds = -(-self.replicas // max(at_once, 1))
        delay, monitor = float(update.get("Delay", 0)) * 1e-9, float(update.get("Monitor") or 5_000_000_000) * 1e-9
        return delay * rounds + max(monitor, hold)

    def with_image(self, image: str, ours: Mapping[str, str], platforms: Sequence[Platform]) -> dict[str, Any]:
        """Its spec with this image, and with our labels in place of those that it has; all else stays.

        Where it names the platforms of an image, as Docker's client writes them, it gets those of this one.
        """
        spec = deepcopy(dict(self.spec))
        spec["TaskTemplate"]["ContainerSpec"]["Image"] = image
        if platforms and platforms_in(spec):
            spec["TaskTemplate"]["Placement"]["Platforms"] = [*map(_platform, dict.fromkeys(platforms))]
        spec["Labels"] = {key: value for key, value in self.labels.items() if not is_ours(key)} | dict(ours)
        return spec


class Node(Struct, frozen=True, kw_only=True):
    """A machine of the Swarm. `is_ready`: the managers hear of it, so that they know what runs there."""

    id: str
    name: str
    is_ready: bool

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> "Node":
        """From the Engine's answer."""
        told = found.get("Description") or {}
        return cls(
            id=found["ID"],
            name=told.get("Hostname") or found["ID"],
            is_ready=(found.get("Status") or {}).get("State") == "ready",
        )


class Task(Struct, frozen=True, kw_only=True):
    """A try to fill a slot. `wanted` and `state` are Swarm's words; of a lost node they are the last that it said.

    `since` is by its node's clock, `updated` when the managers heard of its state last, by theirs.
    """

    id: str
    slot: int
    wanted: str
    state: str
    image: str
    node: str
    since: str
    updated: str
    error: str
    status: int | None

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> "Task":
        """From the Engine's answer."""
        told = found.get("Status") or {}
        return cls(
            id=found["ID"],
            slot=found.get("Slot") or 0,
            wanted=found.get("DesiredState") or "",
            state=told.get("State") or "",
            image=image_in(found.get("Spec") and {"TaskTemplate": found["Spec"]}),
            node=found.get("NodeID") or "",
            since=told.get("Timestamp") or "",
            updated=found.get("UpdatedAt") or "",
            error=told.get("Err") or "",
            status=(told.get("ContainerStatus") or {}).get("ExitCode"),
        )


def image_in(spec: Mapping[str, Any] | None) -> str:
    """The image that a spec names; empty where it is a plugin's, or none."""
    return str((((spec or {}).get("TaskTemplate") or {}).get("ContainerSpec") or {}).get("Image") or "")


def platforms_in(spec: Mapping[str, Any] | None) -> tuple[Platform, ...]:
    """Where a spec lets its tasks run, by the image that somebody wrote; empty where it does not say."""
    placement = ((spec or {}).get("TaskTemplate") or {}).get("Placement") or {}
    found = placement.get("Platforms") or ()
    return tuple(Platform(os=one.get("OS") or "", architecture=one.get("Architecture") or "") for one in found)


def _platform(one: Platform) -> dict[str, str]:
    """A node of the architecture `arm` calls itself otherwise: https://github.com/moby/swarmkit/issues/2294."""
    return {"OS": one.os, "Architecture": "" if one.architecture == "arm" else one.architecture}


def is_ours(label: str) -> bool:
    """Whether it is a label of a service that this tool writes."""
    return re.fullmatch(r"freshness\.(run|by|url|image|revision|from|together|previous(\.\d+)?)", label) is not None


def identity(image: str) -> str:
    """What all spellings of one image have in common: its digest, or its ID; else the name as it is."""
    digest = image.rpartition("@")[2]
    return digest if is_image_id(digest) else image


def is_tag(image: str) -> bool:
    """Whether it may name another image on each node, and later."""
    return identity(image) == image and not is_image_id(image)


def find_reference(image: str) -> Reference | None:
    """The image in its registry, None where its name has no digest. Docker's own registry is the default."""
    name, _, digest = image.partition("@")
    repository = repository_of(name)
    return Reference.parse(f"{repository}@{digest}") or Reference.parse(f"docker.io/{repository}@{digest}")


def registry_of(image: str) -> str:
    """The host that the nodes pull it from."""
    repository = Repository.parse(repository_of(image.partition("@")[0]))
    return repository.host if repository else "docker.io"


def names_of(services: Iterable[Service]) -> str:
    """For people."""
    return " and ".join(one.name for one in services)
