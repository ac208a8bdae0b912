"""What a gate is about to do, as a value; `str` of it is what a dry run says."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from freshness.core.compose import Target
from freshness.core.lock import HeldLock
from freshness.core.revision import Revision
from freshness.settings.model import GateSettings, Health


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The application's services, from this commit: built, recreated by image ID, proven, and looked at once more.

    `held` is the run that was seen to hold them, for which this one waits. `force`: a new container in any case.
    """

    commit: str
    dockerfile: PurePosixPath
    services: tuple[Target, ...]
    health: Health
    check_timeout: float
    force: bool
    held: HeldLock | None = None

    def __str__(self) -> str:
        return "\n".join(f"{number}. {step}" for number, step in enumerate(self._steps(), start=1))

    def _steps(self) -> Iterator[str]:
        for target in self.services:
            tag = f"{target.repository}:{self.commit}"
            yield f"build {self.dockerfile} from {self.commit}, and nothing else, as {tag}"
        for target in self.services:
            what = f"{target.service} of {target.project}"
            if self.held:
                yield f"wait for {self.held.owner}, which has locked {what} since {self.held.since}"
            yield f"lock {what} with a volume on the Docker host: one run at a time"
        for target in self.services:
            yield f"tag the image as {target.image}, by the ID that the build reports: that is what Compose runs"
            unless = "" if self.force else ", if it does not run that image already"
            yield f"recreate {target.service} with Compose, and nothing else{unless}"
        for target in self.services:
            yield f"wait up to {self.health.deadline:g} s for {self.health.wanted}, {target.place}"
            yield f"run the staging check inside that container, for {self.check_timeout:g} s at most"
            yield f"check that the same container is still healthy when it has run for {self.health.hold:g} s"
        yield "check that the commit is still the head: only then the gate opens"


def plan_of(
    settings: GateSettings, revision: Revision, services: tuple[Target, ...], health: Health, held: HeldLock | None
) -> Plan:
    """The plan for this commit, once nothing that could be seen speaks against it."""
    return Plan(
        commit=revision.commit,
        dockerfile=settings.build.file,
        services=services,
        health=health,
        check_timeout=settings.staging_check.timeout,
        force=settings.force_recreate,
        held=held,
    )
