"""The commands that only look at an Engine: verify and status."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freshness.settings.read import read_promote, read_revision

if TYPE_CHECKING:  # as everything that is heavy to import
    from freshness.core.deployment import Role
    from freshness.settings.model import PromoteSettings

Texts = Mapping[str, str]


def verify_image(
    name: str, revision: str, given: Mapping[str, str | None], env: Texts, env_file: Texts
) -> tuple[bool, str]:
    """The guard alone: whether the image's label says exactly this commit, and one line that says so.

    Raises SettingsError for an abbreviated id, EngineError where the Engine cannot be asked.
    """
    from freshness.core.image import guard
    from freshness.engine.client import connect
    from freshness.engine.images import find_image

    expected = read_revision("--revision", revision)
    settings = read_promote(given, env, env_file, revision_required=False)
    engine = connect(env, settings.engine_timeout)
    image = find_image(engine, name)
    if image is None:
        return False, f"refused: the Engine {engine.id} at {engine.endpoint} has no image {name}."
    problem = guard(image, settings.revision_label, expected)
    if problem:
        return False, f"refused: {name} ({image.id}) does not prove {expected}: {problem}."
    return (
        True,
        f"label only: {name} ({image.id}) says {expected}. A label is a claim; the gate's image ID is the proof.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetStatus:
    """What a target runs. `revision` is what the image's label claims, None where nothing runs or is claimed.

    `restarts` are those that Docker made by itself since the container was made or started by hand. `notes` say what
    else may be meant, where nothing runs.
    """

    target: str
    service: str
    container: str | None
    status: str
    image_id: str | None
    revision: str | None
    since: str | None
    restarts: int | None = None
    notes: tuple[str, ...] = ()


def show_status(given: Mapping[str, Any], env: Texts, env_file: Texts) -> str:
    """What staging and production run, from which commit and since when, as a small table or JSON."""
    from dataclasses import asdict

    found = _both_targets(given, env, env_file)
    if given["as_json"]:
        return json.dumps([_without_nothing(asdict(status)) for status in found], indent=2)
    rows = [(one.target, one.service, _state(one), _commit(one), one.since or "", one.image_id or "") for one in found]
    rows.insert(0, ("target", "service", "status", "commit", "since", "image ID"))
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*table, *(note for one in found for note in one.notes)])


def _without_nothing(status: dict[str, Any]) -> dict[str, Any]:
    """Without notes where there are none."""
    return {key: value for key, value in status.items() if key != "notes" or value}


def _state(one: TargetStatus) -> str:
    """A container that restarts again and again looks fine at most moments."""
    if not one.restarts:
        return one.status
    return f"{one.status}, {one.restarts} restart{'s' if one.restarts > 1 else ''}"


def _commit(one: TargetStatus) -> str:
    return one.revision or ("has no commit label" if one.container else "")


def _both_targets(given: Mapping[str, Any], env: Texts, env_file: Texts) -> list[TargetStatus]:
    from freshness.core.deployment import Role
    from freshness.engine.client import connect
    from freshness.engine.compose import ComposeFile, read_config
    from freshness.target.staging import is_production, staging_config

    settings = read_promote(given, env, env_file, revision_required=False)
    file = ComposeFile.of(settings, env)
    config = read_config(file, env)
    staging = staging_config(settings, env, config)
    engine = connect(env, settings.engine_timeout)
    if is_production(settings, staging, config):
        first = _not_named(settings.staging_service)
    else:
        first = _one_target(engine, Role.STAGING, staging, settings.staging_service, settings)
    return [first, _one_target(engine, Role.PRODUCTION, config, settings.service, settings)]


def _not_named(service: str) -> TargetStatus:
    note = (
        f"staging: {service} is production's own service. Set where staging is: `staging-service`,"
        " `staging-project`, `staging-compose-file`."
    )
    return TargetStatus(
        target="staging",
        service=service,
        container=None,
        status="not named",
        image_id=None,
        revision=None,
        since=None,
        notes=(note,),
    )


def _notes(
    engine: Any, role: "Role", config: Mapping[str, Any], service: str, settings: "PromoteSettings"
) -> tuple[str, ...]:
    from freshness.core.compose import image_of
    from freshness.core.deployment import Role
    from freshness.engine.strays import MissingTarget, find_strays

    services = config.get("services") or {}
    is_production = role is Role.PRODUCTION
    sought = MissingTarget(
        role=role,
        project=config["name"],
        service=service,
        services=frozenset(services),
        image=image_of(config, service) if service in services else "",
        port=settings.port if is_production else None,
        not_on=None if is_production else settings.port,
    )
    return tuple(find_strays(engine, sought))


def _one_target(
    engine: Any, role: "Role", config: Mapping[str, Any], service: str, settings: "PromoteSettings"
) -> TargetStatus:
    from freshness.core.compose import why_missing
    from freshness.engine.containers import service_containers
    from freshness.engine.images import find_image

    containers = service_containers(engine, config["name"], service)
    if not containers:
        status = "no such service" if why_missing(config, service) else "nothing"
        return TargetStatus(
            target=role.value,
            service=service,
            container=None,
            status=status,
            image_id=None,
            revision=None,
            since=None,
            notes=_notes(engine, role, config, service, settings),
        )
    container = next((one for one in containers if one.runs), containers[0])  # a cut promotion leaves a second
    image = find_image(engine, container.image_id)
    return TargetStatus(
        target=role.value,
        service=service,
        container=container.name,
        status=(container.runs and container.health) or container.status,  # the last health outlives its container
        image_id=container.image_id,
        revision=image.revision(settings.revision_label) if image else None,
        since=container.started_at,
        restarts=container.restarts,
    )
