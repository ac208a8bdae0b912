"""One named step of a run and how it ended."""

from enum import StrEnum

from msgspec import Struct

from freshness.core.verdict import Verdict


class CheckName(StrEnum):
    """Every check of a gate, a promotion and a rollback, as log, summary and report name it."""

    COMMIT = "commit"
    SERVICE = "service"
    BUILD_CONTEXT = "build context"
    OWNER = "owner"
    IGNORED_FILES = "ignored files"
    BUILD = "build"
    MOUNTS = "mounts"
    LOCK = "lock"
    JOB = "job"
    RECREATION = "recreation"
    HEALTH = "health"
    STAGING_CHECK = "staging check"
    SAME_CONTAINER = "same container"
    HOLD = "hold"
    HEAD = "head"
    REGISTRY = "registry"
    # of a promotion or a rollback alone
    TRANSFER = "transfer"
    IMAGE = "image"
    GUARD = "guard"
    STAGING = "staging"
    ANCESTRY = "ancestry"
    LOSS = "loss"
    HEALTH_PROBE = "health probe"
    TAG = "tag"
    ROLLOUT = "rollout"
    IDENTITY = "identity"
    OVERLAP = "overlap"
    REMOVAL = "removal"
    ROLLBACK = "rollback"

    @property
    def formerly(self) -> str:
        """The name in reports of version 1.0, where that was another; else empty."""
        return _FORMERLY.get(self, "")


_FORMERLY = {
    CheckName.ANCESTRY: "direction",
    CheckName.HEALTH_PROBE: "health question",
    CheckName.REMOVAL: "retirement",
    CheckName.ROLLBACK: "way back",
}


class CheckResult(StrEnum):
    """How a check ended. `error` means that it could not be decided."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    NOT_RUN = "not-run"


class Check(Struct, frozen=True, kw_only=True):
    """A step's result: what was got, what was expected, what to do, and how long it took.

    `verdict` is what the gate's verdict becomes because of this check (`FRESH` where it passed). `output` are the last
    lines that others wrote while it ran, where it did not pass.
    """

    name: CheckName
    result: CheckResult
    got: str
    expected: str
    remedy: str = ""
    seconds: float = 0.0
    verdict: Verdict = Verdict.FRESH
    output: tuple[str, ...] = ()
