"""Runs a job as a service of one task, on any node: there alone it has the Swarm's networks, secrets and configs."""

import time
from collections.abc import Sequence

from freshness.core.check import CheckName
from freshness.core.job import JobResult
from freshness.core.swarm import Service
from freshness.core.swarm_job import job_spec, pick_image, result_of
from freshness.engine.swarm import (
    create_service,
    find_service,
    job_services,
    read_tasks,
    remove_service,
)
from freshness.errors import FreshnessError, Refused
from freshness.settings.application import JobSettings
from freshness.settings.kinds import Stage
from freshness.swarm.host import Host, find_template, template_names
from freshness.swarm.plan import Change, RunJob
from freshness.swarm.rollout import PAUSE_SECONDS, Work, show_task_log


def find_job(host: Host, job: JobSettings, changes: Sequence[Change]) -> RunJob:
    """The service of this name, or of this name in the stack, is its template. Raises Refused where there is none."""
    stack = changes[0].service.stack
    template = find_template(host.engine, stack, job.service)
    if template is None:
        raise Refused(
            f"the swarm has no service {' or '.join(template_names(stack, job.service))}, as which the job would run.",
            "Deploy it with `replicas: 0`: its command, networks and secrets are what the job gets.",
        )
    if template.runs_always:
        raise Refused(
            f"{template.name} runs always, and is to be a job; expected a replicated service with 0 replicas.",
            f"Scale it to nothing: `docker service scale {template.name}=0`, where it is not global.",
        )
    images = {change.service.image: change.image for change in changes}
    settings = host.request.settings
    told = settings.source_images or ({template.name: settings.source_image} if settings.source_image else {})
    return RunJob(
        template=template,
        image=pick_image(template, told, images),
        timeout=job.timeout,
        decides=job.stage is Stage.PRE_DEPLOY,
    )


def run_job(work: Work, job: RunJob) -> None:
    """Raises Refused where it does not end well, LockLost, EngineError."""
    name = job.template.name
    with work.run.step(CheckName.JOB, f"exit status 0 of {name} within {job.timeout:g} s") as step:
        _clear_earlier(work, job)
        result = _run(work, job)
        step.got = f"{name}: {result.got}"
        if not result.ok:
            raise Refused(f"{step.got}.", f"Look at the log of {name}, correct it, and run again.")


def run_later_job(work: Work, job: RunJob) -> None:
    """As `run_job`, once all is proven: how it ends is told, and takes nothing back."""
    try:
        run_job(work, job)
    except FreshnessError as error:
        work.run.warn("A job after the switch", str(error))


def _run(work: Work, job: RunJob) -> JobResult:
    engine, platforms = work.host.engine, work.images.platforms(job.image)
    spec = job_spec(job.template, job.image, work.host.token, platforms)
    work.leases.require()
    try:
        create_service(engine, spec, work.images.credentials(job.image))
        made = find_service(engine, spec["Name"])
        if made is None:
            return JobResult(status=None, why="its service is gone: something removed it")
        result = _follow(work, made, job.timeout)
        for task in read_tasks(engine, made)[:1]:
            show_task_log(work, job.template.name, task.id)
        return result
    finally:
        for one in job_services(engine, job.template):
            if one.name == spec["Name"]:
                remove_service(engine, one)


def _follow(work: Work, made: Service, seconds: float) -> JobResult:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            result = result_of(read_tasks(work.host.engine, made))
        except FreshnessError:  # a manager that is started anew
            result = None
        if result:
            return result
        time.sleep(PAUSE_SECONDS)
    return JobResult(status=None, why=f"it did not end within {seconds:g} s, and was stopped")


def _clear_earlier(work: Work, job: RunJob) -> None:
    """Never two: what a run left that was cut is waited for, and removed."""
    for one in job_services(work.host.engine, job.template):
        work.run.log.say(f"An earlier run left {one.name}: waiting for its end, up to {job.timeout:g} s.")
        _follow(work, one, job.timeout)
        work.leases.require()
        remove_service(work.host.engine, one)
