"""From the lock to the last look: staging is this run's alone until its images were proven there."""

from contextlib import ExitStack

from freshness.core.check import CheckName
from freshness.gate.last import confirm_head, publish
from freshness.gate.switch import open_throwaway, run_job_once, switch, take
from freshness.gate.work import Work


def prove_staging(work: Work) -> None:
    """Recreates staging from the images, and publishes what was proven. Raises as `execute`."""
    plan, run = work.plan, work.run
    with ExitStack() as stack:
        for name in plan.locked:
            work.leases[name] = run.check(CheckName.LOCK, "staging for this run alone", take, work, name, stack)
        if work.seen.application.throwaway:
            open_throwaway(work, work.seen.application.throwaway, stack)
        jobs = (
            run.check(CheckName.JOB, f"exit status 0 within {job.timeout:g} s", run_job_once, work, job)
            for job in plan.jobs
        )
        if all(jobs):  # nothing is recreated after what a job left half done
            switch(work)
            run.check(CheckName.HEAD, "this commit as the pull request's head, still", confirm_head, work)
            publish(work)
