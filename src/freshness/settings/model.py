"""The settings as the rest of the program sees them: validated, frozen, with every path resolved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath

from freshness.core.secret import Secret


class Incomplete(StrEnum):
    """What to do with submodules and Git LFS pointers, whose content the tree does not hold."""

    REFUSE = "refuse"
    ALLOW = "allow"


class Match(StrEnum):
    """What counts as the validated commit: itself alone, or also a squash or merge commit with an equal tree."""

    COMMIT = "commit"
    TREE = "tree"


class UpdateOrder(StrEnum):
    """Which goes first where production changes, in Swarm's words: the old container stops, or the new one starts."""

    STOP_FIRST = "stop-first"
    START_FIRST = "start-first"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptCheck:
    """The staging check as a Python script inside the container: `python3 PATH --mode MODE --base-url …`."""

    path: str
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandCheck:
    """The staging check as a command inside the container, already split; no shell."""

    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretSource:
    """A BuildKit secret: its id, and either the absolute path of a file outside the workspace or a variable's name."""

    id: str
    src: Path | None = None
    env: str | None = None

    @property
    def carrier(self) -> str:
        """Our own name for the variable, in which buildx alone gets the value: its own may not reach any child."""
        return f"FRESHNESS_SECRET_{self.id.encode().hex()}"

    @property
    def argument(self) -> str:
        """What buildx takes as `--secret`."""
        return f"id={self.id},src={self.src}" if self.src else f"id={self.id},env={self.carrier}"


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
    service: str
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
    service: str
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
