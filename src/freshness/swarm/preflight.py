"""Looks at the services and at the images that they are to get, and refuses before the first write."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from freshness.core.check import CheckName
from freshness.core.image import Image, repository_of
from freshness.core.mounts import in_words
from freshness.core.retained import RetainedTags
from freshness.core.swarm import Service
from freshness.core.swarm_mounts import refuse_covered
from freshness.core.swarm_refusals import (
    pick_source,
    refuse_image,
    refuse_other_commit,
    refuse_service,
    refuse_unprovable,
)
from freshness.engine.swarm import read_nodes
from freshness.promotion.ancestry import require_forward
from freshness.promotion.candidate import Choice
from freshness.promotion.request import Request
from freshness.report.run_log import RunLog
from freshness.settings.application import JobSettings
from freshness.swarm.host import Host, read_services
from freshness.swarm.images import Images
from freshness.swarm.jobs import find_job
from freshness.swarm.plan import Change, Plan, RunJob
from freshness.swarm.retained import Back, choose_back

_ANOTHER = "Name an entry of `freshness rollback --list` with `--to`, or promote an image, with `allow-rollback`."


class Preflight(Struct, frozen=True, kw_only=True):
    """The look at one application's services, in a Swarm of so many `nodes`."""

    host: Host
    run: RunLog
    images: Images
    nodes: int

    @property
    def request(self) -> Request:
        return self.host.request

    @property
    def _may_go_back(self) -> bool:
        return self.request.is_rollback or bool(self.request.settings.ancestry.allow_rollback)

    def plan(self) -> Plan:
        """Raises Refused, and what kept it from being decided."""
        services = self._services()
        sources = self._sources(services)
        changes = tuple(self._change(service, sources[service.name]) for service in services)
        self._prove(change.image for change in changes)
        ancestry = tuple(self._ancestry(changes))
        before, after = self._jobs(self.host.jobs, changes), self._jobs(self.host.later_jobs, changes)
        return Plan(jobs=before, changes=changes, later_jobs=after, ancestry=ancestry[0])

    def _services(self) -> tuple[Service, ...]:
        names, swarm = self.host.names, self.request.settings.swarm
        with self.run.step(CheckName.SERVICE, f"{' and '.join(names)} ready for an update") as step:
            found = tuple(read_services(self.host.engine, names).values())
            for service in found:
                refuse_service(service, seconds=swarm.timeout, hold=self.request.settings.health.hold)
            step.got = ", ".join(f"{one.name} with {one.replicas} replicas" for one in found)
        return found

    def _sources(self, services: tuple[Service, ...]) -> dict[str, str]:
        """The image that each gets, as its spec will spell it."""
        if self.request.is_rollback:
            backs = dict[str, Back]()
            for service in services:
                back = choose_back(service, self.request.rollback_to, next(iter(backs.values()), None))
                refuse_image(back.image, self.nodes, _ANOTHER)
                label = self.request.settings.source.label
                said = {one.revision(label) for one in self.images.describe(back.image)}
                refuse_other_commit(service.name, back.image, back.entry.revision, said)
                backs[service.name] = back
            return {name: back.image for name, back in backs.items()}
        settings = self.request.settings
        staging = settings.staging_services if len(settings.staging_services) == len(services) else ()
        found = dict[str, str]()
        for number, service in enumerate(services):
            name = staging[number] if staging else ""
            found[service.name] = pick_source(service, settings.source_images, settings.source_image, name)
            refuse_image(found[service.name], self.nodes)
        return found

    def _change(self, service: Service, source: str) -> Change:
        settings = self.request.settings
        with self.run.step(CheckName.IMAGE, f"an image for {service.name} that every node can pull") as step:
            described = self.images.describe(source)
            step.got = source
        with self.run.step(CheckName.HEALTH_PROBE, "a HEALTHCHECK") as step:
            if not settings.health.is_running_enough:
                for one in described:
                    refuse_unprovable(service.name, service.container, one.healthcheck)
            step.got = settings.health.note or "a HEALTHCHECK"
        self.run.note(settings.health.note)
        self._require_open(service, described)
        label = settings.source.label
        self.run.found.setdefault("revision", described[0].revision(label) or "")
        return Change(
            service=service,
            image=source,
            candidate=described[0],
            running=self.images.find_running(service, label, may_be_unknown=self._may_go_back),
            label=label,
            keep=settings.keep_images,
            run=self.host.token,
        )

    def _require_open(self, service: Service, described: Iterable[Image]) -> None:
        allowed, notes = self.request.settings.exceptions.mounts, dict[str, None]()
        with self.run.step(CheckName.MOUNTS, "no mount over what the containers start") as step:
            for one in described:
                notes |= dict.fromkeys(refuse_covered(service.name, service.container, one.process, allowed))
            step.got = in_words(len(notes))
        for note in notes:
            self.run.note(note)

    def _jobs(self, jobs: tuple[JobSettings, ...], changes: tuple[Change, ...]) -> tuple[RunJob, ...]:
        """None where nothing is updated. Raises Refused."""
        if all(change.is_same for change in changes):
            return ()
        found = tuple(find_job(self.host, job, changes) for job in jobs)
        others = {job.image for job in found} - {change.image for change in changes}
        for image in others:
            refuse_image(image, self.nodes)
        self._prove(sorted(others))
        return found

    def _prove(self, images: Iterable[str]) -> None:
        """The guard, once for each image that a node may run."""
        settings = self.request.settings
        for image in dict.fromkeys(images):
            choice = Choice(
                engine=self.host.engine,
                request=self.request,
                run=self.run,
                tags=RetainedTags(repository=repository_of(image.partition("@")[0])),
                service=settings.swarm.services[0],
            )
            for one in self.images.describe(image):
                choice.prove(one)

    def _ancestry(self, changes: tuple[Change, ...]) -> Iterator[str]:
        """How each candidate stands to what runs, each commit once."""
        seen = set[str]()
        for change in changes:
            known = change.running.revision(change.label)
            if known is None or known not in seen:
                yield require_forward(self.request, self.run, change.running, change.candidate, None)
                seen.add(known or "")


def look(host: Host, run: RunLog) -> Preflight:
    """With the nodes as they are."""
    images = Images(engine=host.engine, env=host.request.env)
    return Preflight(host=host, run=run, images=images, nodes=len(read_nodes(host.engine)))
