"""The promotion, from top to bottom: all refusals, then one order of writes, then proof, or the way back."""

from dataclasses import dataclass

from freshness.candidacy import Candidacy
from freshness.core.compose import Target, Wanted
from freshness.core.image import Image
from freshness.core.promotion import PromotionOutcome, commands_by_hand, previous_tag_of
from freshness.engine.client import Engine, reach
from freshness.engine.compose import only_container, read_config, recreate, remove, select_service, staging_tag
from freshness.engine.containers import Container, find_container, service_containers, tail
from freshness.engine.health import wait_until_healthy
from freshness.engine.images import find_image, restore_tag, tag_image
from freshness.engine.owner import foreign_owners
from freshness.engine.vantage import find_vantage
from freshness.errors import FreshnessError, Refused, Stale, Unhealthy
from freshness.interrupts import interrupts_deferred
from freshness.steps import speaking_plainly


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
class Promotion(Candidacy):
    """One run of the promotion. `plan` is None until all refusals are behind it."""

    plan: Plan | None = None

    @property
    def tag(self) -> str | None:
        """Production's tag."""
        return self.plan.target.image if self.plan else None

    @property
    def previous_id(self) -> str:
        """The ID of the image that production ran before; empty where it ran none."""
        return self.plan.previous.id if self.plan and self.plan.previous else ""

    @property
    def serving_id(self) -> str:
        """The ID of the image that production runs now, as far as it was proven; else empty."""
        if self.plan is None or self.outcome in {PromotionOutcome.STRANDED, PromotionOutcome.ERROR}:
            return ""
        if self.outcome in {PromotionOutcome.PROMOTED, PromotionOutcome.UNCHANGED}:
            return self.plan.candidate.id
        return self.previous_id

    def run(self) -> None:
        """Promotes. Raises what ended the run (FreshnessError, Interrupted); `outcome` says how it left production."""
        try:
            self.plan = plan = self._refuse_or_plan()
        except Refused:
            self.outcome = PromotionOutcome.REFUSED
            raise
        try:
            container = self._switch(plan)
        except BaseException:  # whatever it is, production goes back first
            self._go_back(plan)
            raise
        same = plan.running is not None and plan.running.id == container.id
        self.outcome = PromotionOutcome.UNCHANGED if same else PromotionOutcome.PROMOTED
        self.reason = self._tell(plan)

    def _refuse_or_plan(self) -> Plan:
        target, source, kept_tag = self._read_service()
        with self.steps.step("image", "an image on this Engine") as step:
            self.engine = engine = reach(self.env)
            candidate = self.find_candidate(engine, source)
            step.got = self.in_words(source, candidate)
        self.prove(candidate)
        with self.steps.step("owner", "a name and a port that are free or production's own") as step:
            plan = self._observe(engine, target, candidate, kept_tag)
            step.got = f"production runs {self.name(plan.previous)}" if plan.previous else "production runs nothing yet"
        self.insist_forward(plan.previous, candidate)
        return plan

    def _read_service(self) -> tuple[Target, str, str]:
        """The service, the image to promote, and the tag that keeps what ran before."""
        settings = self.settings
        wanted = Wanted(
            service=settings.service,
            port=settings.port,
            workspace=str(settings.workspace),
            image=settings.image,
            container=settings.container,
        )
        with self.steps.step("service", "a service that shares nothing with another") as step:
            config = read_config(self.compose_file, self.env)
            target = select_service(config, wanted)
            step.got = f"{target.service} of the project {target.project} on port {target.port}"
            kept_tag = previous_tag_of(target, config, settings.staging_service)
            source = kept_tag if self.is_rollback else settings.source_image
            return target, source or staging_tag(config, settings.staging_service), kept_tag

    def _observe(self, engine: Engine, target: Target, candidate: Image, kept_tag: str) -> Plan:
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
        if running and running.anonymous_volumes and running.image_id != candidate.id:
            raise Refused(
                f"production's container {running.name} keeps files in anonymous volumes at"
                f" {', '.join(running.anonymous_volumes)}: a recreation would lose them, or lay them over the image.",
                "Give the service a named volume there in the Compose file, with what has to stay copied into it, or"
                " take VOLUME out of the image.",
            )
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
        with self.steps.step("recreation", f"production on {candidate.id}") as step, interrupts_deferred():
            if plan.previous and plan.previous.id != candidate.id:
                tag_image(engine, plan.previous.id, plan.kept_tag)
            tag_image(engine, candidate.id, target.image)
            container = recreate(engine, self.compose_file, target)
            step.got = f"the container {container.name} ({container.short_id}) runs {container.image_id}"
        self._prove_serving(plan, container, candidate)
        return container

    def _prove_serving(self, plan: Plan, container: Container, image: Image) -> None:
        """Health, then identity: the same container, this image, and the tag on it. Raises Stale or Unhealthy."""
        health = self.settings.health
        with self.steps.step("health", f"a healthy service within {health.deadline:g} s") as step:
            self.log.say(f"Waiting for {plan.target.service} to be healthy, up to {health.deadline:g} s.")
            result = wait_until_healthy(
                plan.engine, plan.target, container, health, find_vantage(plan.engine, self.env)
            )
            step.got = result.got
            if not result.ok:
                self._show_log(plan.engine, container)
                raise Unhealthy(result.got, "Look at the log above.")
        with self.steps.step("identity", f"{image.id} in {container.short_id} and under {plan.target.image}") as step:
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
        with interrupts_deferred():
            self.log.say("The promotion failed. Going back to what production ran before.")
            try:
                with speaking_plainly():
                    self._restore(plan)
            except FreshnessError as error:
                self.outcome = PromotionOutcome.STRANDED
                self.reason = self._call_for_help(plan, error)
                return
            self.outcome = PromotionOutcome.ROLLED_BACK
            self.reason = (
                f"The promotion failed; {self.name(plan.previous)} serves again."
                if plan.previous
                else "The promotion failed; nothing served before this first deployment, and nothing of it is left."
            )

    def _restore(self, plan: Plan) -> None:
        engine, target = plan.engine, plan.target
        if plan.previous is None:
            remove(engine, self.compose_file, target)
            restore_tag(engine, target.image, plan.tagged)
            return
        with self.steps.step("way back", f"production on {plan.previous.id}") as step:
            tag_image(engine, plan.previous.id, target.image)
            same = plan.previous.id == plan.candidate.id  # Compose would see nothing to change, and it is not healthy
            container = recreate(engine, self.compose_file, target, force=same)
            step.got = f"the container {container.name} ({container.short_id}) runs {container.image_id}"
        self._prove_serving(plan, container, plan.previous)
        try:  # last, and no reason to call it a failure: the older image may be gone meanwhile
            restore_tag(engine, plan.kept_tag, plan.kept)
        except FreshnessError as error:
            self.notes.append(f"{plan.kept_tag} could not be put back: {error}")

    def _call_for_help(self, plan: Plan, error: FreshnessError) -> str:
        compose_file = str(self.settings.compose_file)
        commands = commands_by_hand(plan.target, compose_file, plan.previous, plan.tagged)
        return (
            f"The promotion failed, and so did the way back: {error} A person is needed; with the"
            f" Compose file that production was started with, type: {' && '.join(commands)}"
        )

    def _tell(self, plan: Plan) -> str:
        runs = f"Production runs {self.name(plan.candidate)}"
        if self.outcome is PromotionOutcome.UNCHANGED:
            return f"{runs} already and is healthy; nothing was recreated."
        return (
            f"{runs}; it ran {self.name(plan.previous)} before."
            if plan.previous
            else f"{runs}; it is the first deployment."
        )
