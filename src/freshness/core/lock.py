"""Who has locked a target, and what a promotion is about to do, as the labels of two volumes on the Docker host say."""

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from shlex import quote
from typing import ClassVar

from msgspec import Struct

from freshness.core.discreet import Discreet
from freshness.core.endpoint import without_userinfo
from freshness.core.hexid import is_image_id
from freshness.core.quoting import quoted

LOCK_LABEL = "freshness.lock"
"""The label that every volume of a lock has; its value is the lock's name."""
PLAN_LABEL = "freshness.plan"
"""The label that every volume with a promotion's plan has; its value is the lock's name."""
FORMER_LABEL = "freshness.from.with"
"""The label that has what the previous image ran with, as Compose reads it."""

_LABEL = "freshness."
_SWARM = "freshness-swarm."
_NUMBER_LABEL = "freshness.number"
_TOKEN = re.compile(r"[0-9a-f]{32}")
_NUMBER = re.compile(r"[0-9]{1,18}")
_SECONDS = re.compile(r"[0-9]{1,9}")  # decades, and still a date that exists
_LOCK_NAME = re.compile(
    r"freshness\.[a-z0-9][a-z0-9_-]*\.[A-Za-z0-9][A-Za-z0-9._-]*|freshness-tag\.[0-9a-f]{16}"
    r"|freshness-swarm\.[A-Za-z0-9][A-Za-z0-9._-]*"
)
_CONTAINER_ID = re.compile(r"([0-9a-f]{64})?")


class Place(Struct, frozen=True, kw_only=True):
    """Where a process runs, so that another can tell whether it still does.

    `machine` is a name made of the system's id, `boot` the kernel's own id, `started` the process's start in clock
    ticks since the boot (proc(5), stat), `container` the ID of the job's container, `user` the number of the process's
    user. What is not known is empty.
    """

    host: str
    machine: str
    boot: str
    pid_namespace: str
    pid: int
    started: int
    container: str
    user: str = ""


class Record(Discreet, frozen=True, kw_only=True):
    """What a promotion is about to do, and how to undo it. Image IDs; empty where there was no image.

    `tagged` is what production's `tag` named before, `kept` what the kept tags named, the newest first. `goes_back`: it
    is a rollback. `configuration` is what the candidate is to run with, `former` what the previous image ran with (see
    Deployment), each empty where it is not known. `last` is what ran last, where nothing ran. `together` are the locks
    of all that change in one promotion, its own among them; empty where it changes alone.

    Of a promotion over several Docker hosts `hosts` are all of them, each its Engine's ID and its name, and `run` is
    that run's token. `undone`: it is to be taken back, whatever runs.
    """

    unshown: ClassVar = ("configuration", "former")
    tag: str
    previous: str
    candidate: str
    tagged: str
    kept: tuple[str, ...]
    goes_back: bool = False
    configuration: str = ""
    former: str = ""
    last: str = ""
    together: tuple[str, ...] = ()
    hosts: tuple[tuple[str, str], ...] = ()
    run: str = ""
    undone: bool = False


class LockOwner(Struct, frozen=True, kw_only=True):
    """Who holds a target: `command` for `revision`, started by `who` in `run` (an address, or empty).

    `token` is the owner's alone. `seconds` is how long it may take, by the Engine's clock. `record` is there where a
    release before the plan's own volume wrote it.
    """

    token: str
    command: str
    revision: str
    who: str
    run: str
    seconds: int
    place: Place
    record: Record | None = None

    def __str__(self) -> str:
        of = f" of {quoted(self.revision)}" if self.revision else ""
        run = f", run {quoted(without_userinfo(self.run))}" if self.run else ""
        return f"{quoted(self.command)}{of} by {quoted(self.who)} on {quoted(self.place.host)}{run}"


class HeldLock(Struct, frozen=True, kw_only=True):
    """A volume of a lock: its `name`, its `owner`, and when it was made, in the Engine's own words."""

    name: str
    owner: LockOwner
    since: str


class Begun(Struct, frozen=True, kw_only=True):
    """A volume with what a promotion began: its `name`, its `number` (the lowest counts), and the `record` in it."""

    name: str
    number: int
    record: Record


def service_lock(project: str, service: str) -> str:
    """The name of a service's lock. A project's name has no dot, so no two services share one."""
    return f"freshness.{project}.{service}"


def service_of(lock: str) -> str:
    """The service's name in the name of its lock; of a tag's lock that name itself."""
    return lock.split(".", 2)[2] if lock.startswith("freshness.") else lock


def swarm_lock(service: str) -> str:
    """The name of a Swarm service's lock."""
    return f"{_SWARM}{service}"


def is_swarm_lock(lock: str) -> bool:
    """Whether the lock of this name is the Swarm's, and not one Docker host's."""
    return lock.startswith(_SWARM)


def tag_lock(tag: str) -> str:
    """The name of a tag's lock, where nothing but the tag is moved: not all that a tag may hold may stand in a name."""
    return f"freshness-tag.{sha256(tag.encode()).hexdigest()[:16]}"


def unlock_command(name: str, env: Mapping[str, str]) -> str:
    """What a person types to see the lock of this name and to break it, from any folder; `env` names the Engine."""
    named = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")
    engine = [f"{variable}={quote(env[variable])}" for variable in named if env.get(variable)]
    return " ".join([*engine, "freshness unlock --lock", name])


