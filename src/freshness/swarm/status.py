"""What Swarm services run, and what they can be taken back to: for `status` and for the list of a rollback."""

import json

from freshness.core.retained import entries, in_table
from freshness.core.swarm import STOPPED, UNDER_WAY, Service, identity
from freshness.core.swarm_judge import judge
from freshness.core.swarm_record import read_deployed, revision_of
from freshness.core.swarm_refusals import refuse_no_manager
from freshness.engine.client import Engine
from freshness.engine.swarm import describe_swarm, read_nodes, read_tasks
from freshness.report.target_status import Previous, TargetStatus
from freshness.swarm.host import read_services
from freshness.swarm.retained import retained_of, runs_now


def look_at(engine: Engine, names: tuple[str, ...]) -> tuple[TargetStatus, ...]:
    """Each service by its spec, its tasks and its labels. Raises Refused where there is none of the name, EngineError.

    No registry is asked: the commit is the one that was proven when it was promoted.
    """
    refuse_no_manager(describe_swarm(engine), engine.endpoint)
    return tuple(_status(engine, service) for service in read_services(engine, names).values())


def _status(engine: Engine, service: Service) -> TargetStatus:
    tasks = read_tasks(engine, service)
    judged, last = judge(service.image, service, tasks, read_nodes(engine)), read_deployed(service.labels)
    is_last = identity(last.now.image) == identity(service.image)
    since = sorted(task.since for task in tasks if task.id in judged.good)
    filled = f"{len(judged.good)} of {service.replicas} tasks"
    revision, notes = revision_of(service.labels, service.image), [f"  not heard of: {one}" for one in judged.silent]
    if not revision:
        notes.append("  it was not promoted here: no registry was asked for its commit")
    under_way = service.state if service.state in UNDER_WAY | STOPPED else ""
    return TargetStatus(
        target="production",
        service=service.name,
        project=service.stack or "the swarm",
        container=filled,
        status=under_way or ("healthy" if judged.well else filled),
        image_id=identity(service.image),
        revision=revision or None,
        since=since[0] if since else None,
        created=service.updated or None,
        deployed_by=(last.by if is_last else "") or None,
        run=(last.url if is_last else "") or None,
        notes=tuple(notes),
        previous=tuple(Previous.of(one) for one in retained_of(service)),
    )


def list_retained(engine: Engine, names: tuple[str, ...], *, as_json: bool) -> str:
    """What each service runs, and what `rollback` can go back to, the newest first. Raises as `look_at`."""
    refuse_no_manager(describe_swarm(engine), engine.endpoint)
    rows = {name: (runs_now(one), retained_of(one)) for name, one in read_services(engine, names).items()}
    if as_json:
        whose = {name: {"service": name} if len(rows) > 1 else {} for name in rows}
        found = [whose[name] | one for name, row in rows.items() for one in entries(*row, runs=True)]
        return json.dumps(found, indent=2)
    return "\n\n".join(f"{name}\n{in_table(*row)}" for name, row in rows.items())
