"""The gate, from top to bottom: is the image on staging provably built from the validated commit?"""

import time
from contextlib import ExitStack

from freshness.ci.log import Log
from freshness.errors import FreshnessError, Interrupted, wrap_unexpected_errors
from freshness.gate.observe import observe
from freshness.gate.request import Request, Result
from freshness.process.private_folder import private_folder
from freshness.report.run_log import RunLog


def gate(request: Request, log: Log) -> Result:
    """Builds, recreates and proves staging, and says how that ended. A dry run takes no lock and writes nothing."""
    run = RunLog(log=log)
    run.add_phase("starting", time.monotonic() - request.started)
    try:
        with (
            wrap_unexpected_errors(),
            run.cleaning_up(),
            private_folder(request.env) as folder,
            ExitStack() as until_built,
        ):
            seen = observe(request, folder, until_built, run)
            from freshness.gate.execute import execute  # what an observation has not brought yet is little
            from freshness.gate.plan import plan_of

            plan = plan_of(seen)
            if request.dry_run:
                return Result.planned(run, plan)
            execute(plan, seen, until_built, run)
    except (FreshnessError, Interrupted) as error:
        return Result.ended(run, error)
    return Result.decided(run)
