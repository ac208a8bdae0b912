"""The command line: parses, wires, prints and exits. What is heavy to import is imported where it is used."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from freshness import __version__
from freshness.cli.streams import answer, complain, let_go, show_usage, unwritten
from freshness.errors import FreshnessError, Interrupted, wrap_unexpected_errors
from freshness.settings.options import Commands, options

_Command = TypeVar("_Command", bound=Callable[..., Any])


def main() -> None:
    """Runs the command line and exits: the only place that turns an error into a sentence and an exit status."""
    try:
        _force_utf8()
        with wrap_unexpected_errors():
            status = _run()
    except FreshnessError as error:
        complain(str(error))
        status = error.exit_status
    except Interrupted as interrupted:
        complain("interrupted.")
        status = interrupted.exit_status
    let_go()
    sys.exit(status)


def _run() -> int:
    """The command's exit status; what Click finds wrong with the words of the call is a usage error."""
    try:
        return commands(prog_name="freshness", standalone_mode=False) or 0
    except click.ClickException as error:
        show_usage(error)
        return 2
    except click.Abort:
        return 130
    except SystemExit as error:
        if not error.code:  # how Click ends what a shell asked at a Tab
            return 0
        # And how where nobody reads a pipe, with the status that means refused.
        raise unwritten("nobody reads the pipe") from error


