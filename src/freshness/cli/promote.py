"""Runs a promotion or a rollback as a whole: closed first, then the settings, the story, and how it ended."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from freshness.ci.outputs import Outputs
from freshness.cli.opening import Given, open_run, output_file
from freshness.core.decision import explain
from freshness.core.promotion import PromotionOutcome
from freshness.errors import FreshnessError, Interrupted
from freshness.process.signals import interrupts_deferred
from freshness.report.dry_run import look_ahead
from freshness.report.publish import Publisher
from freshness.report.steps import wrap_unexpected_errors
from freshness.settings.child_environment import child_environment
from freshness.settings.known_secrets import conceal_known
from freshness.settings.model import PromoteSettings
from freshness.settings.read import read_promote, with_commits_file

if TYPE_CHECKING:  # they bring docker and pygit2, which nothing needs that ends at the settings
    from freshness.promotion.promote import Promotion
    from freshness.promotion.retag import Retag


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
            settings = read_promote(
                given, env, env_file, allow_unverified=allow_unverified, revision_required=not is_rollback
            )
            conceal_known(settings, env, env_file)
            if not is_rollback:
                from freshness.git.commit_file import file_at_hand

                settings = with_commits_file(settings, file_at_hand(settings))
            publisher = replace(publisher, keep_reports=settings.keep_reports)
            promotion = _story(settings, publisher, is_rollback=is_rollback)
            promotion.notes.extend(notes)
            promotion.rollback_to = rollback_to
            if dry_run:
                return look_ahead(publisher, promotion)
    except (FreshnessError, Interrupted) as error:
        publisher.tell("error", str(error), {"outcome": PromotionOutcome.ERROR.value}, fine=False)
        return error.exit_status
    status = _promote(promotion)
    with interrupts_deferred():  # production has changed: say so, whoever interrupts
        _tell_promotion(publisher, promotion)
    return status


def _story(settings: PromoteSettings, publisher: Publisher, *, is_rollback: bool) -> "Promotion | Retag":
    from freshness.promotion.promote import Promotion
    from freshness.promotion.retag import Retag

    env = child_environment(publisher.env)
    if settings.recreate or settings.image is None:
        return Promotion(settings=settings, env=env, run_env=publisher.env, log=publisher.log, is_rollback=is_rollback)
    return Retag(
        settings=settings,
        env=env,
        run_env=publisher.env,
        log=publisher.log,
        is_rollback=is_rollback,
        tag=settings.image,
    )


def _promote(promotion: "Promotion | Retag") -> int:
    try:
        with wrap_unexpected_errors():
            promotion.run()
    except Interrupted as interrupted:
        promotion.reason = f"The promotion was interrupted. {promotion.reason or 'Nothing was changed.'}"
        return interrupted.exit_status
    except FreshnessError as error:
        why = explain(promotion.steps.checks) if promotion.steps.exit_status else str(error)
        promotion.reason = f"{why} {promotion.reason or 'Nothing was changed.'}"
        tried = promotion.outcome in {PromotionOutcome.ROLLED_BACK, PromotionOutcome.STRANDED}
        return promotion.outcome.exit_status if tried else error.exit_status
    return promotion.outcome.exit_status


def _tell_promotion(publisher: Publisher, promotion: "Promotion | Retag") -> None:
    serving, previous = promotion.serving_id, promotion.previous_id
    outputs = {"image-id": serving, "previous-image-id": previous, "outcome": promotion.outcome.value}
    publisher.tell(
        promotion.outcome.value,
        promotion.reason,
        outputs,
        fine=promotion.outcome in {PromotionOutcome.PROMOTED, PromotionOutcome.UNCHANGED},
        done=promotion.outcome not in {PromotionOutcome.REFUSED, PromotionOutcome.ERROR},
        checks=tuple(promotion.steps.checks),
        notes=(*promotion.settings.warnings, *promotion.notes),
        image=promotion.tag,
        image_id=serving or None,
        previous_image_id=previous or None,
        daemon_id=promotion.engine.id if promotion.engine else None,
    )
