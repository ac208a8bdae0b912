"""The settings as the rest of the program sees them: validated, frozen, with every path resolved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from freshness.core.secret import Secret
from freshness.settings.kinds import CommandCheck, Incomplete, Match, ScriptCheck, SecretSource, UpdateOrder

__all__ = [
    "CommandCheck", "ComposeSettings", "GateSettings", "Health", "Incomplete", "Match", "PromoteSettings",
    "ScriptCheck", "SecretSource", "UpdateOrder",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How health is asked: `path` is None where the image's HEALTHCHECK decides; `interval` in seconds.

    `hold` is how many seconds a container must have run to count as proven.
    """

    path: str | None
    retries: int
    interval: float
    hold: float

    @property
    def deadline(self) -> float:
        """Seconds until a target that gave no good answer is unhealthy."""
        return self.retries * self.interval


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeSettings:
    """What Compose is to read. `files` as they were given, empty where Compose's own rule finds them.

    `separator` stands between several files of one line. `folder` is the project's, None for the first file's.
    `variables` are set for Compose alone. With `only_inputs` (in the actions) no other variable is interpolated, but
    for those of `env_files`, which stand for `.env` where there are none.
    """

    files: tuple[str, ...]
    separator: str
    env_files: tuple[Path, ...]
    folder: Path | None
    variables: Mapping[str, str] = field(repr=False)
    only_inputs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """The gate's settings. `context` and `file` are relative to the Git tree's root; timeouts are in seconds.

    None means: `revision` and `pr` from the event, `project`, `image` and `container` from Compose, `target` the last
    stage. `adopt` is the container that may be replaced although it may be something else's, or None.
    """

    workspace: Path
    repository_folder: Path
    repository: str | None
    compose: ComposeSettings
    allow_empty: frozenset[str]
    accept_dependencies: frozenset[str]
    force_recreate: bool
    services: tuple[str, ...]
    port: int
    prod_port: int
    revision: str | None
    context: PurePosixPath
    file: PurePosixPath
    build_args: tuple[str, ...]
    secrets: tuple[SecretSource, ...]
    health: Health
    check: ScriptCheck | CommandCheck
    check_timeout: float
    build_timeout: float
    project: str | None
    image: str | None
    container: str | None
    adopt: str | None
    lock_timeout: float
    keep_reports: int
    keep_builds: int
    engine_timeout: float
    revision_label: str
    target: str | None
    incomplete: Incomplete
    token: Secret | None
    pr: int | None
    recheck_head: bool
    require_up_to_date: bool
    allow_forks: bool
    allow_forks_with_secrets: bool
    enabled: bool
    repos: tuple[str, ...]
    allow_mounts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def service(self) -> str:
        """The first of the services."""
        return self.services[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoteSettings:
    """The promotion's settings. `expected_revision` is None only where it is not required.

    `source_image` is None where the tag that `staging_service` runs is the source; `project`, `image` and `container`
    are None where Compose says them. `staging_compose_file` and `staging_project` are empty where staging stands in
    production's project. `adopt` is as in the gate. `allow_rollback` and `allow_diverged` are reasons in
    words, or None.
    """

    workspace: Path
    repository: str | None
    expected_revision: str | None
    allow_unverified: bool
    source_image: str | None
    compose: ComposeSettings
    allow_empty: frozenset[str]
    accept_dependencies: frozenset[str]
    force_recreate: bool
    services: tuple[str, ...]
    staging_service: str
    staging_compose_file: tuple[str, ...]
    staging_project: str | None
    port: int
    health: Health
    project: str | None
    image: str | None
    container: str | None
    adopt: str | None
    lock_timeout: float
    keep_reports: int
    engine_timeout: float
    revision_label: str
    recreate: bool
    keep_images: int
    update_order: UpdateOrder
    update_overlap: float
    repository_folder: Path
    token: Secret | None
    pr: int | None
    recheck_head: bool
    match: Match
    allow_rollback: str | None
    allow_diverged: str | None
    require_known: bool
    enabled: bool
    repos: tuple[str, ...]
    allow_mounts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def service(self) -> str:
        """The first of the services."""
        return self.services[0]
