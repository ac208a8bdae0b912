"""Runs the gate as a whole: closed first, then the settings, the story, and how it ended."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from freshness.ci.outputs import Outputs
from freshness.cli.opening import Given, open_run, output_file
from freshness.core.check import CheckName
from freshness.core.decision import decide, explain, not_run
from freshness.core.scope import in_scope
from freshness.core.verdict import Verdict
from freshness.errors import FreshnessError, Interrupted
from freshness.report.dry_run import look_ahead
from freshness.report.publish import Publisher
from freshness.report.steps import wrap_unexpected_errors
from freshness.settings.child_environment import child_environment
from freshness.settings.known_secrets import conceal_known
from freshness.settings.model import GateSettings
from freshness.settings.read import read_gate

if TYPE_CHECKING:  # it brings docker and pygit2, which nothing needs that ends at the settings
    from freshness.gate.gate import Gate

BACK_TO_DEVELOPMENT = "The work goes back to development; production stays as it is."


def run_gate(given: Given, env: Mapping[str, str], env_file: Mapping[str, str], *, dry_run: bool = False) -> int:
    """The whole gate; returns the exit status. Whatever happens, nothing but the very last write says `open`.

    With `dry_run` the log alone says what would happen.
    """
    publisher = open_run("freshness gate", env, Outputs(path=output_file(env)))
    try:
        with wrap_unexpected_errors():
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
    return Gate(settings=settings, env=child_environment(publisher.env), run_env=publisher.env, log=publisher.log)


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
        f"Staging runs {passed[CheckName.BUILD]}; it is healthy ({passed[CheckName.HEALTH]}) and passed its check"
        f" ({passed[CheckName.STAGING_CHECK]}). Commit: {passed[CheckName.COMMIT]}."
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
