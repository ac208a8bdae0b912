"""Reads the Compose files as gate and promotion do: all that either would refuse of them, at once."""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from msgspec import Struct

from freshness.ci.log import Log
from freshness.core.finding import Area, Finding
from freshness.doctor.target import Place
from freshness.doctor.trial import attempt, fine, note, problem
from freshness.engine.compose_reads import find_compose_files
from freshness.gate import request as gates
from freshness.gate.application import Application
from freshness.gate.host import ownership_of
from freshness.gate.observe import find_application
from freshness.gate.throwaway import Throwaway, find_sources
from freshness.git.checkout import open_repository
from freshness.git.commit_file import read_as_built
from freshness.git.same_files import name_within
from freshness.git.work_tree import find_root
from freshness.promotion import request as promotions
from freshness.promotion.preflight import ownership
from freshness.promotion.subject import TagAlone, read_subject
from freshness.report.forge import Forge
from freshness.report.run_log import RunLog
from freshness.settings.child_environment import child_environment
from freshness.settings.kinds import ScriptCheck
from freshness.settings.model import GateSettings, PromoteSettings

Texts = Mapping[str, str]


class Half(Struct, frozen=True, kw_only=True):
    """One half of a deployment: what was found without an Engine, and the services to look at on one."""

    findings: tuple[Finding, ...]
    places: tuple[Place, ...] = ()
    application: Application | None = None


def look_at_staging(settings: GateSettings, run_env: Texts) -> Half:
    """What the gate reads of the Compose files."""
    request = gates.Request(
        settings=settings,
        run_env=run_env,
        env=child_environment(run_env, settings.docker_host),
        forge=_silent(run_env),
        dry_run=True,
    )
    run = RunLog(log=_unheard())
    found, refused = attempt(Area.STAGING, lambda: find_application(request, run))
    notes = tuple(note(Area.STAGING, text) for text in run.notes)
    if found is None:
        return Half(findings=(*refused, *notes))
    application = found.value
    if application.throwaway:
        return _look_at_throwaway(settings, application, application.throwaway, notes)
    places = tuple(
        Place(
            area=Area.STAGING,
            target=one.target,
            health=one.health,
            overlay=one.overlay,
            ownership=ownership_of(request, application, one.target),
            together=application.members,
            allowed=settings.exceptions.empty,
        )
        for one in application.services
    )
    return Half(
        findings=(fine(Area.STAGING, f"the Compose file has {found.got}."), *notes),
        places=places,
        application=application,
    )


def _look_at_throwaway(
    settings: GateSettings, application: Application, throwaway: Throwaway, notes: tuple[Finding, ...]
) -> Half:
    """Nothing stands there yet; what could reach production is refused by the files alone."""
    sources = find_sources(throwaway, is_elsewhere=False)
    _, refused = attempt(Area.STAGING, lambda: throwaway.require(settings, sources))
    names = " and ".join(one.name for one in application.services)
    got = f"each gate proves {names} in a project of its own, and removes it (`throwaway-staging`)."
    return Half(findings=(fine(Area.STAGING, got), *refused, *notes), application=application)


def look_at_production(settings: PromoteSettings, run_env: Texts) -> Half:
    """What the promotion reads of the Compose files."""
    env = child_environment(run_env, next(iter(settings.docker_hosts), None))
    request = promotions.Request(settings=settings, env=env, run_env=run_env, dry_run=True)
    run = RunLog(log=_unheard())
    found, refused = attempt(Area.PRODUCTION, lambda: read_subject(request, run))
    notes = tuple(note(Area.PRODUCTION, text) for text in run.notes)
    if found is None:
        return Half(findings=(*refused, *notes))
    if isinstance(found, TagAlone):
        return Half(findings=(fine(Area.PRODUCTION, f"only the tag {found.tag} is moved."), *notes))
    places = tuple(
        Place(
            area=Area.PRODUCTION,
            target=one.target,
            health=one.health,
            overlay=one.overlay,
            ownership=ownership(request, one),
            together=found.members,
            allowed=settings.exceptions.empty,
        )
        for one in found.services
    )
    said = (f"{one.service} of the project {one.target.project}, {one.target.place}" for one in found.services)
    return Half(
        findings=(fine(Area.PRODUCTION, f"the Compose file has {'; '.join(said)}."), *notes),
        places=places,
    )


def look_at_builds(settings: GateSettings, application: Application, commit: str, run_env: Texts) -> Iterator[Finding]:
    """Whether the commit has what is built of it. Raises RepositoryError, Refused."""
    repository = open_repository(settings.source.folder)
    for one in application.builds.shared:
        name = one.definition.dockerfile
        if read_as_built(repository, commit, PurePosixPath(name)) is None:
            got = f"the commit has no {name}, from which {' and '.join(one.services)} is built."
            yield problem(
                Area.COMMIT, got, "Commit it, or correct `build:` of the Compose file (or `context`, `file`)."
            )
    if application.builds.by_compose:
        root = Path(find_root(settings.source.folder)[0])
        for path in find_compose_files(application.file, child_environment(run_env)):
            within = name_within(root, path)
            if within and read_as_built(repository, commit, PurePosixPath(within)) != path.read_bytes():
                got = f"{within} is not as in the commit, and it says how the image is built."
                yield problem(Area.COMMIT, got, "Commit it: the gate refuses a Compose file that no commit has.")
    for service in application.services:
        check = service.check
        if isinstance(check, ScriptCheck) and not (settings.source.folder / check.path.lstrip("/")).is_file():
            yield note(
                Area.STAGING,
                f"the staging check of {service.name} is {check.path} in its container; the checkout has no such file.",
                "Write one (`freshness init`), or set `check-path` or `check-command`.",
            )


def _silent(run_env: Texts) -> Forge:
    """Nothing is told to a forge."""
    return Forge(command="freshness doctor", env=run_env, token=None, application="", comments=False, context=None)


def _unheard() -> Log:
    return Log(io.StringIO(), actions=False)
