"""What a lock is made of: volumes of one Docker host, or configs of a Swarm, which all its managers share."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from http import HTTPStatus
from typing import Any

import docker
from msgspec import Struct

from freshness.core.lock import LOCK_LABEL, is_swarm_lock
from freshness.engine.client import Engine, engine_call

# What every Engine's prune leaves alone is a local volume that has an option; this one is never mounted.
VOLUME_OPTIONS = {"type": "tmpfs", "device": "tmpfs"}
NAME_LABEL = "freshness.name"
"""The name of a lock's object, where a config's own is too short for it."""
_LONGEST = 64  # characters of a config's name
Labels = Mapping[str, str]


class Entry(Struct, frozen=True, kw_only=True):
    """One object of a lock: its `name`, its labels, and when it was made, in the Engine's own words."""

    name: str
    labels: Labels
    since: str


class Volumes(Struct, frozen=True, kw_only=True):
    """Docker creates a volume's name once, and answers who comes later with what is there."""

    engine: Engine
    kind = "volume"

    def create(self, name: str, labels: Labels) -> Labels:
        """The labels of what has the name now: ours, or those of who was first."""
        with engine_call(f"making the lock {name}"):
            made = self.engine.client.api.create_volume(
                name, driver="local", driver_opts=VOLUME_OPTIONS, labels=dict(labels)
            )
        return made["Labels"] or {}

    def find(self, name: str) -> Labels | None:
        """Its labels, None where it is gone."""
        with engine_call(f"looking at the lock {name}"):
            try:
                found: Labels = self.engine.client.api.inspect_volume(name)["Labels"] or {}
            except docker.errors.NotFound:
                return None
        return found

    def listed(self, lock: str) -> Iterator[Entry]:
        """All of one lock."""
        with engine_call(f"looking for the lock {lock}"):
            found = self.engine.client.api.volumes(filters={"label": f"{LOCK_LABEL}={lock}"})["Volumes"] or ()
        for one in found:
            yield Entry(name=str(one["Name"]), labels=one["Labels"] or {}, since=str(one["CreatedAt"]))

    def remove(self, name: str) -> None:
        """Removes it, if it is there."""
        remove_volume(self.engine, name)


class Configs(Struct, frozen=True, kw_only=True):
    """A Swarm creates a config's name once, and answers who comes later with 409. It is deleted by its ID."""

    engine: Engine
    kind = "config"

    def create(self, name: str, labels: Labels) -> Labels | None:
        """As that of volumes; None where who was first has gone again."""
        api, wanted = self.engine.client.api, {**labels, NAME_LABEL: name}
        with engine_call(f"making the lock {name}"):
            try:
                api.create_config(config_name(name), b"lock", labels=wanted)
            except docker.errors.APIError as error:
                if error.status_code != HTTPStatus.CONFLICT:
                    raise
                return self.find(name)
        return labels

    def find(self, name: str) -> Labels | None:
        """Its labels, None where it is gone."""
        found = self._inspect(name)
        return found["Spec"].get("Labels") or {} if found else None

    def listed(self, lock: str) -> Iterator[Entry]:
        """All of one lock."""
        filters = {"label": f"{LOCK_LABEL}={lock}"}
        with engine_call(f"looking for the lock {lock}"):
            found = self.engine.client.api.configs(filters=filters) or ()  # type: ignore[no-untyped-call]
        for one in found:
            labels = one["Spec"].get("Labels") or {}
            name = labels.get(NAME_LABEL) or one["Spec"]["Name"]
            yield Entry(name=str(name), labels=labels, since=str(one["CreatedAt"]))

    def remove(self, name: str) -> None:
        """Removes it, if it is there."""
        found = self._inspect(name)
        if found:
            with engine_call(f"removing the lock {name}"), suppress(docker.errors.NotFound):
                self.engine.client.api.remove_config(found["ID"])  # type: ignore[no-untyped-call]

    def _inspect(self, name: str) -> Mapping[str, Any] | None:
        api = self.engine.client.api
        with engine_call(f"looking at the lock {name}"):
            try:
                found: Mapping[str, Any] = api.inspect_config(config_name(name))  # type: ignore[no-untyped-call]
            except docker.errors.NotFound:
                return None
        return found


def config_name(name: str) -> str:
    """The config's own name for an object of a lock: that itself, or a hash where it is too long."""
    return name if len(name) <= _LONGEST else f"freshness-{sha256(name.encode()).hexdigest()[:32]}"


def store_of(engine: Engine, lock: str) -> Volumes | Configs:
    """Where the lock of this name is kept."""
    return Configs(engine=engine) if is_swarm_lock(lock) else Volumes(engine=engine)


def remove_volume(engine: Engine, name: str) -> None:
    """Removes the volume, if it is there."""
    with engine_call(f"removing the volume {name}"), suppress(docker.errors.NotFound):
        engine.client.api.remove_volume(name)
