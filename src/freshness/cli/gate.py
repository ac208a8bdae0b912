"""Runs the gate as a whole: closed first, then the settings, the run, and how it ended."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from freshness.ci.outputs import Outputs
from freshness.cli.opening import Given, forge_of, open_run, output_file
from freshness.core.scope import in_scope
from freshness.core.verdict import Verdict
from freshness.errors import FreshnessError, Interrupted, wrap_unexpected_errors
from freshness.report.comment import GATE
from freshness.report.publish import Publisher
from freshness.settings.child_environment import child_environment
from freshness.settings.known_secrets import conceal_known
from freshness.settings.model import GateSettings
from freshness.settings.read import read_gate

if TYPE_CHECKING:
    from freshness.gate.request import Result


class GateEnd(Struct, frozen=True, kw_only=True):
    """The exit status, and the result of a gate that was run: None where it was switched off, or closed before."""

    exit_status: int
    result: "Result | None" = None


def run_gate(given: Given, env: Mapping[str, str], env_file: Mapping[str, str], *, dry_run: bool = False) -> GateEnd:
    """The whole gate and how it ended. Whatever happens, nothing but the very last write says `open`.

    With `dry_run` the log alone says what would happen.
    """
    publisher = open_run(GATE, env, Outputs(path=output_file(env)))
    try:
        with wrap_unexpected_errors():
            settings = read_gate(given, env, env_file)
            conceal_known(settings, env, env_file)
            publisher = replace(publisher, keep_reports=settings.engine.keep_reports)
            switched_off = _why_off(settings)
            if switched_off:
                _open_unproven(publisher, *switched_off)
                return GateEnd(exit_status=0)
            return _gate(publisher, settings, dry_run=dry_run)
    except Interrupted as interrupted:
        _tell_closed(publisher, "The gate was interrupted.")
        return GateEnd(exit_status=interrupted.exit_status)
    except FreshnessError as error:
        _tell_closed(publisher, str(error))
        return GateEnd(exit_status=error.exit_status)


def _gate(publisher: Publisher, settings: GateSettings, *, dry_run: bool) -> GateEnd:
    from freshness.gate.gate import gate  # it brings docker and pygit2, which what ends at the settings does not need
    from freshness.gate.request import Request

    for warning in settings.warnings:
        publisher.log.note(warning, warning="freshness")
    env, forge = child_environment(publisher.env, settings.docker_host), forge_of(GATE, settings, publisher.env)
    request = Request(
        settings=settings,
        run_env=publisher.env,
        env=env,
        forge=forge,
        dry_run=dry_run,
        started=publisher.started,
    )
    result = gate(request, publisher.log)
    if dry_run:
        publisher.tell_ahead(result.ahead, result.reason)
    else:
        _tell_gate(replace(publisher, forge=forge), result, settings)
    return GateEnd(exit_status=result.exit_status, result=result)


def _tell_gate(publisher: Publisher, result: "Result", settings: GateSettings) -> None:
    found, is_fresh = result.found, result.verdict is Verdict.FRESH
    revision = found.get("revision")
    digests = found["digests"] if is_fresh and settings.registry.repository else {}
    outputs = {
        "verdict": result.verdict.value,
        "revision": revision.commit if revision else "",
        "tree": revision.tree if revision else "",
        "image": found.get("image", ""),
        "image-id": found["image_id"] if is_fresh else "",
        "images": json.dumps(found["images"], sort_keys=True) if is_fresh else "",
        "digest": digests[settings.service].rpartition("@")[2] if digests else "",
        "digests": json.dumps(digests, sort_keys=True) if digests else "",
        "daemon-id": found.get("daemon_id", ""),
        "gate": "open" if result.verdict.opens else "closed",
    }
    publisher.tell(
        result.verdict.value,
        result.reason,
        outputs,
        fine=result.verdict.opens,
        checks=result.checks,
        notes=(*settings.warnings, *result.notes),
        **found,
    )


def _tell_closed(publisher: Publisher, reason: str) -> None:
    publisher.tell(Verdict.ERROR.value, reason, {"verdict": Verdict.ERROR.value, "gate": "closed"}, fine=False)


def _why_off(settings: GateSettings) -> tuple[Verdict, str] | None:
    if not settings.scope.enabled:
        return (
            Verdict.DISABLED,
            "ORCH_IMAGE_FRESHNESS_ENABLED is false: nothing was built, recreated, checked or proven.",
        )
    repos = settings.scope.repos
    if not in_scope(settings.repository, repos):
        return Verdict.OUT_OF_SCOPE, (
            f"{settings.repository} matches no pattern of ORCH_IMAGE_FRESHNESS_REPOS ({', '.join(repos)}):"
            " nothing was built, recreated, checked or proven."
        )
    return None


def _open_unproven(publisher: Publisher, verdict: Verdict, reason: str) -> None:
    publisher.log.warning(f"The freshness gate is {verdict.value}", reason)
    publisher.tell(verdict.value, reason, {"verdict": verdict.value, "gate": "open"}, fine=True)
