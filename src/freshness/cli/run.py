"""Runs the gate or a promotion as a whole: closed first, then the settings, the story, and how it ended."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from freshness.ci.log import Log
from freshness.ci.outputs import Outputs
from freshness.core.decision import decide, explain, not_run
from freshness.core.promotion import PromotionOutcome
from freshness.core.scope import in_scope
from freshness.core.verdict import Verdict
from freshness.errors import FreshnessError, Interrupted
from freshness.process.signals import interrupts_deferred, raise_on_signals
from freshness.report.dry_run import look_ahead
from freshness.report.publish import Publisher
from freshness.report.steps import speaking_plainly
from freshness.settings.child_environment import foreign_environment
from freshness.settings.known_secrets import conceal_known
from freshness.settings.model import GateSettings, PromoteSettings
from freshness.settings.read import read_gate, read_promote

if TYPE_CHECKING:  # they bring docker and pygit2, which nothing needs that ends at the settings
    from freshness.gate.gate import Gate
    from freshness.promotion.promote import Promotion
    from freshness.promotion.retag import Retag

Given = Mapping[str, str | None]
BACK_TO_DEVELOPMENT = "The work goes back to development; production stays as it is."


def run_gate(given: Given, env: Mapping[str, str], env_file: Mapping[str, str], *, dry_run: bool = False) -> int:
    """The whole gate; returns the exit status. Whatever happens, nothing but the very last write says `open`.

    With `dry_run` the log alone says what would happen.
    """
    publisher = _open("freshness gate", env, Outputs(path=_output_file(env)))
    try:
        with speaking_plainly():
            settings = read_gate(given, env, env_file)
            conceal_known(settings, env, env_file)
            publisher = replace(publisher, keep_reports=settings.keep_reports)
            switched_off = _why_off(settings)
            if switched_off:
                return _open_unproven(publisher, *switched_off)
            gate = _new_gate(publisher, settings)
            return look_ahead(publisher, gate) if dry_run else _gate(publisher, gate)
    except Interrupted as interrupted:
        _tell_closed(publisher, "The gate was interrupted.")
        return interrupted.exit_status
    except FreshnessError as error:
        _tell_closed(publisher, str(error))
        return error.exit_status


def _new_gate(publisher: Publisher, settings: GateSettings) -> "Gate":
    from freshness.gate.gate import Gate

    for warning in settings.warnings:
        publisher.log.warning("freshness", warning)
    return Gate(settings=settings, env=foreign_environment(publisher.env), run_env=publisher.env, log=publisher.log)


def _gate(publisher: Publisher, gate: "Gate") -> int:
    try:
        gate.run()
    except FreshnessError:
        pass  # it is the last of the gate's checks
    except Interrupted as interrupted:
        _tell_gate(publisher, gate, Verdict.ERROR, f"The gate was interrupted. {gate.staging}")
        return interrupted.exit_status
    verdict = decide(gate.steps.checks)
    _tell_gate(publisher, gate, verdict, _reason(gate, verdict))
    return _exit_status(gate, verdict)


def _exit_status(gate: "Gate", verdict: Verdict) -> int:
    """The verdict's own: where a check failed, a later error does not make it an error."""
    if verdict is Verdict.FRESH:
        return 0
    return gate.steps.exit_status or 1 if verdict is Verdict.ERROR else 1


def _reason(gate: "Gate", verdict: Verdict) -> str:
    if verdict is Verdict.FRESH:
        return _praise(gate)
    why = explain(gate.steps.checks)
    return why if verdict is Verdict.ERROR else f"{why} {BACK_TO_DEVELOPMENT}"


def _praise(gate: "Gate") -> str:
    passed = {check.name: check.got for check in gate.steps.checks}
    return (
        f"Staging runs {passed['build']}; it is healthy ({passed['health']}) and passed its check"
        f" ({passed['staging check']}). Commit: {passed['commit']}."
    )


def _tell_gate(publisher: Publisher, gate: "Gate", verdict: Verdict, reason: str) -> None:
    image_id = gate.image.id if gate.image else ""
    outputs = {
        "verdict": verdict.value,
        "revision": gate.revision.commit if gate.revision else "",
        "tree": gate.revision.tree if gate.revision else "",
        "image": gate.target.image if gate.target else "",
        "image-id": image_id if verdict is Verdict.FRESH else "",
        "daemon-id": gate.engine.id if gate.engine else "",
        "gate": "open" if verdict.opens else "closed",
    }
    publisher.tell(
        verdict.value,
        reason,
        outputs,
        fine=verdict.opens,
        checks=(*gate.steps.checks, *not_run(gate.steps.checks)),
        notes=(*gate.settings.warnings, *gate.notes),
        candidate=gate.candidate,
        revision=gate.revision,
        image=outputs["image"] or None,
        image_id=image_id or None,
        daemon_id=outputs["daemon-id"] or None,
        container={"name": gate.container.name, "id": gate.container.id} if gate.container else {},
    )


def _tell_closed(publisher: Publisher, reason: str) -> None:
    publisher.tell(Verdict.ERROR.value, reason, {"verdict": Verdict.ERROR.value, "gate": "closed"}, fine=False)


def _why_off(settings: GateSettings) -> tuple[Verdict, str] | None:
    if not settings.enabled:
        return (
            Verdict.DISABLED,
            "ORCH_IMAGE_FRESHNESS_ENABLED is false: nothing was built, recreated, checked or proven.",
        )
    if not in_scope(settings.repository, settings.repos):
        return Verdict.OUT_OF_SCOPE, (
            f"{settings.repository} matches no pattern of ORCH_IMAGE_FRESHNESS_REPOS ({', '.join(settings.repos)}):"
            " nothing was built, recreated, checked or proven."
        )
    return None


def _open_unproven(publisher: Publisher, verdict: Verdict, reason: str) -> int:
    publisher.log.warning(f"The freshness gate is {verdict.value}", reason)
    publisher.tell(verdict.value, reason, {"verdict": verdict.value, "gate": "open"}, fine=True)
    return 0


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
    outputs = Outputs(path=_output_file(env), decisive="outcome", closed=PromotionOutcome.ERROR.value)
    publisher = _open("freshness rollback" if is_rollback else "freshness promote", env, outputs)
    try:
        with speaking_plainly():
            settings = read_promote(
                given, env, env_file, allow_unverified=allow_unverified, revision_required=not is_rollback
            )
            conceal_known(settings, env, env_file)
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

    env = foreign_environment(publisher.env)
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
        with speaking_plainly():
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


def _output_file(env: Mapping[str, str]) -> Path | None:
    path = env.get("GITHUB_OUTPUT")
    return Path(path) if path else None


def _open(command: str, env: Mapping[str, str], outputs: Outputs) -> Publisher:
    """Closes the gate before anything is read or printed (I5), and lets signals end the run in an orderly way."""
    outputs.close_gate()
    raise_on_signals()
    return Publisher(
        command=command, env=env, log=Log(sys.stdout, actions=env.get("GITHUB_ACTIONS") == "true"), outputs=outputs
    )
