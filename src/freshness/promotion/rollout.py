"""Does the operations of a plan, one at a time, on the Docker host. It decides nothing."""

from functools import partial

from freshness.core.check import CheckName
from freshness.core.deployment import Role
from freshness.engine.images import restore_tag, retain_images
from freshness.engine.job import run_job
from freshness.errors import FreshnessError, LockLost, Refused
from freshness.process.signals import interrupts_deferred
from freshness.promotion import operations as op
from freshness.promotion.deployment_record import now_of, record_served, record_tag
from freshness.promotion.operations import Operation
from freshness.promotion.proof import overlap, probe, prove_last, verify
from freshness.promotion.switch import bring_back, remove_old, serve
from freshness.promotion.work import Work
from freshness.target.job import record_job

_NEXT = "the next rollback knows less"
_CUT = (op.Probe, op.Overlap, op.Last, op.RunJob)
"""What may be interrupted: it switches nothing."""


def do(work: Work, operation: Operation) -> None:
    """Raises what kept it from being done. What changes the host is not cut in the middle by an interrupt."""
    if isinstance(operation, _CUT):
        _do(work, operation)
        return
    with interrupts_deferred():
        work.leases.require()
        _do(work, operation)


def _do(work: Work, operation: Operation) -> None:  # noqa: C901, PLR0912 -- a line for each kind
    match operation:
        case op.RunJob():
            _run_job(work, operation)
        case op.Tag():
            _tag(work, operation)
        case op.Retain(is_required=True):
            retain_images(work.leases.any, operation.tags, operation.images)
        case op.Retain():
            doing = partial(retain_images, work.leases.any, operation.tags, operation.images)
            work.or_note(doing, "Not all tags of older images are as they should be")
        case op.Leave(change=change):
            work.containers[change.service] = change.running
        case op.Serve():
            serve(work, operation)
        case op.BringBack(changes=changes):
            for change in changes:
                bring_back(work, change)
        case op.Probe():
            probe(work, operation.make)
        case op.Verify():
            verify(work, operation)
        case op.Overlap(change=change):
            overlap(work, change, operation.seconds)
        case op.Last():
            prove_last(work, operation.make)
        case op.RemoveOld(change=change):
            remove_old(work, change)
        case op.RecordServed():
            doing = partial(_record, work, operation)
            work.or_note(doing, f"What production runs could not be recorded; {_NEXT}")
        case op.RecordTag(move=move):
            doing = partial(record_tag, work.leases.any, move, operation.kept, work.settings.source.label)
            work.or_note(doing, f"What {move.tag} names could not be recorded")


def _tag(work: Work, operation: op.Tag) -> None:
    image, tag = operation.image, operation.tag
    with work.run.step(CheckName.TAG, f"{tag} on {image or 'nothing'}") as step:
        restore_tag(work.leases.any, tag, image, work.settings.source.label)
        step.got = f"it names {image or 'nothing'}"


def _record(work: Work, operation: op.RecordServed) -> None:
    """All that change in one run have one moment, by which a rollback finds them together."""
    work.moments.extend([] if work.moments else [now_of(work.engine)])
    lease, label = work.lease(operation.change), work.settings.source.label
    record_served(lease, operation, work.of(operation.make)[0], label, work.moments[0])


def _run_job(work: Work, operation: op.RunJob) -> None:
    """Raises Refused where it decides, and did not end well: nothing was switched yet."""
    job = operation.job
    lease, *elsewhere = (leases.of(job.project, job.service) for leases in (work.leases, *work.elsewhere))
    work.run.note(f"The job {job.service} was run from {job.image_id}: what it did cannot be undone.")
    try:
        with work.run.step(CheckName.JOB, f"exit status 0 within {job.timeout:g} s") as step:
            operation.source.require_unchanged()
            record_job(lease, job.project, job.service, Role.PRODUCTION)
            with work.run.log.group(f"Job {job.service}"):
                result = run_job(lease, operation.source, job, work.run.log.untrusted, elsewhere=elsewhere)
            step.got = f"{job.service}: {result.got}"
            if not result.ok:
                raise Refused(f"{step.got}.", f"Look at the output of {job.service} above.")
    except LockLost:
        raise
    except FreshnessError as error:
        if operation.decides:
            raise
        work.run.note(f"The job {job.service} did not end well, which decides nothing: {error}")
        work.run.steps.exit_status = 0
