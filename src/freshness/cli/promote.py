"""Runs a promotion or a rollback as a whole: closed first, then the settings, the story, and how it ended."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from freshness.ci.outputs import Outputs
from freshness.cli.opening import Given, candidate_of, forge_of, open_run, output_file
from freshness.core.hexid import is_full_id
from freshness.core.promotion import PromotionOutcome
from freshness.errors import FreshnessError, Interrupted, wrap_unexpected_errors
from freshness.process.signals import interrupts_deferred
from freshness.report.forge import Forge
from freshness.report.publish import Publisher
from freshness.report.run_log import RunLog
from freshness.settings.child_environment import child_environment
from freshness.settings.known_secrets import conceal_known
from freshness.settings.model import PromoteSettings
from freshness.settings.read import read_promote, with_commits_file

if TYPE_CHECKING:  # they bring docker and pygit2, which nothing needs that ends at the settings
    from freshness.promotion.request import Request, Result


def run_promotion(
    given: Given,
    env: Mapping[str, str],
    env_file: Mapping[str, str],
    *,
    allow_unverified: bool = False,
    is_rollback: bool = False,
    rollback_to: str | None = None,
    dry_run: bool = False,
    notes: tuple[str, ...] = (),
) -> int:
    """The whole promotion or rollback; returns the exit status. `notes` are for report and summary.

    With `dry_run` the log alone says what would happen.
    """
    outputs = Outputs(path=output_file(env), decisive="outcome", closed=PromotionOutcome.ERROR.value)
    publisher = open_run("freshness rollback" if is_rollback else "freshness promote", env, outputs)
    try:
        with wrap_unexpected_errors():
            settings = _read(given, publisher, env_file, allow_unverified=allow_unverified, is_rollback=is_rollback)
            publisher = replace(publisher, keep_reports=settings.engine.keep_reports)
            request, run = _open(
                settings, publisher, notes, is_rollback=is_rollback, rollback_to=rollback_to, dry_run=dry_run
            )
            publisher = replace(publisher, forge=None if dry_run else _begin(publisher, settings, run))
    except (FreshnessError, Interrupted) as error:
        publisher.tell("error", str(error), {"outcome": PromotionOutcome.ERROR.value}, fine=False)
        return error.exit_status
    result = _promote(request, run)
    with interrupts_deferred():  # production has changed: say so, whoever interrupts
        if dry_run:
            publisher.tell_ahead(result.ahead, result.reason)
        else:
            _tell(_with_commit(publisher, settings, result), result)
    return result.exit_status


def _begin(publisher: Publisher, settings: PromoteSettings, run: RunLog) -> Forge:
    """Says at the forge that it is at work. A rollback learns its commit later."""
    forge = forge_of(publisher.command, settings, publisher.env)
    if forge.promoted is None:
        return forge
    forge, notes = forge.begin(forge.promoted)
    for note in notes:
        run.warn("The forge was not told", note)
    return forge


def _with_commit(publisher: Publisher, settings: PromoteSettings, result: "Result") -> Publisher:
    """A rollback's is the one that its image claims."""
    forge = publisher.forge
    if forge is None or forge.promoted or not is_full_id(result.revision):
        return publisher
    return replace(publisher, forge=replace(forge, promoted=candidate_of(settings, result.revision)))


def _read(
    given: Given, publisher: Publisher, env_file: Mapping[str, str], *, allow_unverified: bool, is_rollback: bool
) -> PromoteSettings:
    """With what the expected commit's own file says; of a rollback, which names none, with what today's says.

    What is wrong with today's file is a warning there: it keeps nobody from a rollback.
    """
    from freshness.git.commit_file import file_at_hand

    settings = read_promote(
        given,
        publisher.env,
        env_file,
        allow_unverified=allow_unverified,
        revision_required=not is_rollback,
        commit_follows=True,
    )
    conceal_known(settings, publisher.env, env_file)
    try:
        return with_commits_file(settings, file_at_hand(settings))
    except FreshnessError as error:
        if not is_rollback:
            raise
        publisher.log.warning("The settings file", f"Not read, since it is a rollback: {error}")
        return settings


def _open(
    settings: PromoteSettings, publisher: Publisher, notes: tuple[str, ...], **how: Any
) -> "tuple[Request, RunLog]":
    from freshness.promotion.request import Request

    env = publisher.env
    there = child_environment(env, next(iter(settings.docker_hosts), None))
    request = Request(settings=settings, env=there, run_env=env, **how)
    run = RunLog(log=publisher.log)
    run.note(*settings.warnings, *notes)
    return request, run


def _promote(request: "Request", run: RunLog) -> "Result":
    try:
        with wrap_unexpected_errors():
            if request.settings.swarm.services:
                from freshness.swarm.promote import promote as promote_in_swarm

                return promote_in_swarm(request, run)
            from freshness.promotion.promote import promote

            return promote(request, run)
    except (FreshnessError, Interrupted) as error:
        from freshness.promotion.request import Result

        return Result.ended(run, error)


def _tell(publisher: Publisher, result: "Result") -> None:
    outcome = result.outcome
    publisher.tell(
        outcome.value,
        result.reason,
        {
            "image-id": result.image_id,
            "images": json.dumps(result.images, sort_keys=True) if result.images else "",
            "previous-image-id": result.previous_image_id,
            "outcome": outcome.value,
        },
        fine=outcome in {PromotionOutcome.PROMOTED, PromotionOutcome.UNCHANGED},
        done=outcome not in {PromotionOutcome.REFUSED, PromotionOutcome.ERROR},
        checks=result.checks,
        notes=result.notes,
        image=result.image or None,
        image_id=result.image_id or None,
        images=result.images,
        hosts=result.hosts,
        previous_image_id=result.previous_image_id or None,
        daemon_id=result.daemon_id or None,
    )
