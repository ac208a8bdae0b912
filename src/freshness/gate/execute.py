"""Executes a gate's plan: builds, then staging is this run's alone until it was recreated, proven, and seen to last."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial

from freshness.core.check import CheckName, CheckResult
from freshness.core.compose import Target, publishers_of
from freshness.core.definition import Shared
from freshness.core.image import Image, same_tag
from freshness.core.job import Job
from freshness.core.levels import order_by_need
from freshness.core.promotion import not_compared
from freshness.core.registry_name import Repository
from freshness.core.run import Run
from freshness.core.verdict import Verdict
from freshness.engine.base import build_base
from freshness.engine.build import Build, Building, building
from freshness.engine.builds import prune_builds
from freshness.engine.compose import Recreation, Source, missing_dependencies, recreate_all
from freshness.engine.containers import Container, find_container, how_it_changed, service_containers
from freshness.engine.health import HealthResult, require_health_source, wait_until_healthy
from freshness.engine.hold_time import wait_hold_time
from freshness.engine.images import tag_image
from freshness.engine.job import run_job
from freshness.engine.leftovers import keep_one_container
from freshness.engine.lock import Lease
from freshness.engine.staging_check import run_staging_check
from freshness.engine.throwaway import published_port, remove_leftovers
from freshness.errors import EngineError, FreshnessError, LockLost, Stale
from freshness.gate.builds import build_of
from freshness.gate.observe import Observed, lock_named, lock_of, ownership_of, refuse_moved_files
from freshness.gate.plan import Plan
from freshness.gate.request import Request
from freshness.gate.service import Service
from freshness.gate.throwaway import Throwaway, open_project, show_needs
from freshness.git.resolve_commit import NOT_ASKED, confirm_still_head
from freshness.report.container_log import show_container_log
from freshness.report.run_log import CLEANING_UP, RunLog
from freshness.report.steps import Found
from freshness.settings.application import JobSettings
from freshness.settings.kinds import CommandCheck, ScriptCheck
from freshness.target.job import record_job, refuse_job
from freshness.target.mounts import MountCheck, Overlay
from freshness.target.ownership import refuse_borrowed_labels
from freshness.target.publish import Way


def execute(plan: Plan, seen: Observed, until_built: ExitStack, run: RunLog) -> None:
    """Closes `until_built` once nothing more is read of the build context.

    Raises the FreshnessError that ended the run; the run's checks say how each operation ended.
    """
    work = _Work(plan=plan, request=seen.request, seen=seen, run=run)
    with run.phase("telling the forge"):
        for note in seen.request.forge.begin(seen.commit.candidate)[1]:
            run.warn("The forge was not told", note)
    with ExitStack() as until_ended:
        for shared, (_, tag) in zip(seen.application.builds.shared, plan.builds, strict=True):
            expected = f"an image labelled {plan.commit}"
            built = run.check(CheckName.BUILD, expected, work.build, shared, tag, until_ended)
            work.images |= dict.fromkeys(shared.services, built)
    for overlay in [one.overlay for one in plan.services] + seen.application.overlays_of_jobs:
        run.check(CheckName.MOUNTS, "no mount that hides what was built", work.look_at_mounts, overlay)
    with run.phase(CLEANING_UP):
        until_built.close()
    with ExitStack() as stack:
        for name in plan.locked:
            work.leases[name] = run.check(CheckName.LOCK, "staging for this run alone", work.take, name, stack)
        if seen.application.throwaway:
            work.open_project(seen.application.throwaway, stack)
        jobs = (
            run.check(CheckName.JOB, f"exit status 0 within {job.timeout:g} s", work.run_job, job) for job in plan.jobs
        )
        if all(jobs):  # nothing is recreated after what a job left half done
            work.switch()
            run.check(CheckName.HEAD, "this commit as the pull request's head, still", work.confirm_head)
            work.publish()
    run.found["images"] = {name: built.image.id for name, built in work.images.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Built:
    """An image, and the build that brought it."""

    build: Build
    image: Image


@dataclass(slots=True, kw_only=True)
class _Work:
    """What every operation of one gate works with; `images`, `leases` and `containers` are by the service's name.

    `source` is what Compose makes the services from. `builds` are under way, by their tags.
    """

    plan: Plan
    request: Request
    seen: Observed
    run: RunLog
    builds: dict[str, Building] = field(default_factory=dict)
    images: dict[str, _Built] = field(default_factory=dict)
    leases: dict[str, Lease] = field(default_factory=dict)
    containers: dict[str, tuple[Container, ...]] = field(default_factory=dict)
    source: Source = field(init=False)

    def __post_init__(self) -> None:
        self.source = self.seen.application.file

    def build(self, shared: Shared, tag: str, until_ended: ExitStack) -> Found[_Built]:
        """The first one begins all of them: BuildKit does what it can at once, and reads what they share once."""
        if not self.builds:
            self._begin_builds(until_ended)
        begun = self.builds[tag]
        title = "Build" if len(self.plan.builds) == 1 else f"Build of {', '.join(shared.services)}"
        with self.run.log.output_of(title):
            image = begun.end(self.run.log.untrusted)
        if self.seen.application.first in shared.services:
            self.run.found["image_id"] = image.id
            if self.plan.is_throwaway:
                self.run.found["image"] = tag
        self.run.warn("Labels of Compose", refuse_borrowed_labels(image))
        return Found(value=_Built(build=begun.build, image=image), got=f"{image.id}, labelled {self.plan.commit}")

    def _begin_builds(self, until_ended: ExitStack) -> None:
        settings, run_env, context = self.request.settings, self.request.run_env, self.seen.context
        for shared, (_, tag) in zip(self.seen.application.builds.shared, self.plan.builds, strict=True):
            build = build_of(shared, settings, run_env, context, self.plan.commit, tag)
            self.builds[tag] = until_ended.enter_context(building(self.seen.host.engine, build))

    def look_at_mounts(self, overlay: Overlay) -> Found[None]:
        """What Compose lays over the image, and what production would: of that the promotion decides."""
        host, built = self.seen.host, self.images[overlay.service]
        base = lru_cache(maxsize=1)(lambda: build_base(host.engine, built.build, built.image.id))
        is_elsewhere = not host.engine.is_local or host.prober.job is not None
        cover = MountCheck(
            engine=host.engine,
            image_id=built.image.id,
            overlay=overlay,
            find_base=base,
            is_elsewhere=is_elsewhere,
        )
        cover.require_uncovered()
        for moved, container in host.moved:
            if moved.name == overlay.service:
                refuse_moved_files(host.engine, built.image.id, self.seen.application, moved, container)
        self.run.note(*cover.notes)
        if overlay.service == self.seen.application.first:
            self._warn_of_production(replace(cover, notes=[]))
        return Found(value=None, got=cover.summary)

    def _warn_of_production(self, staging: MountCheck) -> None:
        settings, config = self.request.settings, self.seen.application.config
        production = publishers_of(config, settings.prod_port)
        for name in production or (settings.service,):
            cover = replace(staging, overlay=Overlay.of(config, name, settings.allow_mounts))
            for warning in [*cover.unmounted_volumes(), *(cover.problems() if name in production else ())]:
                self.run.warn("Production's mounts", f"Before production runs this image: {warning}")

    def take(self, name: str, until: ExitStack) -> Found[Lease]:
        """One gate at a time: from the recreation to the last look staging is this run's alone."""
        engine, revision = self.seen.host.engine, self.seen.commit.revision
        lock = lock_of(self.request, engine, self.seen.application, name, revision, self.run)
        lease = until.enter_context(lock.take(self.request.settings.lock_timeout))
        return Found(value=lease, got=f"{lease.name} is ours")

    def open_project(self, throwaway: Throwaway, until: ExitStack) -> None:
        """Makes the throwaway project, under its one lock, until the block ends; first what dead runs left goes."""
        (lease,) = self.leases.values()
        lock = partial(lock_named, self.request, lease.engine, self.seen.application, None, self.run)
        for project in remove_leftovers(lease.engine, lock):
            self.run.note(f"A run that is dead had left the throwaway project {project}: it is removed.")
        self.leases = dict.fromkeys(self.seen.application.members, lease)
        images, sources = {name: built.image.id for name, built in self.images.items()}, self.seen.host.sources
        rendered = throwaway.rendered(self.seen.application.file, images, sources)
        self.source = rendered
        until.enter_context(open_project(lease, throwaway, rendered, sources, self.run))

    def run_job(self, said: JobSettings) -> Found[bool]:
        """Before anything is tagged or recreated: what fails here leaves staging as it was."""
        lease, project = self.leases[said.service], self.plan.project
        if not self.plan.is_throwaway:
            refuse_job(lease.engine, project, said.service)  # again: nobody but us may change it from here on
            record_job(lease, project, said.service)
        image = self.images[said.service].image
        job = Job(project=project, service=said.service, image_id=image.id, timeout=said.timeout)
        undone = "it worked on what is thrown away" if self.plan.is_throwaway else "what it did cannot be undone"
        self.run.note(f"The job {said.service} was run from {image.id}: {undone}.")
        with self.run.log.group(f"Job {said.service}"):
            line = self.run.log.untrusted
            result = run_job(lease, self.source, job, line, with_needs=self.plan.is_throwaway)
        if result.ok:
            return Found(value=True, got=result.got)
        if self.seen.application.throwaway:
            show_needs(lease.engine, self.seen.application.throwaway, self.run)
        remedy = f"Look at the output of {said.service} in the log; nothing was recreated."
        return Found(value=False, got=result.got, verdict=Verdict.CHECK_FAILED, remedy=remedy)

    def switch(self) -> None:
        """All services are recreated, and then proven; what another one depends on comes first."""
        services = {one.name: one for one in self.plan.services}
        for names in order_by_need(self.seen.application.config, tuple(services)):
            images = dict.fromkeys(self.images[name].image.id for name in names)
            expected = f"{'containers that run' if len(names) > 1 else 'a container that runs'} {', '.join(images)}"
            self.run.check(CheckName.RECREATION, expected, self.recreate, [services[name] for name in names])
        for one in self.plan.services:
            self.prove(self._with_port(one))
        if all(check.result is CheckResult.PASSED for check in self.run.checks):
            for job in self.plan.later_jobs:
                self.run.note(f"The job {job.service} ended: {self.run_job(job).got}. It decides nothing.")

    def _tag(self, service: Service) -> None:
        """All tags move before the first recreation, each by its image's ID."""
        lease, target, image = self.leases[service.name], service.target, self.images[service.name].image
        require_health_source(service.health, target, image)
        if self.plan.is_throwaway:
            return  # what runs is given by the image's ID, and nobody else's
        ownership = ownership_of(self.request, self.seen.application, target)
        ownership.require(lease.engine)  # again: nobody but us may change it from here on
        ownership.record(lease)
        tag_image(lease, image.id, target.image)

    def recreate(self, services: Sequence[Service]) -> Found[None]:
        """Services that do not need each other, in one call of Compose."""
        if not self.containers:
            for one in self.plan.services:
                self._tag(one)
        before = set()
        for one in services:
            lease = self.leases[one.name]
            if one.target.replicas == 1:
                keep_one_container(lease, one.target, self.images[one.name].image.id)
            before |= {it.id for it in service_containers(lease.engine, one.target.project, one.name)}
        found = self._recreate(services)
        self.containers |= found
        for one in services:
            self._look_at_recreated(one, was_there=before.issuperset(it.id for it in found[one.name]))
        if len(self.containers) == len(self.plan.services):
            self._prune_builds()
        containers = [container for each in found.values() for container in each]
        said = (f"the container {container.name} ({container.short_id})" for container in containers)
        return Found(value=None, got=f"{', '.join(said)} {'run' if len(containers) > 1 else 'runs'} it")

    def _recreate(self, services: Sequence[Service]) -> dict[str, tuple[Container, ...]]:
        throwaway = self.seen.application.throwaway
        wanted = [Recreation(target=one.target, keeping=self.images[one.name].image.id) for one in services]
        lease, *others = [self.leases[one.name] for one in services]
        if throwaway is None:
            return recreate_all(lease, self.source, wanted, others=others, force=self.plan.force)
        try:
            return recreate_all(lease, self.source, wanted, with_needs=True)
        except FreshnessError:
            show_needs(lease.engine, throwaway, self.run)
            raise

    def _look_at_recreated(self, service: Service, *, was_there: bool) -> None:
        containers, image, target = self.containers[service.name], self.images[service.name].image, service.target
        container = next((one for one in containers if one.image_id != image.id), containers[0])
        if service.name == self.seen.application.first or "container" not in self.run.found:
            self.run.found["container"] = {"name": container.name, "id": container.id, "image_id": container.image_id}
        if container.image_id != image.id:
            raise Stale(
                f"the container {container.name} runs {container.image_id}.",
                "Something else moved staging's tag or recreated it: find it, then run again.",
            )
        left = not_compared(target.contents) if was_there else ""
        self.run.note(*([f"Staging was not recreated.{left}"] if left else ()))
        self._warn_of_dependencies(self.leases[service.name], target)

    def _warn_of_dependencies(self, lease: Lease, target: Target) -> None:
        if self.plan.is_throwaway:
            return
        for name in missing_dependencies(lease.engine, target):
            if name not in self.plan.locked:
                text = f"{target.service} depends on {name}, which does not run; it is never started here."
                self.run.warn("Dependency not running", text)

    def _with_port(self, service: Service) -> Service:
        """Of a throwaway project: with the port that Docker chose."""
        target = service.target
        if target.port or not target.is_published:
            return service
        port = published_port(self.seen.host.engine, self.containers[service.name][0], target.container_port)
        return replace(service, target=replace(target, port=port))

    def _prune_builds(self) -> None:
        """Housekeeping: what fails here says nothing about staging, but for a lock that is lost."""
        label, keep = self.request.settings.revision_label, self.request.settings.build.keep
        names, current = self.seen.application.members, {built.image.id for built in self.images.values()}
        repositories = {one.target.repository: self.leases[one.name] for one in self.plan.services}
        try:
            said = prune_builds(repositories, names=names, label=label, current=current, keep=keep)
            self.run.note(*said)
        except LockLost:
            raise
        except EngineError as error:
            self.run.note(f"Older builds were not let go. {error}")

    def prove(self, service: Service) -> None:
        """Each of its containers; the staging check runs in the first."""
        first, *others = self.containers[service.name]
        self._prove(service, first)
        for container in others:
            self._prove(replace(service, check=None), container)

    def _prove(self, service: Service, container: Container) -> None:
        """Health, the staging check, and that the container is the same and lasts; these may fail as values."""
        run, health, id_ = self.run, service.health, container.short_id
        expected = f"{health.wanted} within {health.deadline:g} s"
        if run.check(CheckName.HEALTH, expected, self.wait_for_health, service, container) and service.check:
            expected = f"exit status 0 within {service.check_timeout:g} s"
            run.check(CheckName.STAGING_CHECK, expected, self.check_staging, service, container)
        expected = f"{id_}, still running {container.image_id}"
        run.check(CheckName.SAME_CONTAINER, expected, self.find_changes, container)
        if all(check.result is CheckResult.PASSED for check in run.checks):  # the check has taken most of the hold time
            expected = f"{id_} healthy still, having run for {health.hold:g} s"
            run.check(CheckName.HOLD, expected, self.hold_out, service, container)

    def wait_for_health(self, service: Service, container: Container) -> Found[bool]:
        health, target, host = service.health, service.target, self.seen.host
        self.run.log.announce(f"Waiting for {health.wanted} from {service.name}, up to {health.deadline:g} s.")
        seen = self.run.log.seen
        return self._healthy(container, wait_until_healthy(host.engine, target, container, health, host.prober, seen))

    def hold_out(self, service: Service, container: Container) -> Found[bool]:
        health, target, host = service.health, service.target, self.seen.host
        return self._healthy(container, wait_hold_time(host.engine, target, container, health, host.prober))

    def _healthy(self, container: Container, result: HealthResult) -> Found[bool]:
        if result.ok:
            return Found(value=True, got=result.got)
        show_container_log(self.run.log, self.seen.host.engine, container)
        return Found(value=False, got=result.got, verdict=Verdict.UNHEALTHY, remedy=self._where_to_look(container))

    def check_staging(self, service: Service, container: Container) -> Found[None]:
        port = service.target.container_port
        base_url = f"http://localhost:{port}" if port else ""
        variables = {"BASE_URL": base_url, "GIT_SHA": self.plan.commit, "PYTHONUNBUFFERED": "1"}
        command, timeout = _check_command(service.check, base_url), service.check_timeout
        with self.run.log.output_of("Staging check"):
            engine, line = self.seen.host.engine, self.run.log.untrusted
            ran = run_staging_check(engine, container, command, variables, timeout, line)
        if ran.status == 0:
            return Found(value=None, got=ran.got)
        if self.plan.is_throwaway:
            show_container_log(self.run.log, self.seen.host.engine, container)
        remedy = f"{ran.remedy} {self._where_to_look(container)}".strip()
        return Found(value=None, got=ran.got, verdict=Verdict.CHECK_FAILED, remedy=remedy)

    def find_changes(self, before: Container) -> Found[None]:
        changed = how_it_changed(before, find_container(self.seen.host.engine, before.id))
        if changed:
            return Found(value=None, got=changed.got, verdict=Verdict.STALE, remedy=changed.remedy)
        return Found(value=None, got=f"{before.short_id}, running since {before.started_at[:19]}Z")

    def _where_to_look(self, container: Container) -> str:
        if self.plan.is_throwaway:
            return "Look at the log, then push a correction: the container is removed with its project."
        return (
            "Look at the log and at the container, which stays for that, then push a correction:"
            f" `docker logs {container.name}`."
        )

    def confirm_head(self) -> Found[None]:
        """The last check: forges rerun old events, and a head moves while staging is checked."""
        if self.request.settings.recheck_head:
            return Found(value=None, got=confirm_still_head(self.seen.commit.origin, self.seen.commit.candidate))
        if Run.of(self.request.run_env).has_forge:
            self.run.warn("recheck-head", NOT_ASKED)
        else:
            self.run.note(NOT_ASKED)
        return Found(value=None, got="not asked")

    def publish(self) -> None:
        """What was proven goes to the registry, each build to its own repository; what was not, goes nowhere."""
        digests: dict[str, str] = {}
        if not all(check.result is CheckResult.PASSED for check in self.run.checks):
            return
        for shared, repository in zip(self.seen.application.builds.shared, self.plan.repositories, strict=False):
            image_id = self.images[shared.services[0]].image.id
            expected = f"{repository} holding {image_id}"
            name = self.run.check(CheckName.REGISTRY, expected, self.push, image_id, repository)
            digests |= dict.fromkeys(shared.services, name)
        self.run.found["digests"] = digests

    def push(self, image_id: str, repository: Repository) -> Found[str]:
        settings, commit, lease = self.request.settings, self.plan.commit, next(iter(self.leases.values()))
        seconds, say = settings.registry.timeout, self.run.log.untrusted
        way = Way.to(repository, seconds=seconds, env=self.request.env, say=say)
        is_builds = any(same_tag(tag, f"{repository}:{commit}") for _, tag in self.plan.builds)
        with self.run.log.group(f"Push to {repository}"):
            held = way.publish(lease, image_id, commit=commit, label=settings.revision_label, keep_tag=is_builds)
        name = f"{repository}@{held.digest}"
        return Found(value=name, got=name)


def _check_command(check: ScriptCheck | CommandCheck | None, base_url: str) -> tuple[str, ...]:
    if isinstance(check, ScriptCheck):
        return ("python3", check.path, "--mode", check.mode, "--base-url", base_url)
    return check.argv if check else ()
