"""The promotion, from top to bottom: all refusals, then one order of writes, then proof, or the way back."""

from collections.abc import Iterator
from dataclasses import dataclass

from freshness.candidacy import Candidacy
from freshness.core.compose import Target, Wanted
from freshness.core.deployment import Role
from freshness.core.image import Image
from freshness.core.kept import KeptTags, kept_tags_of
from freshness.core.lock import Record, service_lock
from freshness.core.promotion import PromotionOutcome, commands_by_hand, not_compared
from freshness.dry_run import cut_ahead, promotion_ahead
from freshness.engine.client import Engine, reach
from freshness.engine.compose import RECREATE_SECONDS, read_service, staging_tag
from freshness.engine.containers import service_containers
from freshness.engine.health import refuse_unknowable, refuse_unreachable
from freshness.engine.images import find_image
from freshness.engine.lock import Hold, Lock
from freshness.engine.owner import foreign_owners
from freshness.engine.vantage import Vantage, find_vantage
from freshness.errors import FreshnessError, LockLost, Refused, Stale
from freshness.interrupts import interrupts_deferred
from freshness.ownership import Ownership, refuse_borrowed_labels
from freshness.plan import Plan, observe, plan_of, refuse_emptied
from freshness.recovery import recover
from freshness.settings.model import UpdateOrder
from freshness.start_first import StartFirst
from freshness.steps import Steps, speaking_plainly
from freshness.stop_first import StopFirst
from freshness.switch import Switch
from freshness.tenure import TAKEN_OVER, Tenure, find_cut


