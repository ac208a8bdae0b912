"""What a gate finds before it changes anything: the commit, the services, the build context, and the Engine."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from freshness.core.check import CheckName
from freshness.core.compose import Target, Wanted
from freshness.core.deployment import Role
from freshness.core.fork import refuse_fork
from freshness.core.lock import HeldLock, service_lock
from freshness.core.moved import find_moved
from freshness.core.revision import Candidate, Revision
from freshness.core.run import Run
from freshness.core.variables import explain_emptied, find_emptied
from freshness.engine.build import locate
from freshness.engine.client import Engine, connect
from freshness.engine.compose import RECREATE_SECONDS, ComposeFile, read_service
from freshness.engine.conflicts import refuse_conflicts
from freshness.engine.containers import Container, service_containers
from freshness.engine.health import require_probeable, settle_health
from freshness.engine.images import find_image
from freshness.engine.lock import Lock
from freshness.engine.lock_owner import new_lock
from freshness.engine.probe_address import Prober, find_prober
from freshness.errors import SettingsError, Stale
from freshness.gate.incomplete import IncompletePaths, find_incomplete
from freshness.gate.request import Request
from freshness.git.commit_file import read_commit_file
from freshness.git.export import refuse_incomplete
from freshness.git.resolve_commit import GitSource, find_checkout, forge_address, permitted_revision, resolve_candidate
from freshness.git.standing import BuildContext, build_context
from freshness.git.uncommitted import in_words, uncommitted_paths
from freshness.report.run_log import RunLog
from freshness.report.steps import Found
from freshness.settings.model import GateSettings, Health, Incomplete
from freshness.settings.read import with_commits_file
from freshness.target.mounts import Overlay, find_tracked
from freshness.target.moved import refuse_moved
from freshness.target.ownership import Ownership


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """The validated commit, and the repository that has it."""

    origin: GitSource
    candidate: Candidate
    revision: Revision


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """The services that one commit runs in (one, today), in the Compose files that say so."""

    file: ComposeFile
    config: Mapping[str, Any]
    services: tuple[Target, ...]
    health: Health
    overlay: Overlay


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The Engine and from where it is asked. `moved` have a bind mount whose source would be another one now.

    `held` is the run that holds the application as it was found.
    """

    engine: Engine
    prober: Prober
    moved: tuple[Container, ...]
    held: HeldLock | None


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
    _note_uncommitted(request, commit.origin, run)
    application = run.check(
        CheckName.SERVICE, "a service that shares nothing with another", _read_application, request, run
    )
    expected = "the commit's tree, every object verified"
    built = folder / "context", until_built
    context, incomplete = run.check(CheckName.BUILD_CONTEXT, expected, _export, request, commit, *built, run)
    host = run.check(
        CheckName.OWNER, "a name and a port that are free or staging's own", _find_host, request, application, run
    )
    if incomplete.names:  # what `.dockerignore` leaves out need not be complete
        expected = "no submodule and no Git LFS pointer that reaches the build"
        run.check(CheckName.IGNORED_FILES, expected, _look_at_ignored, request, host.engine, incomplete, run)
    return Observed(request=request, commit=commit, application=application, context=context, host=host)


def _find_commit(request: Request, folder: Path, run: RunLog) -> Found[Commit]:
    settings, env = request.settings, request.run_env
    candidate, references = resolve_candidate(
        env,
        revision=settings.revision,
        pr=settings.pr,
        recheck_head=settings.recheck_head,
        address=forge_address(settings, env),
        checkout=find_checkout(settings),
    )
    run.found["candidate"] = candidate
    run.log.say(candidate.note)
    refuse_fork(candidate, allowed=settings.forks.allow, allowed_with_secrets=settings.forks.allow_with_secrets)
    origin = GitSource.find(settings, env, folder)
    revision = permitted_revision(origin, settings, candidate, references, env)
    run.found["revision"] = revision
    if revision.subject:
        run.log.untrusted(revision.subject)
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


def _read_application(request: Request, run: RunLog) -> Found[Application]:
    settings = request.settings
    wanted = Wanted(
        service=settings.service,
        port=settings.port,
        image=settings.image,
        container=settings.container,
        prod_port=settings.prod_port,
        accepted=settings.accept_dependencies,
        is_port_given=settings.given_port is not None,
        asks_path=settings.health.asked.startswith("/"),
    )
    file = ComposeFile.of(settings, request.env)
    tracked = partial(_tracked_mounts, request, run)
    config, target = read_service(file, request.env, wanted, settings.allow_empty, tracked)
    run.found["image"] = target.image
    health = settle_health(settings.health, target, is_port_given=settings.given_port is not None)
    run.note(*([health.note] if health.note else ()))
    overlay = Overlay.of(config, target.service, settings.allow_mounts)
    application = Application(file=file, config=config, services=(target,), health=health, overlay=overlay)
    return Found(value=application, got=f"{target.service} of the project {target.project}, {target.place}")


