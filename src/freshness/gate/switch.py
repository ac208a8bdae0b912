"""Switches staging to the images: the lock, the jobs before it, and one recreation for each level of needs."""

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial

from freshness.core.check import CheckName, CheckResult
from freshness.core.compose import Target
from freshness.core.job import Job
from freshness.core.levels import order_by_need
from freshness.core.promotion import not_compared
from freshness.core.verdict import Verdict
from freshness.engine.builds import prune_builds
from freshness.engine.compose import Recreation, missing_dependencies, recreate_all
from freshness.engine.containers import Container, service_containers
from freshness.engine.health import require_health_source
from freshness.engine.images import tag_image
from freshness.engine.job import run_job
from freshness.engine.leftovers import keep_one_container
from freshness.engine.lock import Lease
from freshness.engine.throwaway import remove_leftovers
from freshness.errors import EngineError, FreshnessError, LockLost, Stale
from freshness.gate.host import lock_named, lock_of, ownership_of
from freshness.gate.proof import prove, with_port
from freshness.gate.service import Service
from freshness.gate.throwaway import Throwaway, open_project, show_needs
from freshness.gate.work import Work
from freshness.report.steps import Found
from freshness.settings.application import JobSettings
from freshness.target.job import record_job, refuse_job


def take(work: Work, name: str, until: ExitStack) -> Found[Lease]:
    """One gate at a time: from the recreation to the last look staging is this run's alone."""
    engine, revision = work.seen.host.engine, work.seen.commit.revision
    lock = lock_of(work.request, engine, work.seen.application, name, revision, work.run)
    lease = until.enter_context(lock.take(work.request.settings.engine.lock_timeout))
    return Found(value=lease, got=f"{lease.name} is ours")


def open_throwaway(work: Work, throwaway: Throwaway, until: ExitStack) -> None:
    """Makes the throwaway project, under its one lock, until the block ends; first what dead runs left goes."""
    (lease,) = work.leases.values()
    lock = partial(lock_named, work.request, lease.engine, work.seen.application, None, work.run)
    for project in remove_leftovers(lease.engine, lock):
        work.run.note(f"A run that is dead had left the throwaway project {project}: it is removed.")
    work.leases = dict.fromkeys(work.seen.application.members, lease)
    images, sources = {name: built.image.id for name, built in work.images.items()}, work.seen.host.sources
    rendered = throwaway.rendered(work.seen.application.file, images, sources)
    work.source = rendered
    until.enter_context(open_project(lease, throwaway, rendered, sources, work.run))


def run_job_once(work: Work, said: JobSettings) -> Found[bool]:
    """Before anything is tagged or recreated: what fails here leaves staging as it was."""
    lease, project = work.leases[said.service], work.plan.project
    work.source.require_unchanged()
    if not work.plan.is_throwaway:
        refuse_job(lease.engine, project, said.service)  # again: nobody but us may change it from here on
        record_job(lease, project, said.service)
    image = work.images[said.service].image
    job = Job(project=project, service=said.service, image_id=image.id, timeout=said.timeout)
    undone = "it worked on what is thrown away" if work.plan.is_throwaway else "what it did cannot be undone"
    work.run.note(f"The job {said.service} was run from {image.id}: {undone}.")
    with work.run.log.group(f"Job {said.service}"):
        line = work.run.log.untrusted
        result = run_job(lease, work.source, job, line, with_needs=work.plan.is_throwaway)
    if result.ok:
        return Found(value=True, got=result.got)
    if work.seen.application.throwaway:
        show_needs(lease.engine, work.seen.application.throwaway, work.run)
    remedy = f"Look at the output of {said.service} in the log; nothing was recreated."
    return Found(value=False, got=result.got, verdict=Verdict.CHECK_FAILED, remedy=remedy)


def switch(work: Work) -> None:
    """All services are recreated, and then proven; what another one depends on comes first."""
    services = {one.name: one for one in work.plan.services}
    for names in order_by_need(work.seen.application.config, tuple(services)):
        images = dict.fromkeys(work.images[name].image.id for name in names)
        expected = f"{'containers that run' if len(names) > 1 else 'a container that runs'} {', '.join(images)}"
        work.run.check(CheckName.RECREATION, expected, recreate, work, [services[name] for name in names])
    for one in work.plan.services:
        prove(work, with_port(work, one))
    if all(check.result is CheckResult.PASSED for check in work.run.checks):
        for job in work.plan.later_jobs:
            work.run.note(f"The job {job.service} ended: {run_job_once(work, job).got}. It decides nothing.")


