"""Brings the commit's tree to where it is built from, and refuses what would not be whole there."""

from pathlib import Path

from freshness.engine.client import Engine
from freshness.engine.compose_reads import find_compose_files
from freshness.gate.application import Application
from freshness.gate.builds import build_of
from freshness.gate.commit import Commit
from freshness.gate.incomplete import IncompletePaths, find_all_incomplete
from freshness.gate.request import Request
from freshness.git.export import refuse_incomplete
from freshness.git.same_files import require_same_files
from freshness.git.standing import BuildContext, build_context
from freshness.git.standing_look import Look
from freshness.git.work_tree import find_root
from freshness.report.run_log import RunLog
from freshness.report.steps import Found
from freshness.settings.model import Incomplete


def export(
    request: Request, commit: Commit, application: Application, look: Look, folder: Path, run: RunLog
) -> Found[tuple[BuildContext, tuple[IncompletePaths, ...]]]:
    source, revision = commit.origin, commit.revision
    context = build_context(look, source.repository, revision, folder)
    exported, found = context.exported, list[IncompletePaths]()
    for one in application.builds.shared:
        for incomplete in find_all_incomplete(exported, context.folder, one.definition):
            found.append(incomplete)
            if not incomplete.names:
                _refuse_incomplete(request, incomplete.printable, run)
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


def look_at_ignored(
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
