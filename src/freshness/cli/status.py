"""The command `status`: looks at both targets, and at the clone that knows their commits. It changes nothing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from freshness.settings.docker_host import at_host
from freshness.settings.read import read_promote

if TYPE_CHECKING:  # as everything that is heavy to import
    from freshness.core.deployment import Role
    from freshness.core.lock import HeldLock
    from freshness.engine.client import Engine
    from freshness.engine.containers import Container
    from freshness.errors import FreshnessError
    from freshness.git.branch import Clone
    from freshness.report.target_status import Locked, Previous, TargetStatus
    from freshness.settings.model import PromoteSettings

Texts = Mapping[str, str]
Config = Mapping[str, Any]
ANSWER_SECONDS = 10
"""For each of several Docker hosts."""


def show_status(given: Mapping[str, str | None], env: Texts, env_file: Texts, *, as_json: bool) -> str:
    """What staging and production run, for people or in JSON. Raises SettingsError, EngineError.

    Of several Docker hosts all are asked at once, each for `ANSWER_SECONDS`; one that does not answer says so.
    """
    from freshness.engine.compose_config import read_config
    from freshness.engine.compose_file import ComposeFile
    from freshness.git.branch import find_clone
    from freshness.report import target_status
    from freshness.target.staging import staging_config

    settings = read_promote(given, env, env_file, revision_required=False)
    if settings.swarm.services:
        return _show_swarm(settings, env, as_json=as_json)
    config = read_config(ComposeFile.of(settings, env), env)
    look = _Look(settings=settings, config=config, staging=staging_config(settings, env, config))
    found, now = look.at_all(env)
    clone = find_clone(settings.source.folder)
    found = [_with_commits(one, clone) for one in found]
    if as_json:
        return json.dumps([target_status.as_json(one) for one in found], indent=2)
    return target_status.in_words(found, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """The look at all targets: `config` is production's, `staging` staging's, as Compose prints them."""

    settings: "PromoteSettings"
    config: Config
    staging: Config

    def at_all(self, env: Texts) -> "tuple[list[TargetStatus], datetime]":
        """What each target runs, staging's before production's, and the time of an Engine that answered."""
        from freshness.core.deployment import Role
        from freshness.process.ask_all import ask_all

        roles: dict[str, list[Role]] = {self.settings.source_host or "": [Role.STAGING]}
        for host in self.settings.docker_hosts or ("",):
            roles.setdefault(host, []).append(Role.PRODUCTION)
        if len(roles) == 1:
            ((host, both),) = roles.items()
            found, now = self.at_host(env, host, both)
            return [one for role in both for one in found[role]], now
        asked = {host: partial(self.at_host, env, host, those) for host, those in roles.items()}
        answers = ask_all(asked, ANSWER_SECONDS)
        told = [
            replace(one, host=host or "here")
            for role in Role
            for host, those in roles.items()
            if role in those
            for one in self._said(role, answers[host])
        ]
        times = [answer[1] for answer in answers.values() if isinstance(answer, tuple)]
        return told, max(times, default=datetime.now(UTC))

    def at_host(self, env: Texts, host: str, roles: "list[Role]") -> "tuple[dict[Role, list[TargetStatus]], datetime]":
        """What they run on this host, and its time. Raises EngineError."""
        from freshness.engine.client import connect, time_of

        engine = connect(at_host(env, host or None), self.settings.engine.timeout)
        services = self.settings.services
        return {role: [self._of(engine, role, service) for service in services] for role in roles}, time_of(engine)

    def _said(
        self, role: "Role", answer: "tuple[dict[Role, list[TargetStatus]], datetime] | FreshnessError"
    ) -> "list[TargetStatus]":
        """A host that did not answer is no reason to say nothing of what runs there: it is said that nobody knows."""
        from freshness.report.target_status import UNREACHABLE, TargetStatus

        if isinstance(answer, tuple):
            return answer[0][role]
        project = self._config(role)["name"]
        return [
            TargetStatus(
                target=role.value,
                service=self._service(role, service),
                project=project,
                status=UNREACHABLE,
                notes=(f"  {answer}",),
            )
            for service in self.settings.services
        ]

    def _of(self, engine: "Engine", role: "Role", service: str) -> "TargetStatus":
        from freshness.core.deployment import Role
        from freshness.target.staging import is_production

        settings, name, config = self.settings, self._service(role, service), self._config(role)
        if role is Role.PRODUCTION:
            found = _look(engine, role, config, name, settings)
            return replace(found, previous=_previous(engine, config, name, settings))
        if is_production(settings, service, self.staging, self.config) and not settings.source_host:
            return _not_named(name, self.staging["name"])
        return _look(engine, role, config, name, settings)

    def _config(self, role: "Role") -> Config:
        return self.staging if role.value == "staging" else self.config

    def _service(self, role: "Role", service: str) -> str:
        return self.settings.staging_of(service) if role.value == "staging" else service


def _show_swarm(settings: "PromoteSettings", env: Texts, *, as_json: bool) -> str:
    from freshness.core.lock import swarm_lock
    from freshness.engine.client import connect, time_of
    from freshness.engine.lock import find_lock
    from freshness.git.branch import find_clone
    from freshness.report import target_status
    from freshness.swarm.status import look_at

    engine = connect(at_host(env, next(iter(settings.docker_hosts), None)), settings.engine.timeout)
    clone, found = find_clone(settings.source.folder), []
    for status in look_at(engine, settings.swarm.services):
        held = find_lock(engine, swarm_lock(status.service))
        locked = _locked(engine, held) if held else None
        found.append(_with_commits(replace(status, locked=locked), clone))
    if as_json:
        return json.dumps([target_status.as_json(one) for one in found], indent=2)
    return target_status.in_words(found, time_of(engine))


def _not_named(service: str, project: str) -> "TargetStatus":
    from freshness.report.target_status import TargetStatus

    note = (
        f"staging: {service} is production's own service. Set where staging is: `staging-service`,"
        " `staging-project`, `staging-compose-file`."
    )
    return TargetStatus(target="staging", service=service, project=project, status="not named", notes=(note,))


def _look(engine: "Engine", role: "Role", config: Config, service: str, settings: "PromoteSettings") -> "TargetStatus":
    from freshness.core.compose import why_missing
    from freshness.core.lock import service_lock
    from freshness.engine.containers import service_containers
    from freshness.engine.lock import find_lock
    from freshness.engine.plan_record import find_waiting
    from freshness.report.target_status import TargetStatus

    name = service_lock(config["name"], service)
    held = find_lock(engine, name)
    locked = _locked(engine, held) if held else None
    is_over = locked is None or locked.dead is not None
    status = TargetStatus(
        target=role.value,
        service=service,
        project=config["name"],
        status="no such service" if why_missing(config, service) else "nothing",
        locked=locked,
        interrupted=is_over and find_waiting(engine, name, held) is not None,
    )
    containers = service_containers(engine, config["name"], service)
    if not containers:
        return replace(status, notes=_notes(engine, role, config, service, settings))
    container = next((one for one in containers if one.runs), containers[0])  # a cut promotion leaves a second
    if len(containers) > 1:
        up = sum(one.runs for one in containers)
        status = replace(status, notes=(f"  {service} has {len(containers)} containers, of which {up} run",))
    return _with_container(status, engine, container, settings)


def _with_container(
    status: "TargetStatus", engine: "Engine", container: "Container", settings: "PromoteSettings"
) -> "TargetStatus":
    from freshness.engine.deployments import read_deployment
    from freshness.engine.images import find_image

    image = find_image(engine, container.image_id)
    recorded = read_deployment(engine, status.project, status.service)
    last = recorded.deployment if recorded and recorded.deployment.image == container.image_id else None
    return replace(
        status,
        container=container.name,
        status=(container.runs and container.health) or container.status,  # the last health outlives its container
        health=container.health or None,
        image_id=container.image_id,
        revision=image.revision(settings.source.label) if image else None,
        since=container.started_at,
        created=container.created_at,
        restarts=container.restarts,
        deployed_by=(last.who if last else "") or None,
        run=(last.run if last else "") or None,
    )


def _with_commits(status: "TargetStatus", clone: "Clone | None") -> "TargetStatus":
    """With what the clone knows of them."""
    if clone is None:
        return status
    previous = tuple(
        replace(one, subject=clone.subject(one.revision) or None) if one.revision else one for one in status.previous
    )
    if not status.revision:
        return replace(status, previous=previous)
    return replace(
        status,
        subject=clone.subject(status.revision) or None,
        branch=clone.branch or None,
        behind=clone.behind(status.revision),
        previous=previous,
    )


def _locked(engine: "Engine", held: "HeldLock") -> "Locked":
    from freshness.engine.lock_liveness import find_place, why_dead
    from freshness.report.target_status import Locked

    owner = held.owner
    return Locked(
        who=owner.who,
        host=owner.place.host,
        command=owner.command,
        revision=owner.revision or None,
        run=owner.run or None,
        since=held.since,
        dead=why_dead(engine, held, find_place(engine)),
    )


def _previous(engine: "Engine", config: Config, service: str, settings: "PromoteSettings") -> tuple["Previous", ...]:
    """What production can be brought back to; nothing where the Compose file does not have the service."""
    from freshness.core.compose import Wanted, read_target, why_missing
    from freshness.core.retained import retained_tags_of
    from freshness.promotion.observe import look
    from freshness.promotion.rollback import find_now, find_retained
    from freshness.report.target_status import Previous

    if why_missing(config, service):
        return ()
    label = settings.source.label
    target = read_target(config, Wanted(service=service, port=settings.port))
    tags = retained_tags_of(target, config, set(settings.staging_services) - set(settings.services))
    scene = look(engine, config["name"], service, None)
    now = find_now(engine, scene.runs, scene.known, scene.recorded, label)
    kept = find_retained(engine, tags, scene.recorded, label, now)
    return tuple(Previous.of(one) for one in kept)


def _notes(
    engine: "Engine", role: "Role", config: Config, service: str, settings: "PromoteSettings"
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
