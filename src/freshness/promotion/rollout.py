"""Does the operations of a plan, one at a time, on the Docker host. It decides nothing."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from freshness.core.check import CheckName
from freshness.core.deployment import Role
from freshness.core.image import Image
from freshness.engine.client import wait_until_reachable
from freshness.engine.compose import recreate, remove
from freshness.engine.containers import Container, find_container, service_containers
from freshness.engine.health import HealthResult, stay_healthy, wait_until_healthy
from freshness.engine.hold_time import wait_hold_time
from freshness.engine.images import find_tagged, restore_tag, retain_images, tag_image
from freshness.engine.job import run_job
from freshness.engine.leftovers import keep_one_container, keep_only, keep_only_running
from freshness.engine.lock import Lease
from freshness.engine.probe_address import Prober
from freshness.errors import FreshnessError, LockLost, Refused, Stale, Unhealthy
from freshness.process.signals import interrupts_deferred
from freshness.promotion import operations as op
from freshness.promotion.change import Change, Make
from freshness.promotion.deployment_record import now_of, record_served, record_tag
from freshness.promotion.leases import Leases
from freshness.promotion.operations import Operation
from freshness.promotion.plan import has_other_tag
from freshness.promotion.request import PromotionLog
from freshness.promotion.start_first import others, start_beside
from freshness.promotion.stop_first import recreate_in_place, recreate_together
from freshness.report.container_log import show_container_log
from freshness.settings.model import PromoteSettings
from freshness.target.job import record_job

_NEXT = "the next way back knows less"
_CUT = (op.Probe, op.Overlap, op.Last, op.RunJob)
"""What may be interrupted: it switches nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """Operations done under the leases.

    `containers` are the services' containers by the service, as the operations made them; `failed` the IDs of those
    that were found unhealthy; `moments` the Engine's time at which this run's records say that services changed;
    `switched` the monotonic clock's before the first recreation and after each.
    """

    leases: Leases
    settings: PromoteSettings
    prober: Prober
    log: PromotionLog
    containers: dict[str, Container] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    moments: list[str] = field(default_factory=list)
    switched: list[float] = field(default_factory=list)

    def do(self, operation: Operation) -> None:
        """Raises what kept it from being done. What changes the host is not cut in the middle by an interrupt."""
        if isinstance(operation, _CUT):
            self._do(operation)
            return
        with interrupts_deferred():
            self.leases.require()
            self._do(operation)

    def _do(self, operation: Operation) -> None:  # noqa: C901, PLR0912 -- a line for each kind
        match operation:
            case op.RunJob():
                self._run_job(operation)
            case op.Tag(image=image, tag=tag):
                with self.log.step(CheckName.TAG, f"{tag} on {image or 'nothing'}") as step:
                    restore_tag(self.leases.any, tag, image, self.settings.revision_label)
                    step.got = f"it names {image or 'nothing'}"
            case op.Retain(is_required=True):
                retain_images(self.leases.any, operation.tags, operation.images)
            case op.Retain():
                doing = partial(retain_images, self.leases.any, operation.tags, operation.images)
                self._or_note(doing, "Not all tags of older images are as they should be")
            case op.Leave(change=change):
                if change.running:
                    self.containers[change.service] = change.running
            case op.Serve():
                self._serve_all(operation)
            case op.BringBack(changes=changes):
                for change in changes:
                    self._bring_back(change)
            case op.Probe():
                self._probe(operation.make)
            case op.Verify():
                self._verify(operation)
            case op.Overlap(change=change):
                self._overlap(change, operation.seconds)
            case op.Last():
                self._last(operation.make)
            case op.RemoveOld(change=change):
                self._remove_old(change)
            case op.RecordServed():
                doing = partial(self._record, operation)
                self._or_note(doing, f"What production runs could not be recorded; {_NEXT}")
            case op.RecordTag(move=move):
                doing = partial(record_tag, self.leases.any, move, operation.kept, self.settings.revision_label)
                self._or_note(doing, f"What {move.tag} names could not be recorded")

    def _of(self, make: Make) -> Container:
        return self.containers[make.target.service]

    def _or_note(self, do: Callable[[], None], otherwise: str) -> None:
        """What fails here is no reason to go back: it is noted."""
        try:
            do()
        except LockLost:
            raise
        except FreshnessError as error:
            self.log.note(f"{otherwise}: {error}")

    def _record(self, operation: op.RecordServed) -> None:
        """All that change in one run have one moment, by which a rollback finds them together."""
        self.moments.extend([] if self.moments else [now_of(self.leases.engine)])
        container, lease = self._of(operation.make), self._lease(operation.change)
        record_served(lease, operation, container, self.settings.revision_label, self.moments[0])

    def _lease(self, change: Change) -> Lease:
        return self.leases.by_lock[change.lock]

    def _run_job(self, operation: op.RunJob) -> None:
        """Raises Refused where it decides, and did not end well: nothing was switched yet."""
        job, lease = operation.job, self.leases.of(operation.job.project, operation.job.service)
        self.log.note(f"The job {job.service} was run from {job.image_id}: what it did cannot be undone.")
        try:
            with self.log.step(CheckName.JOB, f"exit status 0 within {job.timeout:g} s") as step:
                record_job(lease, job.project, job.service, Role.PRODUCTION)
                with self.log.log.group(f"Job {job.service}"):
                    result = run_job(lease, operation.source, job, self.log.log.untrusted)
                step.got = f"{job.service}: {result.got}"
                if not result.ok:
                    raise Refused(f"{step.got}.", f"Look at the output of {job.service} above.")
        except LockLost:
            raise
        except FreshnessError as error:
            if operation.decides:
                raise
            self.log.note(f"The job {job.service} did not end well, which decides nothing: {error}")
            self.log.steps.exit_status = 0

    def _serve_all(self, operation: op.Serve) -> None:
        """One call of Compose for all of them, where it makes them from the same files and nothing was left halfway."""
        changes = operation.changes
        self.switched.extend([] if self.switched else [time.monotonic()])
        is_new = not (operation.resumes or operation.despite or isinstance(operation, op.StartBeside))
        if len(changes) == 1 or not is_new or len({id(one.make.source) for one in changes}) > 1:
            for change in changes:
                self._serve(operation, change)
        else:
            self._serve_together(operation)
        self.switched.append(time.monotonic())

    def _serve_together(self, operation: op.Serve) -> None:
        changes = operation.changes
        expected = ", ".join(f"{one.service} on {one.move.candidate.id}" for one in changes)
        with self.log.step(CheckName.RECREATION, expected) as step:
            containers = recreate_together([(self._lease(one), one) for one in changes], force=operation.force)
            self.containers.update(containers)
            step.got = "; ".join(_require_image(containers[one.service], one.move.candidate) for one in changes)

    def _serve(self, operation: op.Serve, change: Change) -> None:
        """Raises Stale where it runs another image then: waiting for its health would prove nothing."""
        candidate, beside = change.move.candidate, isinstance(operation, op.StartBeside)
        with self.log.step(CheckName.RECREATION, f"production on {candidate.id}") as step:
            serve = start_beside if beside else recreate_in_place
            doing = partial(serve, self._lease(change), change, force=operation.force, resumes=operation.resumes)
            container = self._despite(doing, candidate, change, change.make) if operation.despite else doing()
            self.containers[change.service] = container
            step.got = _require_image(container, candidate)

    def _bring_back(self, change: Change) -> None:
        """What never stopped is left as it is, whatever the Compose file says by now; else Compose makes it anew."""
        lease, former, image = self._lease(change), change.former, change.move.previous
        if image is None:
            remove(lease, change.make.source, change.make.target)
            restore_tag(lease, change.move.tag, change.move.tagged_id, self.settings.revision_label)
            return
        with self.log.step(CheckName.WAY_BACK, f"production on {image.id}") as step:
            container = keep_only_running(lease, former.target, image.id, change.running)
            if not (container and self._never_stopped(change, container) and self._is_healthy(container, former)):
                keep_one_container(lease, former.target, image.id)
                tag_image(lease, image.id, former.target.image)  # another service may have had the tag since
                # Where it runs and is not healthy, Compose may see nothing to change.
                force = container is not None
                doing = partial(recreate, lease, former.source, former.target, force=force, keeping=image.id)
                container = self._despite(doing, image, change, former)
            self.containers[change.service] = container
            step.got = _require_image(container, image)
        self._restore_other_tag(change)

    def _restore_other_tag(self, change: Change) -> None:
        """The candidate's tag, where what ran before had another."""
        move = change.move
        named = find_tagged(self.leases.engine, move.tag) if has_other_tag(change) else None
        if named and named.id == move.candidate.id:
            restore_tag(self._lease(change), move.tag, move.tagged_id, self.settings.revision_label)

    def _never_stopped(self, change: Change, container: Container) -> bool:
        """Whether it may serve on: where only the configuration was to change, the new one has the same image."""
        is_same = change.move.candidate.id == container.image_id
        is_new = is_same and change.running and change.running.id != container.id
        return not is_new and container.id not in self.failed

    def _despite(self, do: Callable[[], Container], image: Image, change: Change, make: Make) -> Container:
        """What it gives, or where it fails what runs all the same, of which only a proof can tell whether it serves.

        Compose fails where it has done its work, too, as when a hook of the service does.
        """
        try:
            return do()
        except LockLost:
            raise
        except FreshnessError as error:
            runs = self._find_alone(image, change, make)
            if runs is None:
                raise
            self.log.note(
                f"{error.args[0].rstrip('.')}. What runs all the same was looked at: {runs.name} on {image.id}."
            )
            return runs

    def _find_alone(self, image: Image, change: Change, make: Make) -> Container | None:
        engine, target = self.leases.engine, make.target
        wait_until_reachable(engine, "looking what runs")
        keep_one_container(self._lease(change), target, image.id)
        found = service_containers(engine, target.project, target.service)
        return found[0] if len(found) == 1 and found[0].runs and found[0].image_id == image.id else None

    def _probe(self, make: Make) -> None:
        target, deadline = make.target, make.health.deadline
        with self.log.step(CheckName.HEALTH, f"a healthy service within {deadline:g} s") as step:
            self.log.log.say(f"Waiting for {target.service} to be healthy, up to {deadline:g} s.")
            step.got = self._require_healthy(make, self._ask(self._of(make), make))

    def _verify(self, operation: op.Verify) -> None:
        """Raises Stale unless it is the same container, on this image, and so is the tag."""
        container, engine, image = self._of(operation.make), self.leases.engine, operation.image
        tag = operation.make.target.image if operation.has_tag else ""
        and_tag = f" and under {tag}" if tag else ""
        with self.log.step(CheckName.IDENTITY, f"{image.id} in {container.short_id}{and_tag}") as step:
            now, tagged = find_container(engine, container.id), find_tagged(engine, tag) if tag else image
            step.got = f"{now.image_id if now else 'no container'}, {tagged.id if tagged else 'no image'}"
            is_so = now and tagged and {now.image_id, tagged.id} == {image.id}
            if not (is_so and now and now.started_at == container.started_at):
                raise Stale(f"{step.got}.", "Something else changes production: find it, then run again.")

    def _overlap(self, change: Change, seconds: float) -> None:
        """A proxy gets time to find the new one, which is probed again then."""
        container, make = self._of(change.make), change.make
        beside = _names(others(self._lease(change), change, container))
        if not beside:
            return
        with self.log.step(CheckName.OVERLAP, f"a healthy container for {seconds:g} s beside the old one") as step:
            self.log.log.say(f"{container.name} serves beside {beside} for {seconds:g} s.")
            self._require_healthy(make, stay_healthy(self.leases.engine, container, seconds))
            step.got = self._require_healthy(make, self._ask(container, make))

    def _last(self, make: Make) -> None:
        container, engine, health = self._of(make), self.leases.engine, make.health
        with self.log.step(
            CheckName.HOLD, f"{container.short_id} healthy still, having run for {health.hold:g} s"
        ) as step:
            result = wait_hold_time(engine, make.target, container, health, self.prober)
            step.got = self._require_healthy(make, result)

    def _remove_old(self, change: Change) -> None:
        """Stops each with its own signal and grace, and removes it; the new one gets the service's proper name."""
        container = self._of(change.make)
        beside = _names(others(self._lease(change), change, container))
        if not beside:
            return
        with self.log.step(CheckName.RETIREMENT, f"nothing beside {container.short_id}") as step:
            keep_only(self._lease(change), change.make.target, container)
            step.got = f"{beside} stopped and removed"

    def _ask(self, container: Container, make: Make) -> HealthResult:
        return wait_until_healthy(self.leases.engine, make.target, container, make.health, self.prober)

    def _is_healthy(self, container: Container, make: Make) -> bool:
        return self._ask(container, make).ok

    def _require_healthy(self, make: Make, result: HealthResult) -> str:
        """What was seen; where that is not health, the log is shown. Raises Unhealthy."""
        if not result.ok:
            container = self._of(make)
            self.failed.add(container.id)
            show_container_log(self.log.log, self.leases.engine, container)
            raise Unhealthy(result.got, "Look at the log above.")
        return result.got


def _require_image(container: Container, image: Image) -> str:
    """What runs, in words. Raises Stale where that is another image."""
    runs = f"the container {container.name} ({container.short_id}) runs {container.image_id}"
    if container.image_id != image.id:
        raise Stale(f"{runs}.", "Something else moves production's tag: find it, then run again.")
    return runs


def _names(containers: tuple[Container, ...]) -> str:
    return ", ".join(one.name for one in containers)
