"""Switches services to their candidates, and brings them back: by Compose, in place, side by side, or one by one."""

import time
from collections.abc import Callable
from functools import partial

from freshness.core.check import CheckName
from freshness.core.image import Image
from freshness.engine.client import wait_until_reachable
from freshness.engine.compose import recreate, remove
from freshness.engine.containers import Container, service_containers
from freshness.engine.images import find_tagged, restore_tag
from freshness.engine.leftovers import keep_one_container, keep_only, keep_only_running, stop_and_remove
from freshness.errors import FreshnessError, LockLost, Stale
from freshness.promotion import operations as op
from freshness.promotion.change import Change, Make
from freshness.promotion.plan import has_other_tag
from freshness.promotion.replicas import bring_all_back, replace_each, restore_own_tag
from freshness.promotion.start_first import others, start_beside
from freshness.promotion.stop_first import recreate_in_place, recreate_together
from freshness.promotion.work import Work, names

Containers = tuple[Container, ...]


def serve(work: Work, operation: op.Serve) -> None:
    """One call of Compose for all of them, where it makes them from the same files and nothing was left halfway.

    Raises Stale where one runs another image then, or was made from other files than those that were looked at: waiting
    for its health would prove nothing.
    """
    changes = operation.changes
    _require_unchanged(operation)
    work.switched.extend([] if work.switched else [time.monotonic()])
    is_new = not (operation.resumes or operation.despite or isinstance(operation, op.StartBeside))
    are_alike = len({id(one.make.source) for one in changes}) == 1 and not any(one.has_replicas for one in changes)
    if len(changes) > 1 and is_new and are_alike:
        _serve_together(work, operation)
    else:
        for change in changes:
            _serve(work, operation, change)
    work.switched.append(time.monotonic())
    _require_unchanged(operation)


def _require_unchanged(operation: op.Serve) -> None:
    for change in () if operation.despite else operation.changes:  # where none leads back, forward is the only way
        change.make.source.require_unchanged()


def _serve_together(work: Work, operation: op.Serve) -> None:
    changes = operation.changes
    expected = ", ".join(f"{one.service} on {one.move.candidate.id}" for one in changes)
    with work.run.step(CheckName.RECREATION, expected) as step:
        containers = recreate_together([(work.lease(one), one) for one in changes], force=operation.force)
        work.containers.update({service: (one,) for service, one in containers.items()})
        step.got = "; ".join(_require_image(work.of(one.make), one.move.candidate) for one in changes)


def _serve(work: Work, operation: op.Serve, change: Change) -> None:
    candidate = change.move.candidate
    with work.run.step(CheckName.RECREATION, f"production on {candidate.id}") as step:
        work.containers[change.service] = _make(work, operation, change)
        step.got = _require_image(work.of(change.make), candidate)


def _make(work: Work, operation: op.Serve, change: Change) -> Containers:
    lease, how = work.lease(change), {"force": operation.force, "resumes": operation.resumes}
    if isinstance(operation, op.StartBeside):
        return start_beside(lease, change, **how)
    if change.has_replicas:
        return replace_each(work, change, **how)
    doing = partial(recreate_in_place, lease, change, **how)
    return (_despite(work, doing, change.move.candidate, change, change.make) if operation.despite else doing(),)


def bring_back(work: Work, change: Change) -> None:
    """What never stopped is left as it is, whatever the Compose file says by now; else Compose makes it anew."""
    image = change.move.previous
    if image is None:
        remove(work.lease(change), change.make.source_as_read, change.make.target)
        restore_tag(work.lease(change), change.move.tag, change.move.tagged_id, work.settings.source.label)
        return
    with work.run.step(CheckName.ROLLBACK, f"production on {image.id}") as step:
        came = bring_all_back(work, change, image) if change.has_replicas else (_bring_back(work, change, image),)
        work.containers[change.service] = came
        step.got = _require_image(came, image)
    _restore_other_tag(work, change)


def _bring_back(work: Work, change: Change, image: Image) -> Container:
    lease, former = work.lease(change), change.former
    container = keep_only_running(lease, former.target, image.id, change.running[0] if change.running else None)
    if container and _never_stopped(work, change, container) and work.ask(container, former).ok:
        return container
    keep_one_container(lease, former.target, image.id)
    restore_own_tag(lease, image.id, former.target.image)
    # Where it runs and is not healthy, Compose may see nothing to change.
    force = container is not None
    doing = partial(recreate, lease, former.source_as_read, former.target, force=force, keeping=image.id)
    return _despite(work, doing, image, change, former)


def _restore_other_tag(work: Work, change: Change) -> None:
    """The candidate's tag, where what ran before had another."""
    move = change.move
    named = find_tagged(work.engine, move.tag) if has_other_tag(change) else None
    if named and named.id == move.candidate.id:
        restore_tag(work.lease(change), move.tag, move.tagged_id, work.settings.source.label)


def _never_stopped(work: Work, change: Change, container: Container) -> bool:
    """Whether it may serve on: where only the configuration was to change, the new one has the same image."""
    return not change.may_be_new(container.id) and container.id not in work.failed


def _despite(work: Work, do: Callable[[], Container], image: Image, change: Change, make: Make) -> Container:
    """What it gives, or where it fails what runs all the same, of which only a proof can tell whether it serves.

    Compose fails where it has done its work, too, as when a hook of the service does.
    """
    try:
        return do()
    except LockLost:
        raise
    except FreshnessError as error:
        runs = _find_alone(work, image, change, make)
        if runs is None:
            raise
        work.run.note(f"{error.args[0].rstrip('.')}. What runs all the same was looked at: {runs.name} on {image.id}.")
        return runs


def _find_alone(work: Work, image: Image, change: Change, make: Make) -> Container | None:
    target = make.target
    wait_until_reachable(work.engine, "looking what runs")
    keep_one_container(work.lease(change), target, image.id)
    found = service_containers(work.engine, target.project, target.service)
    return found[0] if len(found) == 1 and found[0].runs and found[0].image_id == image.id else None


def remove_old(work: Work, change: Change) -> None:
    """Stops each with its own signal and grace, and removes it; the only new one gets the service's proper name."""
    containers, lease = work.of(change.make), work.lease(change)
    old = others(lease, change, containers)
    if not old:
        return
    ids = ", ".join(one.short_id for one in containers)
    with work.run.step(CheckName.REMOVAL, f"nothing beside {ids}") as step:
        if len(containers) == 1:
            keep_only(lease, change.make.target, containers[0])
        else:
            for one in old:
                stop_and_remove(lease, one)
        step.got = f"{names(old)} stopped and removed"


def _require_image(containers: Containers, image: Image) -> str:
    """What runs, in words. Raises Stale where that is another image."""
    runs = "; ".join(f"the container {one.name} ({one.short_id}) runs {one.image_id}" for one in containers)
    if any(one.image_id != image.id for one in containers):
        raise Stale(f"{runs}.", "Something else moves production's tag: find it, then run again.")
    return runs
