"""Containers on the Engine: who runs what, since when, and what it last said."""

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar

import docker
from msgspec import Struct, field

from freshness.core.discreet import Discreet
from freshness.core.healthcheck import HealthcheckRun
from freshness.core.lines import LAST
from freshness.core.mounts import normal
from freshness.core.secret import conceal_variables
from freshness.engine.client import Engine, engine_call
from freshness.errors import Unhealthy

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
ONE_OFF_LABEL = "com.docker.compose.oneoff"  # `True` for what `docker compose run` started
CONFIGURATION_LABEL = "com.docker.compose.config-hash"
VERSION_LABEL = "com.docker.compose.version"
FILES_LABEL = "com.docker.compose.project.config_files"  # absolute paths, with commas between them
NANOSECONDS = 10**9  # of a second: what the Engine counts in
DEFAULT_GRACE = 10  # seconds, the Engine's own
_SIGNALLED = frozenset({130, 137, 143})  # SIGINT, SIGKILL, SIGTERM
_BETWEEN_FILES = re.compile(r",(?=/)")
_ANONYMOUS = re.compile(r"[0-9a-f]{64}")  # the name that Docker gives a volume that nobody named


class Container(Discreet, frozen=True, kw_only=True):
    """A container at one moment. `started_at` and `created_at` are the Engine's own text.

    `addresses` maps network names to IPs. `anonymous_volumes` are the paths of volumes that have no name of their
    own. `health` is `healthy`, `unhealthy`, `starting`, or empty where the container has no HEALTHCHECK.
    `configuration` is Compose's hash of the service that the container was made from, `compose_files` the files
    that Compose read for it, `compose_version` its own. `grace` are the seconds that it may take to stop.

    `healthcheck` is the last run of the HEALTHCHECK that has ended, None where none has, and `start_period` the seconds
    in which a failing one does not count. `binds` are the paths on the Docker host of its bind mounts, by target.
    """

    unshown: ClassVar = ("environment",)
    id: str
    name: str
    image_id: str
    status: str
    started_at: str
    restarts: int
    exit_code: int
    health: str
    addresses: Mapping[str, str]
    anonymous_volumes: tuple[str, ...] = ()
    configuration: str = ""
    compose_files: tuple[str, ...] = ()
    compose_version: str = ""
    grace: int = DEFAULT_GRACE
    healthcheck: HealthcheckRun | None = None
    start_period: float = 0
    environment: Mapping[str, str] = field(default_factory=dict)
    is_out_of_memory: bool = False
    binds: Mapping[str, str] = field(default_factory=dict)
    created_at: str = ""

    @property
    def runs(self) -> bool:
        """Whether it runs now, neither paused nor restarting."""
        return self.status == "running"

    @property
    def is_up(self) -> bool:
        """Whether it runs, or will go on: paused (as `docker commit` leaves it for a moment) or restarting."""
        return self.status in {"running", "paused", "restarting"}

    @property
    def is_paused(self) -> bool:
        """Whether somebody paused it: it is there, and serves nobody."""
        return self.status == "paused"

    @property
    def is_half_removed(self) -> bool:
        """Whether the Engine began to remove it and could not go on: it can be removed, and never starts again."""
        return self.status in {"dead", "removing"}

    def is_like(self, other: "Container") -> bool:
        """Whether both are made from the same image and the same configuration."""
        return (self.image_id, self.configuration) == (other.image_id, other.configuration)

    @property
    def short_id(self) -> str:
        """The first twelve digits, as Docker prints them."""
        return self.id[:12]


def find_container(engine: Engine, name: str) -> Container | None:
    """The container with this name or ID, or None. One call to the Engine."""
    with engine_call(f"inspecting the container {name}"):
        try:
            return _read(engine.client.api.inspect_container(name))
        except docker.errors.NotFound:
            return None


def _read(found: Mapping[str, Any]) -> Container:
    state, network, config = found["State"], found.get("NetworkSettings") or {}, found["Config"]
    labels = config.get("Labels") or {}
    grace = config.get("StopTimeout")
    environment = dict(one.partition("=")[::2] for one in config.get("Env") or ())
    conceal_variables(environment)  # its log may repeat them
    return Container(
        id=found["Id"],
        name=found["Name"].removeprefix("/"),
        image_id=found["Image"],
        status=state["Status"],
        started_at=state["StartedAt"],
        created_at=found.get("Created", ""),
        restarts=found.get("RestartCount", 0),
        exit_code=state.get("ExitCode", 0),
        is_out_of_memory=bool(state.get("OOMKilled")),
        health=(state.get("Health") or {}).get("Status", ""),
        anonymous_volumes=tuple(
            mount["Destination"] for mount in found.get("Mounts") or () if _ANONYMOUS.fullmatch(mount.get("Name") or "")
        ),
        binds={
            normal(mount["Destination"]): normal(mount["Source"])
            for mount in found.get("Mounts") or ()
            if mount.get("Type") == "bind" and mount.get("Source")
        },
        configuration=labels.get(CONFIGURATION_LABEL, ""),
        compose_files=split_files(labels.get(FILES_LABEL, "")),
        compose_version=labels.get(VERSION_LABEL, ""),
        grace=DEFAULT_GRACE if grace is None else grace,
        environment=environment,
        healthcheck=_read_healthcheck(state),
        start_period=((config.get("Healthcheck") or {}).get("StartPeriod") or 0) / NANOSECONDS,
        addresses={
            name: ends["IPAddress"] for name, ends in (network.get("Networks") or {}).items() if ends.get("IPAddress")
        },
    )


