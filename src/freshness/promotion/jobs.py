"""The jobs around the switch: from which image each runs, before anything is written."""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from freshness.core.compose import image_of
from freshness.core.deployment import Role
from freshness.core.image import Image, same_tag
from freshness.core.job import Job
from freshness.errors import Refused
from freshness.promotion.candidate import Choice
from freshness.promotion.change import Change
from freshness.promotion.host import Host
from freshness.promotion.operations import RunJob
from freshness.promotion.plan import Plan
from freshness.promotion.subject import Application
from freshness.report.run_log import RunLog
from freshness.settings.application import JobSettings
from freshness.target.job import refuse_job


def with_jobs(host: Host, plans: Sequence[Plan], run: RunLog) -> Plan:
    """The plan of the first `host` with the application's jobs, which run there, whichever of the hosts are switched.

    Without them where `plans`, those of all hosts, change nothing: then there is nothing to migrate. Raises Refused.
    """
    plan, application = plans[0], host.subject
    if not isinstance(application, Application):
        return plan
    for job in application.all_jobs:
        refuse_job(host.engine, application.project, job.service, Role.PRODUCTION)
    is_current = all(change.is_current for each in plans for change in each.changes)
    if is_current and not host.request.settings.compose.force_recreate:
        return plan
    today, changes = application.first, plan.changes
    choice = Choice(
        engine=host.engine, request=host.request, run=host.run(run), tags=today.retained_tags, service=today.service
    )
    before = _runs(application, application.jobs, changes, choice, decides=True)
    after = _runs(application, application.later_jobs, changes, choice, decides=False)
    return replace(plan, operations=(*before, *plan.operations, *after))


def _runs(
    application: Application, jobs: Sequence[JobSettings], changes: Sequence[Change], choice: Choice, *, decides: bool
) -> Iterator[RunJob]:
    before, after = "nothing is switched unless it ends well", "how it ends is reported, and takes nothing back"
    for job in jobs:
        image = _image_of(application, job.service, changes, choice)
        yield RunJob(
            job=Job(project=application.project, service=job.service, image_id=image.id, timeout=job.timeout),
            source=application.first.file,
            decides=decides,
            is_final=not decides,
            why=f"{before if decides else after}; it cannot be undone",
        )


def _image_of(application: Application, job: str, changes: Sequence[Change], choice: Choice) -> Image:
    """The one that the gate says, proven as the services' are, else that of a service with the same tag.

    Raises Refused where nobody tells, or where it is not of the expected commit.
    """
    tag, told = image_of(application.config, job), choice.request.settings.source_images.get(job)
    candidates = [change.move.candidate for change in changes if same_tag(change.move.tag, tag)]
    if told:
        image = choice.look_up(told)
        if image.id not in {change.move.candidate.id for change in changes}:
            choice.prove(image)
        return image
    if candidates:
        return candidates[0]
    raise Refused(
        f"the job {job} runs {tag}, which no service of this promotion runs.",
        "Give it the `image:` of the service whose code it runs; or promote with the gate's output `images` in"
        " `source-images`, which has the job's own.",
    )
