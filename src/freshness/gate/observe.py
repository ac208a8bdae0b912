"""What a gate finds before it changes anything: the commit, the services, the build context, and the Engine."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from freshness.core.check import CheckName
from freshness.core.compose import Target
from freshness.core.deployment import Role
from freshness.core.fork import refuse_fork
from freshness.core.lock import HeldLock, service_lock
from freshness.core.quoting import quoted
from freshness.core.revision import Candidate, Revision
from freshness.core.run import Run
from freshness.core.throwaway import Sources
from freshness.core.variables import explain_emptied, find_emptied
from freshness.engine.client import Engine, connect
from freshness.engine.compose import RECREATE_SECONDS
from freshness.engine.compose_reads import find_compose_files
from freshness.engine.conflicts import list_containers, refuse_conflicts
from freshness.engine.containers import Container, service_containers
from freshness.engine.health import require_probeable
from freshness.engine.images import find_image
from freshness.engine.lock import Lock
from freshness.engine.lock_owner import new_lock
from freshness.engine.probe_address import Prober, find_prober
from freshness.errors import SettingsError, Stale
from freshness.gate.application import Application, read_application
from freshness.gate.builds import build_of, repositories_of, tags_of
from freshness.gate.incomplete import IncompletePaths, find_incomplete
from freshness.gate.plan import Plan
from freshness.gate.request import Request
from freshness.gate.service import Service
from freshness.gate.throwaway import Throwaway, find_sources
from freshness.git.commit_file import read_commit_file
from freshness.git.export import refuse_incomplete
from freshness.git.resolve_commit import GitSource, find_checkout, forge_address, permitted_revision, resolve_candidate
from freshness.git.same_files import require_same_files
from freshness.git.standing import BuildContext, build_context
from freshness.git.uncommitted import in_words, uncommitted_paths
from freshness.git.work_tree import find_root
from freshness.report.run_log import RunLog
from freshness.report.steps import Found
from freshness.settings.docker_host import at_host
from freshness.settings.model import GateSettings, Incomplete
from freshness.settings.read import with_commits_file
from freshness.target.job import refuse_job
from freshness.target.moved import refuse_moved
from freshness.target.ownership import Ownership


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """The validated commit, and the repository that has it."""

    origin: GitSource
    candidate: Candidate
    revision: Revision


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The Engine and from where it is asked. `moved` have a bind mount whose source would be another one now.

    `held` is the run that holds the application as it was found, the first of them. `sources` is what lies at the bind
    mounts of a throwaway project.
    """

    engine: Engine
    prober: Prober
    moved: tuple[tuple[Service, Container], ...]
    held: HeldLock | None
    sources: Sources = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """All that a gate sees before its plan. `context` holds the commit's tree.

    `request` has the settings of the commit's own file too.
    """

    request: Request
    commit: Commit
    application: Application
    context: BuildContext
    host: Host


def observe(request: Request, folder: Path, until_built: ExitStack, run: RunLog) -> Observed:
    """Looks at everything once; `folder` takes what has to be written for that. Raises FreshnessError.

    The build context is ours until `until_built` is closed.
    """
    commit = run.check(CheckName.COMMIT, "a commit of this repository", _find_commit, request, folder, run)
    request = replace(request, settings=_with_commits_file(request.settings, commit))
    with run.phase("comparing the work tree"):
        _note_uncommitted(request, commit.origin, run)
    application = run.check(
        CheckName.SERVICE, "a service that shares nothing with another", read_application, request, run
    )
    expected = "the commit's tree, every object verified"
    built = application, folder / "context", until_built
    context, incomplete = run.check(CheckName.BUILD_CONTEXT, expected, _export, request, commit, *built, run)
    host = run.check(
        CheckName.OWNER, "a name and a port that are free or staging's own", _find_host, request, application, run
    )
    if any(one.names for one in incomplete):  # what `.dockerignore` leaves out need not be complete
        expected = "no submodule and no Git LFS pointer that reaches the build"
        run.check(CheckName.IGNORED_FILES, expected, _look_at_ignored, request, host.engine, incomplete, run)
    return Observed(request=request, commit=commit, application=application, context=context, host=host)


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


