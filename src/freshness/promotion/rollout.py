"""Production changes here: the one order of writes, the proof of what serves, and the way back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from freshness.ci.log import Log
from freshness.core.compose import Target
from freshness.core.image import Image, same_tag
from freshness.engine.client import wait_until_reachable
from freshness.engine.compose import recreate, remove
from freshness.engine.containers import Container, find_container, service_containers
from freshness.engine.health import HealthResult, stay_healthy, wait_until_healthy
from freshness.engine.hold_time import wait_hold_time
from freshness.engine.images import find_image, find_tagged, restore_tag, retain_images, tag_image
from freshness.engine.leftovers import keep_one_container, keep_only_running
from freshness.engine.lock import Lease
from freshness.engine.probe_address import Prober
from freshness.errors import FreshnessError, LockLost, Stale, Unhealthy
from freshness.process.signals import ignore_interrupts, interrupts_deferred
from freshness.promotion.deployment_record import record_served
from freshness.promotion.plan import Make, Plan
from freshness.promotion.start_first import StartFirst
from freshness.promotion.stop_first import StopFirst
from freshness.report.container_log import show_container_log
from freshness.report.steps import Steps
from freshness.settings.model import Health


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """One change of production, under a hold, in one of the two orders. `keep` is how many images are kept.

    `overlap` is how many seconds old and new serve together in `start-first`, `label` is the one that holds the commit.
    `notes` gets what is to be told, `failed` the IDs of the containers that were found unhealthy.
    """

    lease: Lease
    plan: Plan
    order: StopFirst | StartFirst
    overlap: float
    health: Health
    keep: int
    prober: Prober
    log: Log
    steps: Steps
    notes: list[str]
    label: str
    failed: set[str] = field(default_factory=set)

    def go(self) -> Container:
        """The writes, in the one order that always leaves a way back: tag by ID, keep, recreate; then the proof."""
        lease, plan = self.lease, self.plan
        with self.steps.step("recreation", f"production on {plan.candidate.id}") as step, interrupts_deferred():
            tag_image(lease, plan.candidate.id, plan.target.image)
            if plan.kept_then != plan.kept:
                retain_images(lease, plan.kept_tags, plan.kept_then)
            container = self._bring()
            step.got = self._insist_runs(container, plan.candidate)
        self._prove(container, plan.candidate, plan.target)
        self._serve_beside_others(container)
        self._hold_out(container, plan.target)
        ignore_interrupts()  # the old one goes: from here none leads back
        self._retire_others(container)
        self.let_go()
        self._record(container, plan.candidate, plan.make, plan.kept_then[: self.keep])
        return container

    def _bring(self) -> Container:
        """The candidate's container: the one that is there, where it is just as recorded; else as Compose decides."""
        plan = self.plan
        if plan.is_current and plan.running and not self.order.force:
            return plan.running
        return self.order.resume() if plan.resumes else self.order.bring()

    def finish(self, *, despite: bool = False) -> Container:
        """What a cut promotion began, where its image runs already: order, proof, and the tags as `go` leaves them.

        `despite`: a Compose that fails does not count, where the candidate runs all the same.
        """
        lease, plan = self.lease, self.plan
        with self.steps.step("finish", f"production on {plan.candidate.id}") as step, interrupts_deferred():
            tag_image(lease, plan.candidate.id, plan.target.image)
            container = self._despite(self.order.resume, plan.candidate, plan.target, despite=despite)
            step.got = self._insist_runs(container, plan.candidate)
        self._prove(container, plan.candidate, plan.target)
        self._serve_beside_others(container)
        self._hold_out(container, plan.target)
        with interrupts_deferred():
            self._retire_others(container)
        there = [image_id for image_id in plan.kept_then if find_image(lease.engine, image_id)]  # a prune may have been
        self._keep(there[: self.keep])
        self._record(container, plan.candidate, plan.make, there[: self.keep])
        return container

    def let_go(self) -> None:
        """Keeps the last images only."""
        if len(self.plan.kept_then) > self.keep:
            self._keep(self.plan.kept_then[: self.keep])

    def go_back(self) -> Image | None:
        """What ran before runs again, proven, and every tag is as it was; where nothing ran, nothing is left.

        What ran is image and configuration: both come back, as far as they are known. Returns the image that serves. It
        is the candidate where the one before is gone from this Engine: a prune takes it in the moment in which no
        container runs it, and then forward is the only way to serve a proven image.
        """
        lease, plan, former = self.lease, self.plan, self.plan.former
        wait_until_reachable(lease.engine, "going back")
        if plan.previous is None:
            remove(lease, plan.make.source, plan.target)
            restore_tag(lease, plan.target.image, plan.record.tagged, self.label)
            return None
        if find_image(lease.engine, plan.previous.id) is None:
            self.notes.append(f"The image that ran before, {plan.previous.id}, is gone from this Engine.")
            self.finish(despite=True)
            return plan.candidate
        with self.steps.step("way back", f"production on {plan.previous.id}") as step:
            tag_image(lease, plan.previous.id, former.target.image)
            container = self._bring_back(plan.previous)
            step.got = self._insist_runs(container, plan.previous)
        self._restore_other_tag()
        self._keep(plan.kept)  # before the proof: a way back that fails must not lose the images that are kept
        self._prove(container, plan.previous, former.target)
        self._hold_out(container, former.target)
        if former.configuration:
            self._record(container, plan.previous, former, plan.kept)
        return plan.previous

    def _restore_other_tag(self) -> None:
        """The candidate's tag, where what ran before had another."""
        tag = self.plan.target.image
        if same_tag(tag, self.plan.former.target.image):
            return
        named = find_tagged(self.lease.engine, tag)
        if named and named.id == self.plan.candidate.id:
            restore_tag(self.lease, tag, self.plan.record.tagged, self.label)

    def _bring_back(self, image: Image) -> Container:
        """What never stopped is left as it is, whatever the Compose file says by now; else Compose makes it anew."""
        lease, former = self.lease, self.plan.former
        before = keep_only_running(lease, former.target, image.id, self.plan.running)
        if before and self._never_stopped(before) and self._wait_until_healthy(before, former.target).ok:
            return before
        keep_one_container(lease, former.target, image.id)
        # Where it runs and is not healthy, Compose may see nothing to change.
        bring = partial(recreate, lease, former.source, former.target, force=before is not None, keeping=image.id)
        return self._despite(bring, image, former.target)

    def _never_stopped(self, container: Container) -> bool:
        """Whether it may serve on: where only the configuration was to change, the new one has the same image."""
        plan = self.plan
        is_new = plan.candidate.id == container.image_id and plan.running and plan.running.id != container.id
        return not is_new and container.id not in self.failed

    def _despite(
        self, bring: Callable[[], Container], image: Image, target: Target, *, despite: bool = True
    ) -> Container:
        """What it brings, or where it fails what runs all the same, of which only a proof can tell whether it serves.

        Compose fails where it has done its work, too, as when a hook of the service does.
        """
        try:
            return bring()
        except LockLost:
            raise
        except FreshnessError as error:
            runs = self._find_alone(image, target) if despite else None
            if runs is None:
                raise
            self.notes.append(
                f"{error.args[0].rstrip('.')}. What runs all the same was looked at: {runs.name} on {image.id}."
            )
            return runs

    def _find_alone(self, image: Image, target: Target) -> Container | None:
        wait_until_reachable(self.lease.engine, "looking what runs")
        keep_one_container(self.lease, target, image.id)
        found = service_containers(self.lease.engine, target.project, target.service)
        return found[0] if len(found) == 1 and found[0].runs and found[0].image_id == image.id else None

    def _record(self, container: Container, image: Image, make: Make, kept: Sequence[str]) -> None:
        """Writes down what serves now. What fails here is no reason to go back: it is noted."""
        try:
            record_served(self.lease, self.plan, make, image, container, kept, self.label)
        except LockLost:
            raise
        except FreshnessError as error:
            self.notes.append(f"What production runs could not be recorded; the next way back knows less: {error}")

    def _keep(self, wanted: Sequence[str]) -> None:
        """Lets the kept tags name these. What fails here is no reason to go back: it is noted."""
        try:
            retain_images(self.lease, self.plan.kept_tags, wanted)
        except LockLost:
            raise
        except FreshnessError as error:
            self.notes.append(f"Not all tags of older images are as they should be: {error}")

    def _insist_runs(self, container: Container, image: Image) -> str:
        """What runs, in words. Raises Stale where that is another image: waiting for its health would prove nothing."""
        runs = f"the container {container.name} ({container.short_id}) runs {container.image_id}"
        if container.image_id != image.id:
            raise Stale(f"{runs}.", "Something else moves production's tag: find it, then run again.")
        return runs

    def _prove(self, container: Container, image: Image, target: Target) -> None:
        """Health, then identity: the same container, this image, and the tag on it. Raises Stale or Unhealthy."""
        engine, health = self.lease.engine, self.health
        with self.steps.step("health", f"a healthy service within {health.deadline:g} s") as step:
            self.log.say(f"Waiting for {target.service} to be healthy, up to {health.deadline:g} s.")
            step.got = self._insist_healthy(container, self._wait_until_healthy(container, target))
        with self.steps.step("identity", f"{image.id} in {container.short_id} and under {target.image}") as step:
            now, tagged = find_container(engine, container.id), find_tagged(engine, target.image)
            step.got = f"{now.image_id if now else 'no container'}, {tagged.id if tagged else 'no image'}"
            if (
                now is None
                or tagged is None
                or {now.image_id, tagged.id} != {image.id}
                or now.started_at != container.started_at
            ):
                raise Stale(f"{step.got}.", "Something else changes production: find it, then run again.")

    def _serve_beside_others(self, container: Container) -> None:
        """In `start-first` a proxy gets time to find the new one, which is looked at again then."""
        others = self._others(container)
        if not others:
            return
        with self.steps.step("overlap", f"a healthy container for {self.overlap:g} s beside the old one") as step:
            self.log.say(f"{container.name} serves beside {others} for {self.overlap:g} s.")
            self._insist_healthy(container, stay_healthy(self.lease.engine, container, self.overlap))
            step.got = self._insist_healthy(container, self._wait_until_healthy(container, self.plan.target))

    def _hold_out(self, container: Container, target: Target) -> None:
        """It lasts: by now the overlap has passed, which counts. The way back holds too: what crashes is none."""
        engine, health = self.lease.engine, self.health
        with self.steps.step("hold", f"{container.short_id} healthy still, having run for {health.hold:g} s") as step:
            result = wait_hold_time(engine, target, container, health, self.prober)
            step.got = self._insist_healthy(container, result)

    def _retire_others(self, container: Container) -> None:
        """In `start-first` the old one goes."""
        others = self._others(container)
        if not others:
            return
        with self.steps.step("retirement", f"nothing beside {container.short_id}") as step:
            self.order.retire_others(container)
            step.got = f"{others} stopped and removed"

    def _others(self, container: Container) -> str:
        """The names of what is still beside it."""
        return ", ".join(other.name for other in self.order.others(container))

    def _wait_until_healthy(self, container: Container, target: Target) -> HealthResult:
        return wait_until_healthy(self.lease.engine, target, container, self.health, self.prober)

    def _insist_healthy(self, container: Container, result: HealthResult) -> str:
        """What was seen; where that is not health, the log is shown. Raises Unhealthy."""
        if not result.ok:
            self.failed.add(container.id)
            show_container_log(self.log, self.lease.engine, container)
            raise Unhealthy(result.got, "Look at the log above.")
        return result.got
