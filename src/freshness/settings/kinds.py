"""The values that settings are read into: choices of a few words, checks, and where a secret comes from."""

from enum import StrEnum
from pathlib import Path

from msgspec import Struct


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


class HealthKind(StrEnum):
    """What proves a service: an HTTP answer, its HEALTHCHECK, or only that it runs for the hold time."""

    HTTP = "http"
    HEALTHCHECK = "healthcheck"
    RUNNING = "running"


class Stage(StrEnum):
    """When a job runs: before anything is replaced, or once all is proven."""

    PRE_DEPLOY = "pre-deploy"
    POST_DEPLOY = "post-deploy"


class ScriptCheck(Struct, frozen=True, kw_only=True):
    """The staging check as a Python script inside the container: `python3 PATH --mode MODE --base-url …`."""

    path: str
    mode: str


class CommandCheck(Struct, frozen=True, kw_only=True):
    """The staging check as a command inside the container, already split; no shell."""

    argv: tuple[str, ...]


class SecretSource(Struct, frozen=True, kw_only=True):
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