def split_files(label: str) -> tuple[str, ...]:
    """The absolute paths in a label that Compose wrote."""
    return tuple(filter(None, _BETWEEN_FILES.split(label)))


def _read_healthcheck(state: Mapping[str, Any]) -> HealthcheckRun | None:
    runs = (state.get("Health") or {}).get("Log")
    return HealthcheckRun(exit_code=runs[-1]["ExitCode"], output=runs[-1]["Output"]) if runs else None


def service_containers(engine: Engine, project: str, service: str) -> tuple[Container, ...]:
    """All containers of the Compose service, running or not, without one-off runs."""
    labels = [f"{PROJECT_LABEL}={project}", f"{SERVICE_LABEL}={service}", f"{ONE_OFF_LABEL}=False"]
    with engine_call(f"listing the containers of {service}"):
        listed = engine.client.api.containers(all=True, filters={"label": labels})
    found = (find_container(engine, entry["Id"]) for entry in listed)
    return tuple(container for container in found if container is not None)


def start(engine: Engine, container: Container) -> Container:
    """Starts the container and returns it as it is then. Raises Unhealthy where it cannot start or is gone."""
    with engine_call(f"starting the container {container.name}"):
        try:
            engine.client.api.start(container.id)
        except docker.errors.APIError as error:
            raise Unhealthy(
                f"the container {container.name} cannot start: {error.explanation}.",
                "Correct the image's command, or the service's options.",
            ) from error
    started = find_container(engine, container.id)
    if started is None:
        raise Unhealthy(f"the container {container.name} is gone.", "Something removed it: find it, then run again.")
    return started


def unpause(engine: Engine, container: Container) -> None:
    """Lets the container go on; one that is gone already is fine."""
    with engine_call(f"unpausing the container {container.name}"), suppress(docker.errors.NotFound):
        engine.client.api.unpause(container.id)


def running_services(engine: Engine, project: str) -> frozenset[str]:
    """The names of the project's services that have a running container."""
    with engine_call(f"listing the containers of the project {project}"):
        listed = engine.client.api.containers(filters={"label": f"{PROJECT_LABEL}={project}"})
    return frozenset(entry["Labels"].get(SERVICE_LABEL, "") for entry in listed)


def tail(engine: Engine, container: Container, lines: int = 30) -> list[str]:
    """The last lines of the container's log, as far as they are no more than `LAST` bytes: untrusted text."""
    end = b""
    with engine_call(f"reading the log of {container.name}"):
        for part in engine.client.api.logs(
            container.id, stdout=True, stderr=True, tail=lines, stream=True, follow=False
        ):
            end = (end + part)[-LAST:]
    return end.decode(errors="replace").splitlines()


class Change(Struct, frozen=True, kw_only=True):
    """How a container is no longer what it was, in words, and what to do."""

    got: str
    remedy: str


def how_it_changed(before: Container, now: Container | None) -> Change | None:
    """None where the container is the same, and runs on. One that ended by itself is told from one that was changed."""
    if now is None:
        return Change(
            got=f"the container {before.name} ({before.short_id}) is gone",
            remedy="Something removed or replaced it: find it (another job, `docker compose up`), then run again.",
        )
    if now.image_id != before.image_id:
        return Change(
            got=f"the container {now.name} runs {now.image_id} instead of {before.image_id}",
            remedy="Something replaced it: find it, then run again.",
        )
    if now.restarts > before.restarts or now.status == "restarting" or not now.is_up:
        return _ended(before, now)
    if now.is_paused:
        return Change(
            got=f"the container {now.name} is paused",
            remedy=f"Somebody paused it: `docker unpause {now.name}`, then run again.",
        )
    if now.started_at != before.started_at:
        return Change(
            got=(
                f"the container {now.name} was restarted: running since {now.started_at}, before since"
                f" {before.started_at}; Docker's restart policy did not do it"
            ),
            remedy="Something restarted it (`docker restart`, or a restart of Docker itself): find it, then run again.",
        )
    return None


def _ended(before: Container, now: Container) -> Change:
    """The program in it came to its end: by itself, or by a signal; it may run again since."""
    why = "it ran out of memory" if now.is_out_of_memory else f"exit status {now.exit_code}"
    got = f"the container {now.name} is {now.status}: its program ended ({why})"
    if now.restarts > before.restarts or now.status == "restarting":
        again = now.restarts - before.restarts
        known = "" if now.runs and not now.is_out_of_memory else f" ({why})"  # the status reads 0 once it runs again
        got = f"the program of the container {now.name} ended{known}, and Docker restarted it {again} times meanwhile"
    remedy = f"Nobody replaced it. `docker logs {now.name}` shows why it ended; correct that and push again."
    if now.is_out_of_memory:
        remedy = f"Give the service more memory (`mem_limit`), or reduce its use. {remedy}"
    elif now.exit_code in _SIGNALLED and not now.runs:
        remedy = f"It was stopped or killed: by `docker stop` or `docker kill`, or by itself. {remedy}"
    return Change(got=got, remedy=remedy)
