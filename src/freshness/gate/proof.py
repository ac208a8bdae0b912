"""Proves staging: health, the staging check, and that each container is the same and lasts."""

from msgspec.structs import replace

from freshness.core.check import CheckName, CheckResult
from freshness.core.verdict import Verdict
from freshness.engine.containers import Container, find_container, how_it_changed
from freshness.engine.health import HealthResult, wait_until_healthy
from freshness.engine.hold_time import wait_hold_time
from freshness.engine.staging_check import run_staging_check
from freshness.engine.throwaway import published_port
from freshness.gate.service import Service
from freshness.gate.work import Work
from freshness.report.container_log import show_container_log
from freshness.report.steps import Found
from freshness.settings.kinds import CommandCheck, ScriptCheck


def prove(work: Work, service: Service) -> None:
    """Each of its containers; the staging check runs in the first."""
    first, *others = work.containers[service.name]
    _prove(work, service, first)
    for container in others:
        _prove(work, replace(service, check=None), container)


def _prove(work: Work, service: Service, container: Container) -> None:
    """Health, the staging check, and that the container is the same and lasts; these may fail as values."""
    run, health, id_ = work.run, service.health, container.short_id
    expected = f"{health.wanted} within {health.deadline:g} s"
    if run.check(CheckName.HEALTH, expected, wait_for_health, work, service, container) and service.check:
        expected = f"exit status 0 within {service.check_timeout:g} s"
        run.check(CheckName.STAGING_CHECK, expected, check_staging, work, service, container)
    expected = f"{id_}, still running {container.image_id}"
    run.check(CheckName.SAME_CONTAINER, expected, find_changes, work, container)
    if all(check.result is CheckResult.PASSED for check in run.checks):  # the check has taken most of the hold time
        expected = f"{id_} healthy still, having run for {health.hold:g} s"
        run.check(CheckName.HOLD, expected, hold_out, work, service, container)


def wait_for_health(work: Work, service: Service, container: Container) -> Found[bool]:
    health, target, host = service.health, service.target, work.seen.host
    work.run.log.announce(f"Waiting for {health.wanted} from {service.name}, up to {health.deadline:g} s.")
    seen = work.run.log.seen
    return _healthy(work, container, wait_until_healthy(host.engine, target, container, health, host.prober, seen))


def hold_out(work: Work, service: Service, container: Container) -> Found[bool]:
    health, target, host = service.health, service.target, work.seen.host
    return _healthy(work, container, wait_hold_time(host.engine, target, container, health, host.prober))


def _healthy(work: Work, container: Container, result: HealthResult) -> Found[bool]:
    if result.ok:
        return Found(value=True, got=result.got)
    show_container_log(work.run.log, work.seen.host.engine, container)
    return Found(value=False, got=result.got, verdict=Verdict.UNHEALTHY, remedy=_where_to_look(work, container))


def check_staging(work: Work, service: Service, container: Container) -> Found[None]:
    port = service.target.container_port
    base_url = f"http://localhost:{port}" if port else ""
    variables = {"BASE_URL": base_url, "GIT_SHA": work.plan.commit, "PYTHONUNBUFFERED": "1"}
    command, timeout = _check_command(service.check, base_url), service.check_timeout
    with work.run.log.output_of("Staging check"):
        engine, line = work.seen.host.engine, work.run.log.untrusted
        ran = run_staging_check(engine, container, command, variables, timeout, line)
    if ran.status == 0:
        return Found(value=None, got=ran.got)
    if work.plan.is_throwaway:
        show_container_log(work.run.log, work.seen.host.engine, container)
    remedy = f"{ran.remedy} {_where_to_look(work, container)}".strip()
    return Found(value=None, got=ran.got, verdict=Verdict.CHECK_FAILED, remedy=remedy)


def find_changes(work: Work, before: Container) -> Found[None]:
    changed = how_it_changed(before, find_container(work.seen.host.engine, before.id))
    if changed:
        return Found(value=None, got=changed.got, verdict=Verdict.STALE, remedy=changed.remedy)
    return Found(value=None, got=f"{before.short_id}, running since {before.started_at[:19]}Z")


def _where_to_look(work: Work, container: Container) -> str:
    if work.plan.is_throwaway:
        return "Look at the log, then push a correction: the container is removed with its project."
    return (
        "Look at the log and at the container, which stays for that, then push a correction:"
        f" `docker logs {container.name}`."
    )


def with_port(work: Work, service: Service) -> Service:
    """Of a throwaway project: with the port that Docker chose."""
    target = service.target
    if target.port or not target.is_published:
        return service
    port = published_port(work.seen.host.engine, work.containers[service.name][0], target.container_port)
    return replace(service, target=replace(target, port=port))


def _check_command(check: ScriptCheck | CommandCheck | None, base_url: str) -> tuple[str, ...]:
    if isinstance(check, ScriptCheck):
        return ("python3", check.path, "--mode", check.mode, "--base-url", base_url)
    return check.argv if check else ()
