"""Asks a manager whether the services of a Swarm could be updated now."""

from collections.abc import Iterator, Mapping
from functools import partial

from freshness.core.finding import Area, Finding
from freshness.core.swarm_judge import judge
from freshness.core.swarm_refusals import refuse_no_manager, refuse_service
from freshness.doctor.trial import fine, note, tried
from freshness.engine.client import Engine, connect
from freshness.engine.swarm import describe_swarm, read_nodes, read_tasks
from freshness.settings.child_environment import child_environment
from freshness.settings.model import PromoteSettings
from freshness.swarm.host import read_services


def look_at_swarm(settings: PromoteSettings, run_env: Mapping[str, str]) -> Iterator[Finding]:
    """Each service by itself. Raises Refused where no manager answers, EngineError."""
    engine = connect(child_environment(run_env, next(iter(settings.docker_hosts), None)), settings.engine.timeout)
    refuse_no_manager(describe_swarm(engine), engine.endpoint)
    for name in settings.swarm.services:
        yield from tried(Area.PRODUCTION, partial(_look_at_service, engine, name, settings))


def _look_at_service(engine: Engine, name: str, settings: PromoteSettings) -> Iterator[Finding]:
    service = read_services(engine, (name,))[name]
    refuse_service(service, seconds=settings.swarm.timeout, hold=settings.health.hold)
    judged = judge(service.image, service, read_tasks(engine, service), read_nodes(engine))
    yield (fine if judged.well else note)(Area.PRODUCTION, f"{name} in the swarm: {judged.said}.")