def _tracked_mounts(request: Request, run: RunLog, config: Mapping[str, Any]) -> tuple[str, ...]:
    """Why what lies over the image may not be there, as far as no Engine is needed to see it."""
    overlay = Overlay.of(config, request.settings.service, request.settings.allow_mounts)
    problems, notes = find_tracked(overlay, request.settings.workspace)
    run.note(*notes)
    return problems


def _export(
    request: Request, commit: Commit, folder: Path, until_built: ExitStack, run: RunLog
) -> Found[tuple[BuildContext, IncompletePaths]]:
    asked, source = request.settings.build, commit.origin
    env = {} if request.dry_run else request.run_env  # nothing of a dry run stays
    context = until_built.enter_context(
        build_context(source.repository, commit.revision, key=source.key, env=env, folder=folder)
    )
    incomplete = find_incomplete(context.exported, context.folder, asked.context, asked.file)
    if not incomplete.names:
        _refuse_incomplete(request, incomplete.printable, run)
    locate(context.folder, asked.context, asked.file)
    exported = context.exported
    got = f"{exported.files} files, {exported.size} bytes; {context.written} files written"
    return Found(value=(context, incomplete), got=got)


def _look_at_ignored(request: Request, engine: Engine, incomplete: IncompletePaths, run: RunLog) -> Found[None]:
    reaching = incomplete.reaching(engine)
    _refuse_incomplete(request, reaching, run)
    return Found(value=None, got=f"{len(incomplete.names) - len(reaching)} left out by .dockerignore")


def _refuse_incomplete(request: Request, paths: list[str], run: RunLog) -> None:
    if paths and request.settings.build.incomplete is Incomplete.REFUSE:
        raise refuse_incomplete(paths)
    run.note(*(f"Incomplete in the build context, as `incomplete: allow` permits: {path}" for path in paths))


def _find_host(request: Request, application: Application, run: RunLog) -> Found[Host]:
    settings = request.settings
    engine = connect(request.env, settings.engine_timeout)
    run.found["daemon_id"] = engine.id
    prober = find_prober(engine, request.env)
    lock = lock_of(request, engine, application.services[0], None, run)
    held = lock.look()
    try:
        notes = list(_refuse_conflicts(request, engine, prober, application))
    except Stale:
        if request.dry_run or not held:
            raise
        lock.take(settings.lock_timeout).release()  # what is in the way may be another gate at work
        notes = list(_refuse_conflicts(request, engine, prober, application))
    for note in notes:
        run.warn("adopt", note)
    moved = tuple(_refuse_loss(request, engine, application))
    host = Host(engine=engine, prober=prober, moved=moved, held=held)
    return Found(value=host, got=f"no conflicts on the Engine {engine.id}")


def _refuse_conflicts(request: Request, engine: Engine, prober: Prober, application: Application) -> Iterator[str]:
    """What is to be noted. Raises Stale where something stands at a service's place that is not staging's."""
    for target in application.services:
        require_probeable(engine, application.health, target, prober)
        yield ownership_of(request, application, target).require(engine)
        refuse_conflicts(engine, target, prober)


def _refuse_loss(request: Request, engine: Engine, application: Application) -> Iterator[Container]:
    """The containers with a bind mount that would have another source.

    Raises where staging would go on without values or files that it has; a look at files needs an image.
    """
    for target in application.services:
        for container in service_containers(engine, target.project, target.service):
            emptied = find_emptied(target.environment, container.environment, request.settings.allow_empty)
            if emptied:
                raise SettingsError(*explain_emptied(f"The container {container.name}", emptied))
            if find_moved(application.overlay.mounts, container.binds):
                if image := find_image(engine, container.image_id):
                    refuse_moved_files(engine, image.id, application, container)
                yield container


def refuse_moved_files(engine: Engine, image_id: str, application: Application, container: Container) -> None:
    """Raises Refused where a bind mount's new source has no files, and the container's own has."""
    refuse_moved(
        engine,
        image_id,
        application.overlay.mounts,
        what=f"staging's container {container.name}",
        before=container.binds,
        file=application.file,
    )


def ownership_of(request: Request, application: Application, target: Target) -> Ownership:
    """What this run holds the service to be."""
    return Ownership.of(request.settings, request.run_env, target, application.file, Role.STAGING)


def lock_of(request: Request, engine: Engine, target: Target, revision: Revision | None, run: RunLog) -> Lock:
    """The service's lock, for as long as recreation and proof may take."""
    health, check = request.settings.health, request.settings.staging_check
    return new_lock(
        engine,
        service_lock(target.project, target.service),
        command="freshness gate",
        revision=revision.commit if revision else None,
        seconds=RECREATE_SECONDS + health.deadline + check.timeout + health.hold + 60,
        env=request.run_env,
        say=run.log.say,
    )