@dataclass(slots=True, kw_only=True)
class Promotion(Candidacy):
    """One run of the promotion. `plan` is None until all refusals are behind it, `vantage` until it was asked for."""

    plan: Plan | None = None
    vantage: Vantage | None = None

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
        target, source, kept_tags = self._read_service()
        try:
            self.plan, hold = self._begin(target, source, kept_tags)
        except Refused:
            if self.outcome is not PromotionOutcome.STRANDED:
                self.outcome = PromotionOutcome.REFUSED
            raise
        with hold:
            self._take(hold, target)
            self._change(self._switch(hold, self.plan))

    def _take(self, hold: Hold, target: Target) -> None:
        """Looks again whose the target is, now that nobody else may change it, and writes it down."""
        ownership = self._ownership(target)
        with self.steps.step("ownership", "a target that is production's own, still") as step:
            try:
                ownership.require(hold.engine)
            except Refused:
                self.outcome = PromotionOutcome.REFUSED
                raise
            ownership.record(hold)
            step.got = f"{target.service} of the project {target.project}"

    def _note(self, title: str, note: str) -> None:
        if note:
            self.notes.append(note)
            self.log.warning(title, note)

    def _ownership(self, target: Target) -> Ownership:
        return Ownership.of(self.settings, self.run_env, target, self.compose_file, Role.PRODUCTION)

    def _change(self, switch: Switch) -> None:
        plan = switch.plan
        try:
            container = switch.go()
        except LockLost:
            self.reason = TAKEN_OVER
            raise
        except BaseException as error:  # whatever it is, production goes back first
            self._go_back(switch)
            if self.outcome is PromotionOutcome.PROMOTED and isinstance(error, FreshnessError):
                return
            raise
        same = plan.running is not None and plan.running.id == container.id
        self.outcome = PromotionOutcome.UNCHANGED if same else PromotionOutcome.PROMOTED
        self.reason = self._tell(plan)

    def look_ahead(self) -> Iterator[str]:
        """All refusals, and then what `run` would do, step by step; nothing is written. Raises FreshnessError."""
        target, source, kept_tags = self._read_service()
        lock = self._find_lock(target)
        if cut := find_cut(lock):
            yield from cut_ahead(cut)
            return
        held = lock.look()
        yield from promotion_ahead(self._refuse_or_plan(lock.engine, target, source, kept_tags), self.settings, held)

    def _find_lock(self, target: Target) -> Lock:
        self.engine = reach(self.env, self.settings.engine_timeout)
        return self.lock(self.engine, service_lock(target.project, target.service), self._longest)

    def _begin(self, target: Target, source: str, kept_tags: KeptTags) -> tuple[Plan, Hold]:
        return Tenure(
            run=self,
            what="promotion",
            find_lock=lambda: self._find_lock(target),
            plan=lambda engine: self._refuse_or_plan(engine, target, source, kept_tags),
            record=lambda plan: plan.record,
            is_still_so=lambda engine, plan: plan.is_still_so(engine),
            recover=lambda hold, record: self._recover(hold, record, target, kept_tags),
        ).begin("production for this run alone")

    @property
    def _in_pairs(self) -> bool:
        return self.settings.update_order is UpdateOrder.START_FIRST

    @property
    def _longest(self) -> float:
        """Seconds that a promotion and its way back may take."""
        health = self.settings.health
        return 2 * (RECREATE_SECONDS + health.hold) + 3 * health.deadline + self.settings.update_overlap + 60

    def _refuse_or_plan(self, engine: Engine, target: Target, source: str, kept_tags: KeptTags) -> Plan:
        with self.steps.step("image", "an image on this Engine") as step:
            name = self._kept_source(engine, target, kept_tags) if self.is_rollback else source
            candidate = self.find_candidate(engine, name)
            step.got = self.in_words(name, candidate)
        self.prove(candidate)
        if not self.is_rollback:  # which goes back to what ran already
            self._note("Labels of Compose", refuse_borrowed_labels(candidate))
        self.insist_staged(engine, target.project, candidate)
        with self.steps.step("owner", "a name and a port that are free or production's own") as step:
            self._refuse_foreign(engine, target)
            plan = observe(engine, target, candidate, kept_tags, self.compose_file)
            refuse_emptied(plan, self.settings.allow_empty)
            step.got = f"production runs {self.name(plan.previous)}" if plan.previous else "production runs nothing yet"
        with self.steps.step("health question", "a health path or a HEALTHCHECK, for the way back as well") as step:
            refuse_unknowable(self.settings.health, target, candidate, plan.previous)
            step.got = self.settings.health.path or "the HEALTHCHECK decides"
        self.insist_forward(plan.previous, candidate)
        return plan

    def _kept_source(self, engine: Engine, target: Target, kept_tags: KeptTags) -> str:
        found = service_containers(engine, target.project, target.service)
        return self.kept_source(engine, kept_tags, found[0].image_id if found else "", target.project)

    def _read_service(self) -> tuple[Target, str, KeptTags]:
        """The service, the image to promote, and the tags that keep what ran before."""
        settings = self.settings
        wanted = Wanted(
            service=settings.service,
            port=settings.port,
            workspace=str(settings.workspace),
            image=settings.image,
            container=settings.container,
            in_pairs=self._in_pairs,
            accepted=settings.accept_dependencies,
        )
        with self.steps.step("service", "a service that shares nothing with another") as step:
            config, target = read_service(self.compose_file, self.env, wanted, settings.allow_empty)
            step.got = f"{target.service} of the project {target.project} on port {target.port}"
            kept_tags = kept_tags_of(target, config, settings.staging_service)
            source = "" if self.is_rollback else settings.source_image
            return target, source or staging_tag(config, settings.staging_service), kept_tags

    def _refuse_foreign(self, engine: Engine, target: Target) -> None:
        self.vantage = vantage = find_vantage(engine, self.env)
        refuse_unreachable(engine, self.settings.health, target, vantage)
        self._note("adopt", self._ownership(target).require(engine))
        foreign = list(foreign_owners(engine, target, vantage))
        if foreign:
            raise Stale(
                f"{'; '.join(foreign)}.", "Stop what holds it, or correct `port`, `project` or `container_name`."
            )

    def _switch(self, hold: Hold, plan: Plan, steps: Steps | None = None) -> Switch:
        order = StartFirst if self._in_pairs else StopFirst
        return Switch(
            hold=hold,
            plan=plan,
            order=order(hold=hold, file=self.compose_file, plan=plan, force=self.settings.force_recreate),
            overlap=self.settings.update_overlap,
            compose_file=self.compose_file,
            health=self.settings.health,
            keep=self.settings.keep_images,
            vantage=self.vantage or find_vantage(hold.engine, self.env),
            log=self.log,
            steps=steps or self.steps,
            notes=self.notes,
            label=self.settings.revision_label,
        )

    def _recover(self, hold: Hold, record: Record, target: Target, kept_tags: KeptTags) -> str:
        self._ownership(target).require_role(hold.engine)
        self.log.say("A promotion was cut in the middle; first it is finished or undone.")
        plan = plan_of(hold.engine, target, record, kept_tags)
        try:
            return recover(self._switch(hold, plan, Steps()), record)
        except LockLost:
            raise
        except FreshnessError as error:
            hold.kept = not isinstance(error, Refused)  # what cannot be undone is not tried again and again
            self.outcome = PromotionOutcome.STRANDED
            self.reason = self._call_for_help("A promotion was cut in the middle and could not be undone", plan, error)
            raise

    def _go_back(self, switch: Switch) -> None:
        """After a failed switch: what ran before runs again, proven; or a person is needed, and told what to type."""
        plan = switch.plan
        with interrupts_deferred():
            self.log.say("The promotion failed. Going back to what production ran before.")
            try:
                with speaking_plainly():
                    serving = switch.go_back()
            except LockLost:
                self.reason = TAKEN_OVER
                raise
            except FreshnessError as error:
                switch.hold.kept = True  # with its record: the next run tries again
                self.outcome = PromotionOutcome.STRANDED
                self.reason = self._call_for_help("The promotion failed, and so did the way back", plan, error)
                return
            if serving is not None and serving.id == plan.candidate.id != self.previous_id:
                self.outcome, self.reason = PromotionOutcome.PROMOTED, self._tell(plan)
                return
            self.outcome = PromotionOutcome.ROLLED_BACK
            self.reason = (
                f"The promotion failed; {self.name(plan.previous)} serves again."
                if plan.previous
                else "The promotion failed; nothing served before this first deployment, and nothing of it is left."
            )

    def _call_for_help(self, what: str, plan: Plan, error: FreshnessError) -> str:
        if plan.previous and self._is_gone(plan.previous):
            return (
                f"{what}: {error} A person is needed: {plan.previous.id}, which ran before, is gone from this Engine;"
                " promote an image that gets healthy."
            )
        commands = commands_by_hand(plan.target, self.compose_file.words, plan.previous, plan.tagged)
        return (
            f"{what}: {error} A person is needed; with the Compose file that production was started with{self._where},"
            " type:"
            f" {' && '.join(commands)}"
        )

    @property
    def _where(self) -> str:
        """What else commands by hand need, where another Docker host is meant."""
        return "" if self.engine is None or self.engine.is_local else f", and DOCKER_HOST={self.engine.endpoint}"

    def _is_gone(self, image: Image) -> bool:
        """Whether the Engine says so; one that says nothing may have it still."""
        try:
            return self.engine is not None and find_image(self.engine, image.id) is None
        except FreshnessError:
            return False

    def _tell(self, plan: Plan) -> str:
        runs = f"Production runs {self.name(plan.candidate)}"
        if self.outcome is PromotionOutcome.UNCHANGED:
            had_stopped = plan.running and not plan.running.is_up
            found = "had stopped and was started again" if had_stopped else "is healthy; nothing was recreated"
            return f"{runs} already and {found}.{not_compared(plan.target.contents)}"
        return (
            f"{runs}; it ran {self.name(plan.previous)} before."
            if plan.previous
            else f"{runs}; it is the first deployment."
        )