def _tag(work: Work, service: Service) -> None:
    """All tags move before the first recreation, each by its image's ID."""
    lease, target, image = work.leases[service.name], service.target, work.images[service.name].image
    require_health_source(service.health, target, image)
    if work.plan.is_throwaway:
        return  # what runs is given by the image's ID, and nobody else's
    ownership = ownership_of(work.request, work.seen.application, target)
    ownership.require(lease.engine)  # again: nobody but us may change it from here on
    ownership.record(lease, image=image, revision=work.plan.commit)
    tag_image(lease, image.id, target.image)


def recreate(work: Work, services: Sequence[Service]) -> Found[None]:
    """Services that do not need each other, in one call of Compose. Raises Stale where its files changed meanwhile."""
    work.source.require_unchanged()
    if not work.containers:
        for one in work.plan.services:
            _tag(work, one)
    before = set()
    for one in services:
        lease = work.leases[one.name]
        if one.target.replicas == 1:
            keep_one_container(lease, one.target, work.images[one.name].image.id)
        before |= {it.id for it in service_containers(lease.engine, one.target.project, one.name)}
    found = _recreate(work, services)
    work.source.require_unchanged()
    work.containers |= found
    for one in services:
        _look_at_recreated(work, one, was_there=before.issuperset(it.id for it in found[one.name]))
    if len(work.containers) == len(work.plan.services):
        _prune_builds(work)
    containers = [container for each in found.values() for container in each]
    said = (f"the container {container.name} ({container.short_id})" for container in containers)
    return Found(value=None, got=f"{', '.join(said)} {'run' if len(containers) > 1 else 'runs'} it")


def _recreate(work: Work, services: Sequence[Service]) -> dict[str, tuple[Container, ...]]:
    throwaway = work.seen.application.throwaway
    wanted = [Recreation(target=one.target, keeping=work.images[one.name].image.id) for one in services]
    lease, *others = [work.leases[one.name] for one in services]
    if throwaway is None:
        return recreate_all(lease, work.source, wanted, others=others, force=work.plan.force)
    try:
        return recreate_all(lease, work.source, wanted, with_needs=True)
    except FreshnessError:
        show_needs(lease.engine, throwaway, work.run)
        raise


def _look_at_recreated(work: Work, service: Service, *, was_there: bool) -> None:
    containers, image, target = work.containers[service.name], work.images[service.name].image, service.target
    container = next((one for one in containers if one.image_id != image.id), containers[0])
    if service.name == work.seen.application.first or "container" not in work.run.found:
        work.run.found["container"] = {"name": container.name, "id": container.id, "image_id": container.image_id}
    if container.image_id != image.id:
        raise Stale(
            f"the container {container.name} runs {container.image_id}.",
            "Something else moved staging's tag or recreated it: find it, then run again.",
        )
    left = not_compared(target.contents) if was_there else ""
    work.run.note(*([f"Staging was not recreated.{left}"] if left else ()))
    _warn_of_dependencies(work, work.leases[service.name], target)


def _warn_of_dependencies(work: Work, lease: Lease, target: Target) -> None:
    if work.plan.is_throwaway:
        return
    for name in missing_dependencies(lease.engine, target):
        if name not in work.plan.locked:
            text = f"{target.service} depends on {name}, which does not run; it is never started here."
            work.run.warn("Dependency not running", text)


def _prune_builds(work: Work) -> None:
    """Housekeeping: what fails here says nothing about staging, but for a lock that is lost."""
    label, keep = work.request.settings.source.label, work.request.settings.build.keep
    names, current = work.seen.application.members, {built.image.id for built in work.images.values()}
    repositories = {one.target.repository: work.leases[one.name] for one in work.plan.services}
    try:
        said = prune_builds(repositories, names=names, label=label, current=current, keep=keep)
        work.run.note(*said)
    except LockLost:
        raise
    except EngineError as error:
        work.run.note(f"Older builds were not removed. {error}")
