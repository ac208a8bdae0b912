"""The gate's verdict: the words that the output carries, and which of them open the gate."""

from enum import StrEnum


class Verdict(StrEnum):
    """The gate's decision, as written to the output `verdict`."""

    FRESH = "fresh"
    DISABLED = "disabled"
    OUT_OF_SCOPE = "out-of-scope"
    REFUSED = "refused"
    BUILD_FAILED = "build-failed"
    STALE = "stale"
    UNHEALTHY = "unhealthy"
    CHECK_FAILED = "check-failed"
    SUPERSEDED = "superseded"
    ERROR = "error"

    @property
    def opens(self) -> bool:
        """Whether the output `gate` is `open`; everything that is not named here leaves it closed."""
        return self in {Verdict.FRESH, Verdict.DISABLED, Verdict.OUT_OF_SCOPE}
