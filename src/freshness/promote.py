"""The promotion, from top to bottom: all refusals, then one order of writes, then proof, or the way back."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from freshness.core.compose import Target, Wanted, image_of
from freshness.core.image import Image, guard
from freshness.core.promotion import PromotionOutcome, commands_by_hand, name_revision, previous_tag
from freshness.core.scope import in_scope
from freshness.engine.client import Engine, reach
from freshness.engine.compose import ComposeFile, only_container, read_config, recreate, remove, select_service
from freshness.engine.containers import Container, find_container, service_containers, tail
from freshness.engine.health import wait_until_healthy
from freshness.engine.images import find_image, tag_image, untag_image
from freshness.engine.owner import foreign_owners
from freshness.engine.vantage import find_vantage
from freshness.errors import FreshnessError, Interrupted, Refused, Stale, Unhealthy
from freshness.forge.log import Log
from freshness.interrupts import interrupts_deferred
from freshness.settings.model import PromoteSettings
from freshness.steps import Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is known before the first write: what becomes production, and all that the way back needs.

    `running` is production's container as it is (None at a first deployment) and `previous` its image; `tagged` is what
    the production tag names, `kept` what the previous-tag names.
    """

    engine: Engine
    target: Target
    candidate: Image
    running: Container | None
    previous: Image | None
    tagged: Image | None
    kept: Image | None
    kept_tag: str


