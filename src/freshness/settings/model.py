"""The settings of gate and promotion: each declared once, validated, frozen, with every path resolved."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from msgspec import Struct

from freshness.core.registry_name import Reference
from freshness.core.run import Run
from freshness.settings import values
from freshness.settings.application import ApplicationSettings
from freshness.settings.build import BuildSettings
from freshness.settings.commit import Ancestry, Forks, Head
from freshness.settings.compose import ComposeSettings
from freshness.settings.declaration import derived, group, setting
from freshness.settings.groups import (
    EngineSettings,
    Exceptions,
    FileSettings,
    ForgeSettings,
    Health,
    Scope,
    SourceSettings,
)
from freshness.settings.kinds import CommandCheck, Incomplete, Match, ScriptCheck, SecretSource, UpdateOrder
from freshness.settings.registry import RegistrySettings, RegistryTagSettings
from freshness.settings.sources import Reading
from freshness.settings.swarm import SwarmSettings

__all__ = [
    "CommandCheck", "ComposeSettings", "GateSettings", "Health", "Incomplete", "Match", "PromoteSettings",
    "ScriptCheck", "SecretSource", "UpdateOrder",
]  # fmt: skip

USUAL_STAGING = ("orchestrator-staging",)
_IMAGE = "Image tag of the service; if set, it must equal what Compose runs."
_IMAGE_DEFAULT = "what Compose runs: `image:`, else `<project>-<service>`"
_CONTAINER = "Container name of the service; if set, it must equal what Compose creates."
_HOSTS = "`ssh://`, `tcp://` with TLS, `unix://`, or a Docker context's name"
_HOST_DEFAULT = "where DOCKER_HOST or the Docker context leads"
_CONTAINER_DEFAULT = "the one that Compose creates"


class StagingCheck(Struct, frozen=True, kw_only=True):
    """What runs inside staging's container before the verdict; `timeout` is in seconds."""

    path: str = setting(
        values.script_path,
        "Staging check: a Python script inside the container.",
        name="check-path",
        variable="STAGING_CHECK_PATH",
        default="scripts/staging_check.py",
        common=True,
    )
    mode: str = setting(
        values.word,
        "What the staging check gets as `--mode`.",
        name="check-mode",
        variable="STAGING_CHECK_MODE",
        default="stub",
        common=True,
    )
    command: tuple[str, ...] | None = setting(
        values.optional(values.command),
        "Command in the container, in place of `check-path` and `check-mode`; no shell, with `BASE_URL` and"
        " `GIT_SHA` set.",
        name="check-command",
        shown_default="none",
    )
    timeout: float = setting(
        values.number(1, 86400, "seconds"),
        "Time limit of the staging check, in seconds.",
        name="check-timeout",
        default="300",
    )


