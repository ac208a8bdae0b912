"""Looks at the Engine, and refuses what a gate may not touch: what is another's, and what staging would lose."""

from collections.abc import Iterator

from msgspec import Struct, field

from freshness.core.compose import Target
from freshness.core.deployment import Role
from freshness.core.lock import HeldLock, service_lock
from freshness.core.revision import Revision
from freshness.core.throwaway import Sources
from freshness.core.variables import explain_emptied, find_emptied
from freshness.engine.client import Engine, connect
from freshness.engine.compose import RECREATE_SECONDS
from freshness.engine.conflicts import list_containers, refuse_conflicts
from freshness.engine.containers import Container, service_containers
from freshness.engine.health import require_probeable
from freshness.engine.images import find_image
from freshness.engine.lock import Lock
from freshness.engine.lock_owner import new_lock
from freshness.engine.probe_address import Prober, find_prober
from freshness.errors import SettingsError, Stale
from freshness.gate.application import Application
from freshness.gate.builds import repositories_of
from freshness.gate.request import Request
from freshness.gate.service import Service
from freshness.gate.throwaway import Throwaway, find_sources
from freshness.report.run_log import RunLog
from freshness.report.steps import Found
from freshness.settings.docker_host import at_host
from freshness.target.job import refuse_job
from freshness.target.moved import refuse_moved
from freshness.target.ownership import Ownership


class Host(Struct, frozen=True, kw_only=True):
    """The Engine and from where it is asked. `moved` have a bind mount whose source would be another one now.

    `held` is the run that holds the application as it was found, the first of them. `sources` is what lies at the bind
    mounts of a throwaway project.
    """

    engine: Engine
    prober: Prober
    moved: tuple[tuple[Service, Container], ...]
    held: HeldLock | None
    sources: Sources = field(default_factory=dict)


def find_host(request: Request, application: Application, run: RunLog) -> Found[Host]:
    settings = request.settings
    engine = connect(request.env, settings.engine.timeout)
    run.found["daemon_id"] = engine.id
    prober = find_prober(engine, request.env)
    if application.throwaway:
        return _find_room(request, application, application.throwaway, engine, prober)
    locks = [lock_of(request, engine, application, name, None, run) for name in application.locked]
    held = [lock for lock in locks if lock.look()]
    try:
        notes = list(_refuse_conflicts(request, engine, prober, application))
    except Stale:
        if request.dry_run or not held:
            raise
        for lock in held:
            lock.take(settings.engine.lock_timeout).release()  # what is in the way may be another gate at work
        notes = list(_refuse_conflicts(request, engine, prober, application))
    for note in notes:
        run.warn("adopt", note)
    moved = tuple(_refuse_loss(request, engine, application))
    host = Host(engine=engine, prober=prober, moved=moved, held=held[0].look() if held else None)
    return Found(value=host, got=f"no conflicts on {engine.endpoint}")


def _find_room(
    request: Request, application: Application, throwaway: Throwaway, engine: Engine, prober: Prober
) -> Found[Host]:
    """For a project that stands nowhere yet: nothing is in its way, and it must reach nothing that stays."""
    sources = find_sources(throwaway, is_elsewhere=not engine.is_local or prober.job is not None)
    throwaway.require(request.settings, sources)
    for one in application.services:
        require_probeable(engine, one.health, one.target, prober)
    host = Host(engine=engine, prober=prober, moved=(), held=None, sources=sources)
    return Found(value=host, got=f"a project of its own, {throwaway.project}, on the Engine {engine.id}")


def _refuse_conflicts(request: Request, engine: Engine, prober: Prober, application: Application) -> Iterator[str]:
    """What is to be noted. Raises Stale where something stands at a service's place that is not staging's."""
    listed = list_containers(engine)
    for one in application.services:
        require_probeable(engine, one.health, one.target, prober)
        note = ownership_of(request, application, one.target).require(engine)
        refuse_conflicts(engine, one.target, prober, application.members, listed)
        yield note
    for job in application.jobs + application.later_jobs:
        refuse_job(engine, application.project, job.service)


def _refuse_loss(request: Request, engine: Engine, application: Application) -> Iterator[tuple[Service, Container]]:
    """The containers with bind mounts: what these would lose is asked again of the image that is built.

    Raises where staging would go on without values or files that it has; a look at files needs an image.
    """
    for one in application.services:
        for container in service_containers(engine, one.target.project, one.name):
            emptied = find_emptied(one.target.environment, container.environment, request.settings.exceptions.empty)
            if emptied:
                raise SettingsError(*explain_emptied(f"The container {container.name}", emptied))
            if container.binds:
                if image := find_image(engine, container.image_id):
                    refuse_moved_files(engine, image.id, application, one, container)
                yield one, container


def refuse_moved_files(
    engine: Engine, image_id: str, application: Application, service: Service, container: Container
) -> None:
    """Raises Refused where a bind mount's new source has no files, and the container's own has."""
    refuse_moved(
        engine,
        image_id,
        service.overlay.mounts,
        what=f"staging's container {container.name}",
        before=container.binds,
        file=application.file,
    )


def ownership_of(request: Request, application: Application, target: Target) -> Ownership:
    """What this run holds the service to be."""
    return Ownership.of(request.settings, request.run_env, target, application.file, Role.STAGING)


def lock_of(
    request: Request, engine: Engine, application: Application, name: str, revision: Revision | None, run: RunLog
) -> Lock:
    """The lock of a service or job, for as long as the whole application may take."""
    return lock_named(request, engine, application, revision, run, service_lock(application.project, name))


def lock_named(
    request: Request, engine: Engine, application: Application, revision: Revision | None, run: RunLog, name: str
) -> Lock:
    """The lock of this name, for as long."""
    services, jobs = application.services, application.jobs + application.later_jobs
    pushes = repositories_of(request.settings, application.builds.shared)
    each = (RECREATE_SECONDS + one.health.deadline + one.check_timeout + one.health.hold for one in services)
    return new_lock(
        engine,
        name,
        command="freshness gate",
        revision=revision.commit if revision else None,
        seconds=sum(each) + sum(job.timeout for job in jobs) + len(pushes) * request.settings.registry.timeout + 60,
        env=at_host(request.run_env, request.settings.docker_host),
        say=run.log.say,
    )
