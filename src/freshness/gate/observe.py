"""What a gate finds before it changes anything: the commit, the services, the build context, and the Engine."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from freshness.core.check import CheckName
from freshness.engine.compose_config import reading_config
from freshness.engine.compose_file import ComposeFile
from freshness.gate.commit import Commit, comparing_work_tree, find_commit, settings_of_commit
from freshness.gate.request import Request
from freshness.git.standing import BuildContext
from freshness.git.standing_look import looking_at_standing
from freshness.report.run_log import RunLog
from freshness.report.steps import Found

if TYPE_CHECKING:
    from freshness.gate.application import Application
    from freshness.gate.host import Host


class Observed(Struct, frozen=True, kw_only=True):
    """All that a gate sees before its plan. `context` holds the commit's tree.

    `request` has the settings of the commit's own file too.
    """

    request: Request
    commit: Commit
    application: "Application"
    context: BuildContext
    host: "Host"


def observe(request: Request, folder: Path, until_built: ExitStack, run: RunLog) -> Observed:
    """Looks at everything once; `folder` takes what has to be written for that. Raises FreshnessError.

    The build context is ours until `until_built` is closed.
    """
    commit = run.check(CheckName.COMMIT, "a commit of this repository", find_commit, request, folder, run)
    request = replace(request, settings=settings_of_commit(request.settings, commit))
    env = {} if request.dry_run else request.run_env  # nothing of a dry run stays
    look = until_built.enter_context(looking_at_standing(env, commit.origin.key))
    expected = "a service that shares nothing with another"
    application = run.check(CheckName.SERVICE, expected, find_application, request, run)
    with run.phase("starting"):
        from freshness.gate.context import export, look_at_ignored  # these bring docker-py, which is there by now
        from freshness.gate.host import find_host

    with comparing_work_tree(request, commit.origin, run):
        expected, place = "the commit's tree, every object verified", folder / "context"
        found = run.check(CheckName.BUILD_CONTEXT, expected, export, request, commit, application, look, place, run)
        context, incomplete = found
        expected = "a name and a port that are free or staging's own"
        host = run.check(CheckName.OWNER, expected, find_host, request, application, run)
    if any(one.names for one in incomplete):  # what `.dockerignore` leaves out need not be complete
        expected = "no submodule and no Git LFS pointer that reaches the build"
        run.check(CheckName.IGNORED_FILES, expected, look_at_ignored, request, host.engine, incomplete, run)
    return Observed(request=request, commit=commit, application=application, context=context, host=host)


def find_application(request: Request, run: RunLog) -> "Found[Application]":
    """The services of the Compose files. Raises SettingsError with every problem of every service."""
    file = ComposeFile.of(request.settings, request.env)
    with reading_config(file, request.env) as begun:
        from freshness.gate.application import read_application  # it brings docker-py, which takes as long as Compose

        return read_application(begun, request, run)