class GateSettings(Struct, frozen=True, kw_only=True):
    """The gate's settings. None means: `revision` from the event, `image` and `container` from Compose."""

    usual_port: ClassVar[int] = 8501
    services: tuple[str, ...] = setting(
        values.services,
        "Compose service of staging.",
        name="service",
        variable="TARGET_SERVICE",
        default="orchestrator-staging",
        words=True,
        common=True,
    )
    given_port: int | None = setting(
        values.optional(values.port),
        "Port of staging on the Docker host; of a service that publishes none, the one inside its container.",
        name="port",
        variable="TARGET_PORT",
        shown_default="`8501`, else the only one that the service publishes",
        common=True,
    )
    revision: str | None = setting(
        values.optional(values.revision),
        "Full id of the commit to gate.",
        variable="GIT_SHA",
        shown_default="from the event",
        common=True,
    )
    docker_host: str | None = setting(
        values.optional(values.docker_host),
        f"Docker host of staging: {_HOSTS}.",
        variable="STAGING_DOCKER_HOST",
        shown_default=_HOST_DEFAULT,
    )
    compose: ComposeSettings = group(ComposeSettings)
    build: BuildSettings = group(BuildSettings)
    health: Health = group(Health)
    staging_check: StagingCheck = group(StagingCheck)
    exceptions: Exceptions = group(Exceptions)
    engine: EngineSettings = group(EngineSettings)
    image: str | None = setting(
        values.optional(values.image), _IMAGE, variable="STAGING_IMAGE", shown_default=_IMAGE_DEFAULT
    )
    container: str | None = setting(
        values.optional(values.container), _CONTAINER, variable="STAGING_CONTAINER", shown_default=_CONTAINER_DEFAULT
    )
    registry: RegistrySettings = group(RegistrySettings)
    prod_port: int = setting(values.port, "Production's port, which staging must never publish.", default="8500")
    throwaway: bool = setting(
        values.switch,
        "Without a staging: `true` proves production's own services in a project of their own, on free ports and with"
        " empty volumes. It is removed afterwards. `service` then names production's.",
        name="throwaway-staging",
        default="false",
    )
    source: SourceSettings = group(SourceSettings)
    head: Head = group(Head)
    forks: Forks = group(Forks)
    files: FileSettings = group(FileSettings)
    forge: ForgeSettings = group(ForgeSettings)
    scope: Scope = group(Scope)
    workspace: Path = derived(lambda surroundings: surroundings.workspace)
    application: ApplicationSettings
    reading: Reading
    repository: str | None = derived(lambda surroundings: Run.of(surroundings.env).repository or None)
    warnings: tuple[str, ...] = ()

    @property
    def service(self) -> str:
        """The service that is named first."""
        return self.services[0]

    @property
    def port(self) -> int:
        """What is asked for, else the usual one."""
        return self.given_port or self.usual_port

    @property
    def check(self) -> ScriptCheck | CommandCheck:
        """The staging check."""
        of = self.staging_check
        return CommandCheck(argv=of.command) if of.command else ScriptCheck(path=of.path, mode=of.mode)


