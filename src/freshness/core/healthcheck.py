"""What a HEALTHCHECK itself said when it last ran, in words."""

from msgspec import Struct

from freshness.core.answer import printable


class HealthcheckRun(Struct, frozen=True, kw_only=True):
    """The last run: its exit status, and its output, which is untrusted text of at most 4 KiB."""

    exit_code: int
    output: str

    def __str__(self) -> str:
        lines = [line for line in map(printable, self.output.splitlines()) if line]
        return f"exit status {self.exit_code}" + (f", {lines[-1]}" if lines else ", no output")


def describe_unhealthy(run: HealthcheckRun | None, start_period: float) -> str:
    """Why a HEALTHCHECK says unhealthy, and what helps a service that only needs longer to start."""
    said = f": {run}" if run else ""
    return (
        f"the HEALTHCHECK says unhealthy{said} (if the service starts slowly, raise `start_period`, now"
        f" {start_period:g} s)"
    )


def describe_waiting(status: str, run: HealthcheckRun | None) -> str:
    """What a HEALTHCHECK says that is not healthy yet."""
    return f"HEALTHCHECK {status or 'missing'}" + (f"; its last run: {run}" if run and status != "healthy" else "")