def is_lock_name(text: str) -> bool:
    """Whether it is the name of a service's or a tag's lock."""
    return _LOCK_NAME.fullmatch(text) is not None


def successor_name(name: str, token: str) -> str:
    """The volume of the one who takes the lock over from the dead owner with this token: unique, like the token."""
    return f"{name}.after.{token}"


def plan_volume(name: str, token: str) -> str:
    """The volume that has what the lock's owner with this token is about to do."""
    return f"{name}.plan.{token}"


def current_locks(volumes: Iterable[HeldLock], name: str) -> tuple[HeldLock, ...]:
    """The volumes of the lock that nobody took over, those that took over first: one, but for a moment."""
    found = tuple(volumes)
    names = {volume.name for volume in found}
    left = [volume for volume in found if successor_name(name, volume.owner.token) not in names]
    return tuple(sorted(left, key=lambda volume: volume.name == name))


def in_takeover_order(volumes: Iterable[HeldLock], name: str) -> tuple[HeldLock, ...]:
    """The volumes of the lock, each before the one that follows it.

    Taken away in this order, what is left is one chain at every moment: never one that seems to be followed by nobody.
    """
    left, ordered = list(volumes), list[HeldLock]()
    while left:
        followers = {successor_name(name, volume.owner.token) for volume in left}
        first = next((volume for volume in left if volume.name not in followers), left[0])
        left.remove(first)
        ordered.append(first)
    return tuple(ordered)


def to_labels(name: str, owner: LockOwner) -> dict[str, str]:
    """The labels of the lock's volume; `from_labels` reads them."""
    place, record = owner.place, owner.record
    labels = {
        "token": owner.token, "command": owner.command, "revision": owner.revision, "who": owner.who,
        "run": owner.run, "seconds": str(owner.seconds), "host": place.host, "machine": place.machine,
        "boot": place.boot, "pid-namespace": place.pid_namespace, "pid": str(place.pid),
        "started": str(place.started), "container": place.container, "user": place.user,
    }  # fmt: skip
    written = {_LABEL + key: value for key, value in labels.items()}
    return {LOCK_LABEL: name, **written, **(_record_labels(record) if record else {})}


def plan_labels(name: str, begun: Begun) -> dict[str, str]:
    """The labels of the plan's volume, below the lock's `name`; `begun_from` reads them."""
    return {PLAN_LABEL: name, _NUMBER_LABEL: str(begun.number), **_record_labels(begun.record)}


def begun_from(volume: str, labels: Mapping[str, str]) -> Begun | None:
    """What the labels of this volume say, or None where they are not what `plan_labels` writes."""
    record = _record({key.removeprefix(_LABEL): value for key, value in labels.items() if key.startswith(_LABEL)})
    number = labels.get(_NUMBER_LABEL, "")
    return Begun(name=volume, number=int(number), record=record) if record and _NUMBER.fullmatch(number) else None


def _record_labels(record: Record) -> dict[str, str]:
    labels = {
        "tag": record.tag, "from": record.previous, "to": record.candidate, "tagged": record.tagged,
        "kept": " ".join(record.kept), "back": "yes" if record.goes_back else "", "last": record.last,
        "together": " ".join(record.together),
    }  # fmt: skip
    more = {
        "to.with": record.configuration, "from.with": record.former, "promotion": record.run,
        "hosts": " ".join(map("=".join, record.hosts)), "undone": "yes" if record.undone else "",
    }  # fmt: skip
    labels |= {key: text for key, text in more.items() if text}
    return {_LABEL + key: value for key, value in labels.items()}


def from_labels(labels: Mapping[str, str]) -> LockOwner | None:
    """The owner that the labels name, or None where they are not what `to_labels` writes."""
    said = {key.removeprefix(_LABEL): value for key, value in labels.items() if key.startswith(_LABEL)}
    forms = {"token": _TOKEN, "seconds": _SECONDS, "pid": _NUMBER, "started": _NUMBER, "container": _CONTAINER_ID}
    if not all(form.fullmatch(said.get(key, "")) for key, form in forms.items()):
        return None
    record = _record(said)
    if record is None and "to" in said:
        return None
    return LockOwner(
        **{key: said.get(key, "") for key in ("token", "command", "revision", "who", "run")},
        seconds=int(said["seconds"]),
        place=Place(
            **{key: said.get(key, "") for key in ("host", "machine", "boot", "container", "user")},
            pid_namespace=said.get("pid-namespace", ""),
            pid=int(said["pid"]),
            started=int(said["started"]),
        ),
        record=record,
    )


def _record(said: Mapping[str, str]) -> Record | None:
    kept = tuple(said.get("kept", "").split())
    named = [image for image in (said.get("from", ""), said.get("tagged", ""), said.get("last", ""), *kept) if image]
    together = tuple(said.get("together", "").split())
    if not all(map(is_image_id, (said.get("to", ""), *named))) or not said.get("tag"):
        return None
    if not all(map(is_lock_name, together)):
        return None
    return Record(
        tag=said["tag"],
        previous=said.get("from", ""),
        candidate=said["to"],
        tagged=said.get("tagged", ""),
        kept=kept,
        goes_back=said.get("back") == "yes",
        configuration=said.get("to.with", ""),
        former=said.get("from.with", ""),
        last=said.get("last", ""),
        together=together,
        hosts=tuple((one, name) for one, _, name in (each.partition("=") for each in said.get("hosts", "").split())),
        run=said.get("promotion", ""),
        undone=said.get("undone") == "yes",
    )
