"""How a job ended that runs once, before or after the switch."""

from msgspec import Struct

JOB_LABEL = "freshness.job"
"""The label of a job's container; its value is the token of the run that started it."""


class Job(Struct, frozen=True, kw_only=True):
    """A service of Compose that runs once, from the image with this ID, for at most `timeout` seconds."""

    project: str
    service: str
    image_id: str
    timeout: float


class JobResult(Struct, frozen=True, kw_only=True):
    """What the Engine said of its end: the exit status, or None and `why` there is none."""

    status: int | None
    why: str = ""

    @property
    def ok(self) -> bool:
        """Whether it did what it was to do."""
        return self.status == 0

    @property
    def got(self) -> str:
        """In words."""
        return self.why if self.status is None else f"exit status {self.status}{f': {self.why}' if self.why else ''}"
