"""Executes a gate's plan: builds, then staging is this run's alone until it was recreated, proven, and seen to last."""

from contextlib import ExitStack

from freshness.core.check import CheckName
from freshness.gate.build_images import build, look_at_mounts
from freshness.gate.last import confirm_head, publish
from freshness.gate.observe import Observed
from freshness.gate.plan import Plan
from freshness.gate.switch import open_throwaway, run_job_once, switch, take
from freshness.gate.work import Work
from freshness.report.run_log import CLEANING_UP, RunLog


def execute(plan: Plan, seen: Observed, until_built: ExitStack, run: RunLog) -> None:
    """Closes `until_built` once nothing more is read of the build context.

    Raises the FreshnessError that ended the run; the run's checks say how each operation ended.
    """
    work = Work(plan=plan, request=seen.request, seen=seen, run=run, source=seen.application.file)
    with run.phase("telling the forge"):
        for note in seen.request.forge.begin(seen.commit.candidate)[1]:
            run.warn("The forge was not told", note)
    with ExitStack() as until_ended:
        for shared, (_, tag) in zip(seen.application.builds.shared, plan.builds, strict=True):
            expected = f"an image labelled {plan.commit}"
            built = run.check(CheckName.BUILD, expected, build, work, shared, tag, until_ended)
            work.images |= dict.fromkeys(shared.services, built)
    for overlay in [one.overlay for one in plan.services] + seen.application.overlays_of_jobs:
        run.check(CheckName.MOUNTS, "no mount that hides what was built", look_at_mounts, work, overlay)
    with run.phase(CLEANING_UP):
        until_built.close()
    with ExitStack() as stack:
        for name in plan.locked:
            work.leases[name] = run.check(CheckName.LOCK, "staging for this run alone", take, work, name, stack)
        if seen.application.throwaway:
            open_throwaway(work, seen.application.throwaway, stack)
        jobs = (
            run.check(CheckName.JOB, f"exit status 0 within {job.timeout:g} s", run_job_once, work, job)
            for job in plan.jobs
        )
        if all(jobs):  # nothing is recreated after what a job left half done
            switch(work)
            run.check(CheckName.HEAD, "this commit as the pull request's head, still", confirm_head, work)
            publish(work)
    run.found["images"] = {name: built.image.id for name, built in work.images.items()}