def _force_utf8() -> None:
    """A runner may give us no locale at all; then a foreign character must not end the run."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
@click.option(
    "--env-file", type=click.Path(dir_okay=False, path_type=Path), help="File of settings, as NAME=value lines."
)
@click.pass_context
def commands(context: click.Context, env_file: Path | None) -> None:
    """The image that becomes production is provably built from the validated commit.

    \b
    Exit status: 0 open, promoted or unchanged    1 closed or refused
                 2 usage or settings              3 could not work
                 4 promotion failed and was rolled back
                 5 promotion and rollback both failed: a person is needed
    """  # noqa: D301 -- click reads the backspace itself: it keeps the next paragraph's lines
    context.obj = env_file


def _environment() -> Mapping[str, str]:
    """What every command sees of it; nothing that it prints, not even of a wrong setting, repeats a secret."""
    from freshness.core.secret import conceal_variables
    from freshness.process.search_path import with_safe_path

    conceal_variables(os.environ)
    return with_safe_path(os.environ)


def _env_file(context: click.Context) -> Mapping[str, str]:
    from freshness.core.secret import conceal_variables
    from freshness.settings.env_file import read_env_file

    path: Path | None = context.obj
    found = read_env_file(path) if path else {}
    conceal_variables(found)
    return found


def _kept(*names: str, about: str) -> Callable[[_Command], _Command]:
    """A switch that `open_run` asks for, whatever the command."""
    return click.option(
        *names,
        is_flag=True,
        expose_value=False,
        callback=lambda context, option, value: context.meta.update({option.name: value}),
        help=about,
    )


_quiet = _kept("--quiet", "-q", about="Print only warnings, what failed, and how it ended.")
_json = _kept("--json", about="Print the report as one JSON object to standard output, and the log to standard error.")
_report = click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    expose_value=False,
    callback=lambda context, option, value: context.meta.update({option.name: value}),
    help="Write the report to this file too, as JSON; what it held is lost at once.",
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON: docs/schema/output.json describes it.")
_dry_run = click.option("--dry-run", is_flag=True, help="Print what would happen, or why nothing would; write nothing.")


@commands.command(short_help="Build, start and check staging from the validated commit.")
@options("gate")
@_dry_run
@_quiet
@_json
@_report
@click.pass_context
def gate(context: click.Context, /, *, dry_run: bool, **given: str | None) -> int:
    """Build, start and check staging from the validated commit, and say whether it may become production."""
    from freshness.cli.gate import run_gate

    return run_gate(given, _environment(), _env_file(context), dry_run=dry_run).exit_status


@commands.command(short_help="Gate and promote a commit in one, on the Docker host.")
@click.argument("revision", metavar="[REV]", default="HEAD")
@options("deploy")
@_dry_run
@_quiet
@_json
@_report
@click.pass_context
def deploy(context: click.Context, /, *, revision: str, dry_run: bool, **given: str | None) -> int:
    """Gate REV (HEAD, a branch, a tag or an id of the local clone), and promote it if the gate opens.

    An option counts for the gate, the promotion or both, whichever has it. Service, port, image and container differ
    between the two: set them as variables, or for the environments `staging` and `production` in the settings files.
    """
    from freshness.cli.deploy import deploy

    return deploy(revision, given, _environment(), _env_file(context), dry_run=dry_run)


@commands.command(short_help="Deploy the verified image to production; roll back if it fails.")
@options("promote")
@click.option("--allow-unverified", is_flag=True, help="Promote without an expected revision; the log warns of it.")
@_dry_run
@_quiet
@_json
@_report
@click.pass_context
def promote(context: click.Context, /, *, allow_unverified: bool, dry_run: bool, **given: str | None) -> int:
    """Deploy the verified image to production; roll back if it fails."""
    from freshness.cli.promote import run_promotion

    env_file = _env_file(context)
    return run_promotion(given, _environment(), env_file, allow_unverified=allow_unverified, dry_run=dry_run)


_ROLLBACK_OPTIONS = (
    "compose-file", "compose-env-files", "project-directory", "allow-empty", "accept-dependencies", "service", "port",
    "health-path", "health-retries", "health-interval", "project", "image", "container", "adopt", "revision-label",
    "update-order", "update-overlap", "keep-images", "lock-timeout", "engine-timeout", "allow-mounts",
    "staging-project", "staging-service", "deploy-environment", "pr", "pull-request-comment", "commit-status",
    "github-deployment", "swarm-service", "swarm-timeout", "hold-time",
)  # fmt: skip


@commands.command(short_help="Roll production back to the image that it ran before.")
@options("promote", *_ROLLBACK_OPTIONS)
@click.option("--list", "as_list", is_flag=True, help="List the images to roll back to, and change nothing.")
@click.option(
    "--to",
    metavar="WHAT",
    help=(
        "Entry of the list: its number, or at least 7 digits of its commit or image ID; default: the newest that"
        " was not rolled back from."
    ),
)
@click.option("--allow-unverified", is_flag=True, help="Roll back even to an image without a commit label.")
@click.option("--reason", metavar="TEXT", help="Reason, for the report and the summary.")
@_dry_run
@_quiet
@_json
@_report
@click.pass_context
def rollback(
    context: click.Context,
    /,
    *,
    as_list: bool,
    to: str | None,
    allow_unverified: bool,
    reason: str | None,
    dry_run: bool,
    **given: str | None,
) -> int:
    """Roll production back to the image and configuration that it ran before, with the checks of a promotion.

    A second rollback goes further back, never to what was rolled back from; `--to` names any entry of the list.
    """
    if as_list:
        from freshness.cli.retained import show_retained

        listed = show_retained(given, _environment(), _env_file(context), as_json=context.meta["json"])
        answer(listed.text)
        for host, error in listed.lost.items():
            complain(f"{host} is not in this list. {error}")
        return max((error.exit_status for error in listed.lost.values()), default=0)
    from freshness.cli.promote import run_promotion

    return run_promotion(
        given,
        _environment(),
        _env_file(context),
        allow_unverified=allow_unverified,
        is_rollback=True,
        rollback_to=to,
        dry_run=dry_run,
        notes=(f"Reason for the rollback: {reason}",) if reason else (),
    )


@commands.command(short_help="Check whether an image's label names exactly this commit.")
@click.argument("image")
@click.option("--revision", required=True, metavar="SHA", help="The full id of the validated commit.")
@options("promote", "revision-label", "engine-timeout")
@_as_json
@click.pass_context
def verify(context: click.Context, /, image: str, revision: str, *, as_json: bool, **given: str | None) -> int:
    """Print in one line whether IMAGE's label names exactly this commit; exit 1 for every doubt."""
    from freshness.cli.verify import verify_image

    found = verify_image(image, revision, given, _environment(), _env_file(context))
    answer(json.dumps(found, indent=2) if as_json else found["reason"])
    return 0 if found["proven"] else 1


@commands.command(short_help="Print which commit the gate would validate, and why.")
@click.option("--event", type=click.Path(path_type=Path), help="The event's JSON file. [GITHUB_EVENT_PATH]")
@click.option("--event-name", help="The event's name. [GITHUB_EVENT_NAME]")
@click.option("--offline", is_flag=True, help="Ask no server: use only the event and the local repository.")
@_as_json
@options("gate", "revision", "pr", "path")
@click.pass_context
def resolve(context: click.Context, /, **given: Any) -> int:
    """Print which commit the gate would validate, from which field, and why."""
    from freshness.cli.resolve import resolve_commit, unanswered

    try:
        found, text = resolve_commit(given, _environment(), _env_file(context))
    except FreshnessError as error:
        if given["as_json"]:
            answer(unanswered(given, _environment(), error))
        raise
    answer(text)
    return 0 if found else 1


@commands.command(short_help="Write the commit's tree to a folder, for inspection.")
@click.argument("folder", type=click.Path(path_type=Path))
@options("gate", "revision", "pr", "path", "incomplete")
@_as_json
@click.pass_context
def export(context: click.Context, /, folder: Path, *, as_json: bool, **given: str | None) -> None:
    """Write the commit's tree to FOLDER, byte for byte as the gate builds it, for inspection."""
    from freshness.cli.export import export_commit

    found = export_commit(folder, given, _environment(), _env_file(context))
    answer(json.dumps(found, indent=2) if as_json else found["reason"])