def _find_commit(request: Request, folder: Path, run: RunLog) -> Found[Commit]:
    settings, env = request.settings, request.run_env
    candidate, references = resolve_candidate(
        env,
        revision=settings.revision,
        pr=settings.head.pr,
        recheck_head=settings.head.recheck,
        address=forge_address(settings, env),
        checkout=find_checkout(settings),
    )
    run.found["candidate"] = candidate
    if Run.of(request.run_env).event or not candidate.is_explicit:  # else nothing was weighed
        run.log.say(candidate.note)
    refuse_fork(candidate, allowed=settings.forks.allow, allowed_with_secrets=settings.forks.allow_with_secrets)
    origin = GitSource.find(settings, env, folder)
    revision = permitted_revision(origin, settings, candidate, references, env)
    run.found["revision"] = revision
    run.log.say(f"The commit is {revision.commit} {quoted(revision.subject)}.")
    got = f"{revision.commit} (tree {revision.tree}), from {revision.source}"
    return Found(value=Commit(origin=origin, candidate=candidate, revision=revision), got=got)


def _with_commits_file(settings: GateSettings, commit: Commit) -> GateSettings:
    path = settings.files.path
    text = read_commit_file(commit.origin.repository, commit.revision.commit, path) if path else ""
    return with_commits_file(settings, text)


def _note_uncommitted(request: Request, origin: GitSource, run: RunLog) -> None:
    """For a person at a work tree; a job's holds what its earlier steps made."""
    job = Run.of(request.run_env)
    if job.has_forge or job.actions:
        return
    paths = uncommitted_paths(origin.repository)
    if paths is None:
        run.log.say("Whether the work tree has uncommitted changes could not be told in time.")
    elif paths:
        run.warn("Uncommitted changes", in_words(paths))


def _export(
    request: Request, commit: Commit, application: Application, folder: Path, until_built: ExitStack, run: RunLog
) -> Found[tuple[BuildContext, tuple[IncompletePaths, ...]]]:
    source, revision = commit.origin, commit.revision
    env = {} if request.dry_run else request.run_env  # nothing of a dry run stays
    context = until_built.enter_context(
        build_context(source.repository, revision, key=source.key, env=env, folder=folder)
    )
    exported, found = context.exported, []
    for one in application.builds.shared:
        place, file = PurePosixPath(one.definition.context), PurePosixPath(one.definition.dockerfile)
        found.append(find_incomplete(exported, context.folder, place, file))
        if not found[-1].names:
            _refuse_incomplete(request, found[-1].printable, run)
        build_of(one, request.settings, request.run_env, context, revision.commit, "")
    same = _require_same_files(request, application, context.folder)
    got = f"{exported.files} files, {exported.size} bytes; {context.written} files written{same}"
    return Found(value=(context, tuple(found)), got=got)


def _require_same_files(request: Request, application: Application, tree: Path) -> str:
    """The Compose files say how the image is built: those of the checkout must be the commit's."""
    if not application.builds.by_compose:
        return ""
    files = find_compose_files(application.file, request.env)
    checkout = Path(find_root(request.settings.source.folder)[0])
    return f"; {require_same_files(files, checkout, tree)} Compose files as in the commit"


def _look_at_ignored(
    request: Request, engine: Engine, incomplete: tuple[IncompletePaths, ...], run: RunLog
) -> Found[None]:
    asked = [one for one in incomplete if one.names]
    reaching = [path for one in asked for path in one.reaching(engine)]
    _refuse_incomplete(request, reaching, run)
    count = sum(len(one.names) for one in asked)
    return Found(value=None, got=f"{count - len(reaching)} left out by .dockerignore")


def _refuse_incomplete(request: Request, paths: list[str], run: RunLog) -> None:
    if paths and request.settings.build.incomplete is Incomplete.REFUSE:
        raise refuse_incomplete(paths)
    run.note(*(f"Incomplete in the build context, as `incomplete: allow` permits: {path}" for path in paths))


def _find_host(request: Request, application: Application, run: RunLog) -> Found[Host]:
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