class PromoteSettings(Struct, frozen=True, kw_only=True):
    """The promotion's settings. `expected_revision` is None only where it is not required.

    `source_image` is None where the tag that `staging_service` runs is the source, unless `source_images` says each
    service's; `image` and `container` are None
    where Compose says them. `staging_compose_file` and `staging_project` are empty where staging stands in
    production's project.
    """

    expected_revision: str | None = setting(
        values.optional(values.revision),
        "Full id of the commit that the image must be built from: the gate's output `revision`.",
        required=True,
        common=True,
    )
    source_image: str | None = setting(
        values.optional(values.source_image),
        "Image to promote: in a workflow the gate's output `image-id`. `HOST/NAME@sha256:…` is pulled.",
        shown_default="the tag that `staging-service` runs",
        common=True,
    )
    source_host: str | None = setting(
        values.optional(values.docker_host),
        "Docker host where the gate ran, if production's is another one: the image is carried over.",
        variable="STAGING_DOCKER_HOST",
        carrier="SOURCE_HOST",
        shown_default="staging's `docker-host` in a settings file, else production's",
    )
    source_images: Mapping[str, str] = setting(
        values.source_images,
        "Images to promote where there are several services: the gate's output `images`, or `digests`, in JSON.",
        shown_default="none",
    )
    staging_services: tuple[str, ...] = setting(
        values.services,
        "Compose service of staging, whose image is promoted if `source-image` is empty; with several services one"
        " for each, in the order of `service`.",
        name="staging-service",
        variable="TARGET_SERVICE",
        default=USUAL_STAGING[0],
        shown_default="`orchestrator-staging`; with several services the same names",
        words=True,
    )
    staging_compose_file: tuple[str, ...] = setting(
        values.compose_files,
        "Compose file of staging, if it is not production's; several as in `compose-file`.",
        multiline=True,
        shown_default="production's",
    )
    staging_project: str | None = setting(
        values.optional(values.project),
        "Compose project of staging, if it is not production's.",
        shown_default="what its Compose file says, else production's",
    )
    docker_hosts: tuple[str, ...] = setting(
        values.docker_hosts,
        f"Docker host of production: {_HOSTS}; two or three are promoted together, one after the other.",
        name="docker-host",
        variable="PROD_DOCKER_HOST",
        shown_default=_HOST_DEFAULT,
        words=True,
    )
    usual_port: ClassVar[int] = 8500
    services: tuple[str, ...] = setting(
        values.services,
        "Compose service of production.",
        name="service",
        variable="PROD_SERVICE",
        default="orchestrator",
        words=True,
        common=True,
    )
    given_port: int | None = setting(
        values.optional(values.port),
        "Port of production on the Docker host; of a service that publishes none, the one inside its container.",
        name="port",
        variable="PROD_PORT",
        shown_default="`8500`, else the only one that the service publishes",
        common=True,
    )
    compose: ComposeSettings = group(ComposeSettings)
    health: Health = group(Health)
    exceptions: Exceptions = group(Exceptions)
    engine: EngineSettings = group(EngineSettings)
    image: str | None = setting(
        values.optional(values.image), _IMAGE, variable="PROD_IMAGE", shown_default=_IMAGE_DEFAULT
    )
    container: str | None = setting(
        values.optional(values.container), _CONTAINER, variable="PROD_CONTAINER", shown_default=_CONTAINER_DEFAULT
    )
    recreate: bool = setting(
        values.switch,
        "`false` only moves the tag in `image`, for a production that something else restarts.",
        default="true",
    )
    registry: RegistryTagSettings = group(RegistryTagSettings)
    swarm: SwarmSettings = group(SwarmSettings)
    keep_images: int = setting(
        values.whole_number(1, 1000, "images"),
        "Number of previous production images to keep for `freshness rollback`.",
        default="5",
    )
    update_order: UpdateOrder = setting(
        values.choice(
            UpdateOrder, "Write stop-first, or start-first if production publishes no port and runs behind a proxy."
        ),
        "`stop-first` replaces the container. `start-first` first checks the new one beside the old one: for a service"
        " behind a proxy that publishes no port (`port` is then the one inside the container).",
        default="stop-first",
    )
    update_overlap: float = setting(
        values.number(0, 600, "seconds"),
        "Seconds that old and new containers serve together with `start-first`, until the proxy has found the new one.",
        default="5",
    )
    source: SourceSettings = group(SourceSettings)
    head: Head = group(Head)
    ancestry: Ancestry = group(Ancestry)
    files: FileSettings = group(FileSettings)
    forge: ForgeSettings = group(ForgeSettings)
    deployment: str | None = setting(
        values.optional(
            values.matching(r"[\w./ -]{1,100}", "an environment's name", "Write a name such as `production`.")
        ),
        "Environment at GitHub that gets a deployment, such as `production`; `github-token` then needs "
        "`deployments: write`. Gitea has none.",
        name="github-deployment",
        shown_default="none",
    )
    scope: Scope = group(Scope)
    workspace: Path = derived(lambda surroundings: surroundings.workspace)
    application: ApplicationSettings
    reading: Reading
    repository: str | None = derived(lambda surroundings: Run.of(surroundings.env).repository or None)
    warnings: tuple[str, ...] = ()

    @property
    def service(self) -> str:
        """The service that is named first."""
        return self.services[0]

    @property
    def port(self) -> int:
        """What is asked for, else the usual one."""
        return self.given_port or self.usual_port

    @property
    def staging_service(self) -> str:
        return self.staging_of(self.service)

    def staging_of(self, service: str) -> str:
        """The service of staging that has the same place there: named so, or by the same name."""
        if len(self.staging_services) != len(self.services):
            return service
        return self.staging_services[self.services.index(service)]

    @property
    def references(self) -> tuple[Reference, ...]:
        """The images that are promoted from a registry, each once, in the order in which all runs take them."""
        told = {self.source_image or "", *self.source_images.values()}
        return tuple(found for found in map(Reference.parse, sorted(told)) if found)

    @property
    def allow_unverified(self) -> bool:
        return self.reading.allow_unverified
