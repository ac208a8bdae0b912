"""The command `status`: looks at both targets, and at the clone that knows their commits. It changes nothing."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from freshness.cli.status_target import Config, find_locked, find_previous, look_at_target, not_named
from freshness.settings.docker_host import at_host
from freshness.settings.read import read_promote

if TYPE_CHECKING:  # as everything that is heavy to import
    from freshness.core.deployment import Role
    from freshness.engine.client import Engine
    from freshness.errors import FreshnessError
    from freshness.git.branch import Clone
    from freshness.report.target_status import TargetStatus
    from freshness.settings.model import PromoteSettings

Texts = Mapping[str, str]


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


class _Look(Struct, frozen=True, kw_only=True):
    """The look at all targets: `config` is production's, `staging` staging's, as Compose prints them."""

    settings: "PromoteSettings"
    config: Config
    staging: Config

    def at_all(self, env: Texts) -> "tuple[list[TargetStatus], datetime]":
        """What each target runs, staging's before production's, and the time of an Engine that answered."""
        from freshness.core.deployment import Role
        from freshness.process.ask_all import ANSWER_SECONDS, ask_all

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
            found = look_at_target(engine, role, config, name, settings)
            return replace(found, previous=find_previous(engine, config, name, settings))
        if is_production(settings, service, self.staging, self.config) and not settings.source_host:
            return not_named(name, self.staging["name"])
        return look_at_target(engine, role, config, name, settings)

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
        locked = find_locked(engine, held) if held else None
        found.append(_with_commits(replace(status, locked=locked), clone))
    if as_json:
        return json.dumps([target_status.as_json(one) for one in found], indent=2)
    return target_status.in_words(found, time_of(engine))


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