@commands.command(short_help="Print what staging and production run, and from which commit.")
@_as_json
@options(
    "promote",
    "staging-service",
    "staging-compose-file",
    "staging-project",
    "source-host",
    "docker-host",
    "compose-file",
    "compose-env-files",
    "project-directory",
    "service",
    "port",
    "project",
    "revision-label",
    "engine-timeout",
    "deploy-environment",
    "swarm-service",
)
@click.pass_context
def status(context: click.Context, /, *, as_json: bool, **given: str | None) -> None:
    """Print what staging and production run, from which commit, since when, and who is at work there.

    Ages are by the Docker host's clock. Subjects, and how far a commit is behind the branch, come from the clone in the
    current folder, as it was last fetched.
    """
    from freshness.cli.status import show_status

    answer(show_status(given, _environment(), _env_file(context), as_json=as_json))


@commands.command(short_help="Check host, checkout, runner and forge for all that a deployment needs.")
@options("deploy")
@_as_json
@click.option("--quiet", "-q", is_flag=True, help="Leave out what is fine.")
@click.pass_context
def doctor(context: click.Context, /, *, as_json: bool, quiet: bool, **given: str | None) -> int:
    """Check everything that a deployment of HEAD needs, and print each finding with its remedy.

    Nothing is built, written or locked. Options and settings are those of `deploy`. Exit status 0: no problem found;
    1: a gate or a promotion would refuse.
    """
    from freshness.cli.doctor import run_doctor

    return run_doctor(given, _environment(), _env_file(context), as_json=as_json, quiet=quiet)


@commands.command(short_help="Write workflow, settings and a staging check for this checkout.")
@options("gate", "compose-file", "compose-env-files", "project-directory")
@click.option("--service", "services", metavar="TEXT", help="Services of the application, where no `build:` tells.")
@click.option("--forge", type=click.Choice(["gitea", "github"]), help="Where the workflow goes. [by the remote]")
@click.option("--print", "only_print", is_flag=True, help="Print what would be written, and write nothing.")
@_as_json
def init(*, services: str | None, forge: str | None, only_print: bool, as_json: bool, **given: str | None) -> None:
    """Read the Compose files and write what a first deployment needs; no file is overwritten.

    It writes a workflow, `freshness.toml` where there are several services, and a staging check to start from. Where
    there is no staging, the gate makes a throwaway one.
    """
    from freshness.cli.init import run_init

    run_init(given, _environment(), services=services, forge=forge, only_print=only_print, as_json=as_json)


@commands.command("commit-status", short_help="Set the commit status that another job's gate or promotion has earned.")
@options("commit-status")
@click.pass_context
def commit_status(context: click.Context, /, **given: str | None) -> None:
    """Set the commit status that another job's gate or promotion has earned, so that its job needs no token for it."""
    from freshness.cli.commit_status import set_commit_status

    answer(set_commit_status(given, _environment(), _env_file(context)))


@commands.command(short_help="Show who locks a target, and release the lock of a dead run.")
@options(
    "promote",
    "docker-host",
    "compose-file",
    "compose-env-files",
    "project-directory",
    "service",
    "project",
    "engine-timeout",
    "deploy-environment",
    "swarm-service",
)
@click.option("--lock", "name", metavar="NAME", help="The lock's name, as a refusal shows it.")
@click.option(
    "--tag", metavar="TAG", help="The tag that a promotion with `recreate: false` moves, in place of a service."
)
@click.option("--force", is_flag=True, help="Release it although its owner is, or may be, still running.")
@_as_json
@click.pass_context
def unlock(
    context: click.Context, /, *, name: str | None, tag: str | None, force: bool, as_json: bool, **given: str | None
) -> int:
    """Show who locks production (or another --service), and release the lock of a dead run.

    The next run takes over from a dead one anyway; this is for a run that hangs, or that nobody can see.
    """
    from freshness.cli.unlock import unlock_target

    found = unlock_target(given, _environment(), _env_file(context), name=name, tag=tag, force=force)
    answer(
        json.dumps(found if len(found) > 1 else found[0], indent=2)
        if as_json
        else "\n".join(f"{one['host']}: {one['reason']}" if "host" in one else one["reason"] for one in found)
    )
    return 0 if all(one["free"] for one in found) else 1


@commands.command(short_help="Serve the board, a small page that names its own commit.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
def board(host: str, port: int) -> None:
    """Serve the board: a small page that says which revision it was built from."""
    from freshness.board.server import serve

    serve(host, port, os.environ)
