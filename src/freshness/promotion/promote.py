"""A promotion, a rollback, or a tag that is moved alone, on each Docker host of production: observe, plan, execute."""

from freshness.promotion.acquire import acquire, reach_hosts
from freshness.promotion.execute import execute
from freshness.promotion.foresee import foresee
from freshness.promotion.preflight import plan_for
from freshness.promotion.recovery import recover
from freshness.promotion.registry_follow import catch_up, follow_in_registry, is_behind
from freshness.promotion.registry_move import find_tag_alone
from freshness.promotion.registry_tag import promote_in_registry
from freshness.promotion.request import Request, Result
from freshness.promotion.sources import fetch_sources
from freshness.report.run_log import RunLog


def promote(request: Request, run: RunLog) -> Result:
    """How it ended. Raises what kept it from being decided, before its own first write: `Result.ended` is that end."""
    if tag := find_tag_alone(request):
        return promote_in_registry(tag, request, run)
    hosts = reach_hosts(request, run)
    if request.dry_run:
        return foresee(hosts, run)
    with acquire(hosts.reached, run) as works:  # locks first
        undo_to = recover(works, hosts.lost, run)
        if is_behind(works[0].host, run):
            return catch_up(request, works, run)
        ready = fetch_sources(works, run)
        plans = plan_for([work.host for work in ready], run, undo_to)
        result = plans if isinstance(plans, Result) else execute(plans, ready, run)
        return follow_in_registry(result, request, ready, run)
