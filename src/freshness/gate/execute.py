"""Executes a gate's plan: builds, then staging is this run's alone until it was recreated, proven, and seen to last."""

from contextlib import ExitStack

from freshness.core.check import CheckName
from freshness.gate.build_images import begin_builds, end_build, look_at_mounts
from freshness.gate.observe import Observed
from freshness.gate.plan import Plan
from freshness.gate.work import Work
from freshness.report.run_log import CLEANING_UP, RunLog


def execute(plan: Plan, seen: Observed, until_built: ExitStack, run: RunLog) -> None:
    """Closes `until_built` once nothing more is read of the build context.

    Raises the FreshnessError that ended the run; the run's checks say how each operation ended.
    """
    work = Work(plan=plan, request=seen.request, seen=seen, run=run, source=seen.application.file)
    with run.phase("beginning the build"):
        begin_builds(work, until_built)
        from freshness.gate.staging import prove_staging  # what it brings is imported while BuildKit works
    with run.phase("telling the forge"):
        for note in seen.request.forge.begin(seen.commit.candidate)[1]:
            run.warn("The forge was not told", note)
    for shared, (_, tag) in zip(seen.application.builds.shared, plan.builds, strict=True):
        built = run.check(CheckName.BUILD, f"an image labelled {plan.commit}", end_build, work, shared, tag)
        work.images |= dict.fromkeys(shared.services, built)
    for overlay in [one.overlay for one in plan.services] + seen.application.overlays_of_jobs:
        run.check(CheckName.MOUNTS, "no mount that hides what was built", look_at_mounts, work, overlay)
    with run.phase(CLEANING_UP):
        until_built.close()
    prove_staging(work)
    run.found["images"] = {name: built.image.id for name, built in work.images.items()}