@dataclass(slots=True, kw_only=True)
class Promotion:
    """One run of the promotion; with `is_rollback` the kept previous image is its source. None: not yet known."""

    settings: PromoteSettings
    env: Mapping[str, str]
    log: Log
    is_rollback: bool = False
    steps: Steps = field(default_factory=Steps)
    outcome: PromotionOutcome = PromotionOutcome.ERROR
    plan: Plan | None = None
    engine: Engine | None = None
    reason: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def serving_id(self) -> str:
        """The ID of the image that production runs now, as far as it was proven; else empty."""
        if self.plan is None or self.outcome in {PromotionOutcome.STRANDED, PromotionOutcome.ERROR}:
            return ""
        if self.outcome in {PromotionOutcome.PROMOTED, PromotionOutcome.UNCHANGED}:
            return self.plan.candidate.id
        return self.plan.previous.id if self.plan.previous else ""

    def run(self) -> None:
        """Promotes. Raises what ended the run (FreshnessError, Interrupted); `outcome` says how it left production."""
        try:
            self.plan = plan = self._refuse_or_plan()
        except Refused:
            self.outcome = PromotionOutcome.REFUSED
            raise
        try:
            container = self._switch(plan)
        except (FreshnessError, Interrupted):
            self._go_back(plan)
            raise
        same = plan.running is not None and plan.running.id == container.id
        self.outcome = PromotionOutcome.UNCHANGED if same else PromotionOutcome.PROMOTED
        self.reason = self._tell(plan)

    @property
    def guarded(self) -> bool:
        """Whether the guard is in force: neither switched off nor out of scope, nor waived by `--allow-unverified`."""
        settings = self.settings
        enforced = settings.enabled and in_scope(settings.repository, settings.repos)
        return enforced and (self.is_rollback or not (settings.allow_unverified and settings.expected_revision is None))

    def _refuse_or_plan(self) -> Plan:
        target, source = self._read_service()
        with self.steps.step("image", "an image on this Engine") as step:
            self.engine = engine = reach(self.env)
            candidate = self._find_candidate(engine, source)
            step.got = f"{source} is {candidate.id}"
        self._prove(candidate)
        with self.steps.step("owner", "a name and a port that are free or production's own") as step:
            plan = self._observe(engine, target, candidate)
            step.got = (
                f"production runs {self._name(plan.previous)}" if plan.previous else "production runs nothing yet"
            )
        return plan

    def _read_service(self) -> tuple[Target, str]:
        settings = self.settings
        wanted = Wanted(
            service=settings.service,
            port=settings.port,
            workspace=str(settings.workspace),
            image=settings.image,
            container=settings.container,
        )
        with self.steps.step("service", "a service that shares nothing with another") as step:
            config = read_config(self._compose_file, self.env)
            target = select_service(config, wanted)
            step.got = f"{target.service} of the project {target.project} on port {target.port}"
            if self.is_rollback:
                return target, previous_tag(target.repository)
            return target, settings.source_image or image_of(config, settings.staging_service)

    @property
    def _compose_file(self) -> ComposeFile:
        return ComposeFile(
            path=self.settings.compose_file, project=self.settings.project, repository=self.settings.repository
        )

    def _find_candidate(self, engine: Engine, source: str) -> Image:
        image = find_image(engine, source)
        if image is None and self.is_rollback:
            raise Refused(f"there is no previous image: {source} does not exist.", "Promote a proven image instead.")
        if image is None:
            raise Refused(
                f"the Engine {engine.id} at {engine.endpoint} has no image {source}.",
                "Did the gate run on another Docker host? Promote where the gate ran, or run the gate here.",
            )
        return image

    def _prove(self, candidate: Image) -> None:
        label, expected = self.settings.revision_label, self.settings.expected_revision
        if self.is_rollback and not self.settings.allow_unverified:
            expected = candidate.revision(label) or "a commit id"
        if not self.guarded or expected is None:
            self.notes.append(f"The guard did not look at {candidate.id}: {self._why_unguarded()}.")
            self.log.warning("The guard is off", self.notes[-1])
            return
        with self.steps.step("guard", f"the label {label} says {expected}") as step:
            problem = guard(candidate, label, expected)
            if problem:
                raise Refused(
                    f"the image {candidate.id} does not prove the commit: {problem}.",
                    "Run the gate for that commit and promote the image ID that it gives.",
                )
            step.got = f"it says {expected}"

    def _why_unguarded(self) -> str:
        if not self.settings.enabled:
            return "ORCH_IMAGE_FRESHNESS_ENABLED is false"
        if not in_scope(self.settings.repository, self.settings.repos):
            return f"{self.settings.repository} is out of the scope of ORCH_IMAGE_FRESHNESS_REPOS"
        return "--allow-unverified was given"

    def _observe(self, engine: Engine, target: Target, candidate: Image) -> Plan:
        foreign = list(foreign_owners(engine, target, find_vantage(engine, self.env)))
        if foreign:
            raise Stale(
                f"{'; '.join(foreign)}.", "Stop what holds it, or correct `port`, `project` or `container_name`."
            )
        containers = service_containers(engine, target.project, target.service)
        running = only_container(engine, target) if containers else None
        previous = find_image(engine, running.image_id) if running else None
        if running and previous is None:
            raise Refused(
                f"production's container {running.name} runs {running.image_id}, which this Engine no longer has.",
                f"There would be no way back. Keep it first: docker commit {running.name} {target.repository}:kept",
            )
        kept_tag = previous_tag(target.repository)
        return Plan(
            engine=engine,
            target=target,
            candidate=candidate,
            running=running,
            previous=previous,
            tagged=find_image(engine, target.image),
            kept=find_image(engine, kept_tag),
            kept_tag=kept_tag,
        )

    def _switch(self, plan: Plan) -> Container:
        """The writes, in the one order that always leaves a way back: keep, tag by ID, recreate; then the proof."""
        engine, target, candidate = plan.engine, plan.target, plan.candidate
        with self.steps.step("recreation", f"production runs {candidate.id}") as step, interrupts_deferred():
            if plan.previous and plan.previous.id != candidate.id:
                tag_image(engine, plan.previous.id, plan.kept_tag)
            tag_image(engine, candidate.id, target.image)
            container = recreate(engine, self._compose_file, target)
            step.got = f"the container {container.name} ({container.short_id}) runs {container.image_id}"
        self._prove_serving(plan, container, candidate)
        return container

    def _prove_serving(self, plan: Plan, container: Container, image: Image) -> None:
        """Health, then identity: the same container, this image, and the tag on it. Raises Stale or Unhealthy."""
        health = self.settings.health
        with self.steps.step("health", f"healthy within {health.deadline:g} s") as step:
            self.log.say(f"Waiting for {plan.target.service} to be healthy, up to {health.deadline:g} s.")
            result = wait_until_healthy(
                plan.engine, plan.target, container, health, find_vantage(plan.engine, self.env)
            )
            step.got = result.got
            if not result.ok:
                self._show_log(plan.engine, container)
                raise Unhealthy(f"{result.got}.", "Look at the log above.")
        with self.steps.step("identity", f"{container.short_id} and {plan.target.image} are {image.id}") as step:
            now, tagged = find_container(plan.engine, container.id), find_image(plan.engine, plan.target.image)
            step.got = f"{now.image_id if now else 'no container'}, {tagged.id if tagged else 'no image'}"
            if (
                now is None
                or tagged is None
                or {now.image_id, tagged.id} != {image.id}
                or now.started_at != container.started_at
            ):
                raise Stale(f"{step.got}.", "Something else changes production: find it, then run again.")

    def _show_log(self, engine: Engine, container: Container) -> None:
        with self.log.group(f"The end of the log of {container.name}"):
            for line in tail(engine, container):
                self.log.foreign(line)

    def _go_back(self, plan: Plan) -> None:
        """After a failed switch: what ran before runs again, proven; or a person is needed, and told what to type."""
        self.log.say("The promotion failed. Going back to what production ran before.")
        with interrupts_deferred():
            try:
                self._restore(plan)
            except FreshnessError as error:
                self.outcome = PromotionOutcome.STRANDED
                self.reason = self._call_for_help(plan, error)
                return
            self.outcome = PromotionOutcome.ROLLED_BACK
            self.reason = (
                f"The promotion failed; {self._name(plan.previous)} serves again."
                if plan.previous
                else "The promotion failed; nothing served before this first deployment, and nothing of it is left."
            )

    def _restore(self, plan: Plan) -> None:
        engine, target = plan.engine, plan.target
        if plan.previous is None:
            remove(engine, self._compose_file, target)
            _restore_tag(engine, target.image, plan.tagged)
            return
        with self.steps.step("way back", f"production runs {plan.previous.id}") as step:
            tag_image(engine, plan.previous.id, target.image)
            _restore_tag(engine, plan.kept_tag, plan.kept)
            same = plan.previous.id == plan.candidate.id  # Compose would see nothing to change, and it is not healthy
            container = recreate(engine, self._compose_file, target, force=same)
            step.got = f"the container {container.name} ({container.short_id}) runs {container.image_id}"
        self._prove_serving(plan, container, plan.previous)

    def _call_for_help(self, plan: Plan, error: FreshnessError) -> str:
        if plan.previous is None:
            return f"The promotion failed, and so did taking its container away: {error} A person is needed."
        commands = commands_by_hand(plan.target, str(self.settings.compose_file), plan.previous)
        return (
            f"The promotion failed, and so did the way back: {error} A person is needed; type: {' && '.join(commands)}"
        )

    def _name(self, image: Image) -> str:
        return name_revision(image, self.settings.revision_label)

    def _tell(self, plan: Plan) -> str:
        runs = f"Production runs {self._name(plan.candidate)}"
        if self.outcome is PromotionOutcome.UNCHANGED:
            return f"{runs} already and is healthy; nothing was recreated."
        return (
            f"{runs}; it ran {self._name(plan.previous)} before."
            if plan.previous
            else f"{runs}; it is the first deployment."
        )


def _restore_tag(engine: Engine, tag: str, image: Image | None) -> None:
    """The tag as it was: on this image, or gone."""
    if image is None:
        untag_image(engine, tag)
        return
    tag_image(engine, image.id, tag)
