"""Proves what production runs: each container is healthy, is what was made, and lasts."""

from collections.abc import Iterable

from freshness.core.check import CheckName
from freshness.engine.containers import find_container
from freshness.engine.health import stay_healthy
from freshness.engine.hold_time import wait_hold_time
from freshness.engine.images import find_tagged
from freshness.errors import Stale
from freshness.promotion import operations as op
from freshness.promotion.change import Change, Make
from freshness.promotion.start_first import others
from freshness.promotion.work import Work, names


def probe(work: Work, make: Make) -> None:
    """Raises Unhealthy."""
    deadline = make.health.deadline
    with work.run.step(CheckName.HEALTH, f"a healthy service within {deadline:g} s") as step:
        work.run.log.announce(f"Waiting for {make.target.service} to be healthy, up to {deadline:g} s.")
        step.got = _each(work.require_healthy(one, work.ask(one, make)) for one in work.of(make))


def verify(work: Work, operation: op.Verify) -> None:
    """Raises Stale unless they are the same containers, on this image, and so is the tag."""
    containers, engine, image = work.of(operation.make), work.engine, operation.image
    tag = operation.make.target.image if operation.has_tag else ""
    and_tag = f" and under {tag}" if tag else ""
    ids = ", ".join(one.short_id for one in containers)
    with work.run.step(CheckName.IDENTITY, f"{image.id} in {ids}{and_tag}") as step:
        now = [find_container(engine, one.id) for one in containers]
        tagged = find_tagged(engine, tag) if tag else image
        runs = ", ".join(one.image_id if one else "no container" for one in now)
        step.got = f"{runs}, {tagged.id if tagged else 'no image'}"
        started = [one.started_at if one else "" for one in now]
        is_so = {one.image_id if one else "" for one in now} == {image.id} and tagged is not None
        if not (is_so and tagged and tagged.id == image.id and started == [one.started_at for one in containers]):
            raise Stale(f"{step.got}.", "Something else changes production: find it, then run again.")
        step.got = image.id


def overlap(work: Work, change: Change, seconds: float) -> None:
    """A proxy gets time to find the new ones, which are probed again then. Raises Unhealthy."""
    containers, make = work.of(change.make), change.make
    beside = names(others(work.lease(change), change, containers))
    if not beside:
        return
    with work.run.step(CheckName.OVERLAP, f"a healthy container for {seconds:g} s beside the old one") as step:
        work.run.log.say(f"{names(containers)} serves beside {beside} for {seconds:g} s.")
        work.require_healthy(containers[0], stay_healthy(work.engine, containers[0], seconds))
        step.got = _each(work.require_healthy(one, work.ask(one, make)) for one in containers)


def prove_last(work: Work, make: Make) -> None:
    """What got healthy has run for the hold time, and is healthy still. Raises Unhealthy."""
    containers, health = work.of(make), make.health
    ids = ", ".join(one.short_id for one in containers)
    with work.run.step(CheckName.HOLD, f"{ids} healthy still, having run for {health.hold:g} s") as step:
        results = ((one, wait_hold_time(work.engine, make.target, one, health, work.host.prober)) for one in containers)
        step.got = _each(work.require_healthy(one, result) for one, result in results)


def _each(said: Iterable[str]) -> str:
    """What was seen of each container, once where it was the same."""
    return "; ".join(dict.fromkeys(said))
