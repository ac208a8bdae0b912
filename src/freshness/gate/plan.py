"""What a gate is about to do, as a value; `str` of it is what a dry run says."""

from collections.abc import Iterator

from msgspec import Struct

from freshness.core.lock import HeldLock
from freshness.core.registry_name import Repository
from freshness.gate.builds import repositories_of, tags_of
from freshness.gate.observe import Observed
from freshness.gate.service import Service
from freshness.settings.application import JobSettings


class Plan(Struct, frozen=True, kw_only=True):
    """The application's services, from this commit: built, recreated by image ID, proven, and looked at once more.

    `builds` are the Dockerfiles with the tag that each image gets, `repositories` where each is published (none: it
    stays on the Engine), `locked` what is this run's alone. `held` is the run that was seen to hold it, for which this
    one waits. `force`: a new container in any case. `is_throwaway`: the project is made for this run, with `needs`
    beside the services.
    """

    commit: str
    project: str
    builds: tuple[tuple[str, str], ...]
    locked: tuple[str, ...]
    services: tuple[Service, ...]
    jobs: tuple[JobSettings, ...] = ()
    later_jobs: tuple[JobSettings, ...] = ()
    repositories: tuple[Repository, ...] = ()
    force: bool = False
    held: HeldLock | None = None
    needs: tuple[str, ...] = ()
    is_throwaway: bool = False

    def __str__(self) -> str:
        return "\n".join(f"{number}. {step}" for number, step in enumerate(self._steps(), start=1))

    def _steps(self) -> Iterator[str]:
        for dockerfile, tag in self.builds:
            yield f"build {dockerfile} from {self.commit}, and nothing else, as {tag}"
        if self.held:
            what = f"{self.locked[0]} of {self.project}"
            yield f"wait for {self.held.owner}, which has locked {what} since {self.held.since}"
        for name in self.locked:
            yield f"lock {name} of {self.project} with a volume on the Docker host: one run at a time"
        yield from self._changes()
        for one in self.services:
            yield from self._proof(one)
        for job in self.later_jobs:
            yield f"run the job {job.service} once, for {job.timeout:g} s at most: how it ends is reported only"
        yield "check that the commit is still the head: only then the gate opens"
        yield from self._pushes()
        if self.is_throwaway:
            yield f"remove the project {self.project} with all that belongs to it"

    def _changes(self) -> Iterator[str]:
        needs = f", with what they depend on: {', '.join(self.needs)}" if self.needs else ""
        if self.is_throwaway:
            yield f"make the project {self.project} for this run alone, with empty volumes{needs}"
        undone = "it works on what is thrown away" if self.is_throwaway else "what it does cannot be undone"
        for job in self.jobs:
            yield f"run the job {job.service} once, for {job.timeout:g} s at most: {undone}"
        if self.is_throwaway:
            yield from (f"start {one.name} with Compose, from the image's ID" for one in self.services)
            return
        for image in dict.fromkeys(one.target.image for one in self.services):
            yield f"tag the image as {image}, by the ID that the build reports: that is what Compose runs"
        for one in self.services:
            unless = "" if self.force else ", if it does not run that image already"
            yield f"recreate {one.name} with Compose, and nothing else{unless}"

    def _pushes(self) -> Iterator[str]:
        for (_, tag), repository in zip(self.builds, self.repositories, strict=False):
            yield f"push {tag} as {repository}:{self.commit}, and prove that the registry holds that image"

    def _proof(self, one: Service) -> Iterator[str]:
        of = f" of {one.name}" if len(self.services) > 1 else ""
        yield f"wait up to {one.health.deadline:g} s for {one.health.wanted}{of}, {one.target.place}"
        if one.check:
            inside = one.name if of else "that container"
            yield f"run the staging check inside {inside}, for {one.check_timeout:g} s at most"
        yield f"check that the same container{of} is still healthy when it has run for {one.health.hold:g} s"


def plan_of(seen: Observed) -> Plan:
    """The plan for this commit, once nothing that could be seen speaks against it."""
    application, commit = seen.application, seen.commit.revision.commit
    tags = tags_of(application.config, application.builds.shared, commit)
    dockerfiles = [one.definition.dockerfile for one in application.builds.shared]
    return Plan(
        commit=commit,
        project=application.project,
        builds=tuple(zip(dockerfiles, tags, strict=True)),
        locked=application.locked,
        needs=application.throwaway.needs if application.throwaway else (),
        is_throwaway=application.throwaway is not None,
        services=application.services,
        jobs=application.jobs,
        later_jobs=application.later_jobs,
        repositories=repositories_of(seen.request.settings, application.builds.shared),
        force=seen.request.settings.compose.force_recreate,
        held=seen.host.held,
    )
