"""The promotion, from top to bottom: all refusals, then one order of writes, then proof, or the way back."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from freshness.core.compose import Target, Wanted
from freshness.core.configuration import not_restored, render, variables_of
from freshness.core.deployment import Recorded, Role
from freshness.core.image import Image
from freshness.core.lock import Record, service_lock
from freshness.core.promotion import PromotionOutcome, manual_commands, not_compared
from freshness.core.retained import retained_tags_of
from freshness.engine.base import find_base
from freshness.engine.client import Engine, connect
from freshness.engine.compose import RECREATE_SECONDS, ComposeFile, read_service
from freshness.engine.conflicts import refuse_conflicts
from freshness.engine.containers import Container
from freshness.engine.health import require_health_source, require_probeable, settle_health
from freshness.engine.images import find_image
from freshness.engine.lock import Lease, Lock
from freshness.engine.probe_address import Prober, find_prober
from freshness.errors import FreshnessError, LockLost, Refused
from freshness.process.signals import interrupts_deferred
from freshness.promotion.acquire import TAKEN_OVER, Tenure, find_cut
from freshness.promotion.configuration import Today
from freshness.promotion.loss import find_ran, refuse_loss
from freshness.promotion.observe import Scene, look
from freshness.promotion.plan import Make, Plan, observe, plan_of
from freshness.promotion.preflight import Candidacy
from freshness.promotion.recovery import recover
from freshness.promotion.rollout import Switch
from freshness.promotion.start_first import StartFirst
from freshness.promotion.stop_first import StopFirst
from freshness.promotion.wording import first_deployment, refuse_missing, why_anew, with_what
from freshness.report.dry_run import cut_ahead, promotion_ahead
from freshness.report.steps import Steps, wrap_unexpected_errors
from freshness.settings.model import UpdateOrder
from freshness.target.mounts import MountCheck, Overlay, find_tracked
from freshness.target.ownership import Ownership, refuse_borrowed_labels
from freshness.target.staging import refuse_own_source, staging_config, staging_tag


@dataclass(slots=True, kw_only=True)
class Promotion(Candidacy):
    """One run of the promotion. `plan` is None until all refusals are behind it, `prober` until it was asked for.

    `last` is what was recorded to have run last, where nothing runs. `staging_project` is staging's, where its tag is
    the source.
    """

    plan: Plan | None = None
    prober: Prober | None = None
    last: Recorded | None = None
    overlay: Overlay = field(default_factory=Overlay)
    staging_project: str = ""

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
        today = self._read_service()
        try:
            self.plan, lease = self._begin(today)
        except Refused:
            if self.outcome is not PromotionOutcome.STRANDED:
                self.outcome = PromotionOutcome.REFUSED
            raise
        with lease:
            lease.keep_lock = self.unmended is not None  # a refusal does not make it forgotten
            self._take(lease, today.target)
            lease.keep_lock = False
            self._change(self._switch(lease, self.plan))

    def _take(self, lease: Lease, target: Target) -> None:
        """Looks again whose the target is, now that nobody else may change it, and writes it down."""
        ownership = self._ownership(target)
        with self.steps.step("ownership", "a target that is production's own, still") as step:
            try:
                ownership.require(lease.engine)
            except Refused:
                if self.outcome is not PromotionOutcome.STRANDED:
                    self.outcome = PromotionOutcome.REFUSED
                raise
            ownership.record(lease, is_as_it_ran=self.plan is not None and self.plan.is_as_it_ran)
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
        self.reason = self._tell(plan, container)

    def look_ahead(self) -> Iterator[str]:
        """All refusals, and then what `run` would do, step by step; nothing is written. Raises FreshnessError."""
        today = self._read_service()
        lock = self._find_lock(today.target)
        if cut := find_cut(lock):
            yield from cut_ahead(cut)
            return
        held = lock.look()
        yield from promotion_ahead(self._refuse_or_plan(lock.engine, today), self.settings, held)

    def _find_lock(self, target: Target) -> Lock:
        self.engine = connect(self.env, self.settings.engine_timeout)
        return self.lock(self.engine, service_lock(target.project, target.service), self._longest)

    def _begin(self, today: Today) -> tuple[Plan, Lease]:
        return Tenure(
            run=self,
            what="promotion",
            find_lock=lambda: self._find_lock(today.target),
            plan=lambda engine: self._refuse_or_plan(engine, today),
            record=lambda plan: plan.record,
            is_still_so=lambda engine, plan: plan.is_still_so(engine),
            recover=lambda lease, record: self._recover(lease, record, today),
        ).begin("production for this run alone")

    @property
    def _in_pairs(self) -> bool:
        return self.settings.update_order is UpdateOrder.START_FIRST

    @property
    def _longest(self) -> float:
        """Seconds that a promotion and its way back may take."""
        health = self.settings.health
        return 2 * (RECREATE_SECONDS + health.hold) + 3 * health.deadline + self.settings.update_overlap + 60

    def _refuse_or_plan(self, engine: Engine, today: Today) -> Plan:
        scene = look(engine, today.target, self.unmended)
        with self.steps.step("image", "an image on this Engine") as step:
            name = self._kept_source(engine, today, scene) if self.is_rollback else today.source
            candidate = self.find_candidate(engine, name)
            step.got = self.in_words(name, candidate)
        self.prove(candidate)
        if not self.is_rollback:  # which goes back to what ran already
            self._note("Labels of Compose", refuse_borrowed_labels(candidate))
        self.insist_staged(engine, self.staging_project, candidate)
        make, former = self._make_candidate(today, scene, candidate), today.make(scene.known)
        overlay = self._require_open(engine, make, candidate)
        with self.steps.step("owner", "a name and a port that are free or production's own") as step:
            self._refuse_foreign(engine, today.target, make.target)
            self.warn_of_shared(engine, today.kept_tags, today.target.project)
            goes_back = self.goes_back(scene.recorded, candidate)
            plan = observe(
                engine,
                scene,
                make,
                former,
                candidate,
                today.kept_tags,
                goes_back=goes_back,
                mounted=overlay.targets,
            )
            self._refuse_loss(engine, scene, make, candidate)
            step.got = f"production runs {self.name(plan.previous)}" if plan.previous else "production runs nothing yet"
        self._look_at_mounts(engine, make)
        with self.steps.step("health question", "a health path or a HEALTHCHECK, for the way back as well") as step:
            require_health_source(self.settings.health, make.target, candidate, plan.previous, former.target)
            step.got = self.settings.health.wanted
        self.require_ancestry(plan.previous, candidate, scene.last)
        self.last = scene.last
        return plan

    def _refuse_loss(self, engine: Engine, scene: Scene, make: Make, candidate: Image) -> None:
        """Raises Refused where today's files would leave behind what runs, or ran last, has."""
        ran = find_ran(scene, make.target.service)
        if ran is None or not isinstance(make.source, ComposeFile):
            return
        refuse_loss(
            engine,
            ran,
            make.target,
            make.source,
            mounts=self.overlay.mounts,
            allowed=self.settings.allow_empty,
            candidate=candidate,
        )

    def _kept_source(self, engine: Engine, today: Today, scene: Scene) -> str:
        return self.kept_source(engine, today.kept_tags, scene.runs, scene.recorded, today.target.project)

    def _make_candidate(self, today: Today, scene: Scene, candidate: Image) -> Make:
        """What a rollback goes back to is image and configuration; a promotion is of today's files."""
        known = scene.known if candidate.id == scene.runs else ""
        if self.is_rollback:
            served = scene.recorded.deployment.served(candidate.id) if scene.recorded else None
            known = known or (served.configuration if served else "")
            if not known:
                self._remark(f"What {candidate.id} ran with was not recorded: it runs with today's Compose file.")
            return today.make(known or today.configuration)
        if known and today.means(known, self.env):
            return Make(target=today.target, source=self.compose_file, configuration=known)
        return today.make(today.configuration)

    def _overlay(self, config: Mapping[str, Any]) -> tuple[str, ...]:
        """Takes down what lies over the image, and returns why that may not be, as far as no Engine is needed."""
        self.overlay = Overlay.of(config, self.settings.service, self.settings.allow_mounts)
        problems, notes = find_tracked(self.overlay, self.settings.workspace)
        self.notes += notes
        return problems

    def _require_open(self, engine: Engine, make: Make, candidate: Image) -> Overlay:
        """What is mounted over the image, today or as it ran. Raises Refused where that hides what was proven."""
        label, prober, overlay = self.settings.revision_label, find_prober(engine, self.env), self.overlay
        if not isinstance(make.source, ComposeFile):
            overlay = Overlay.of(json.loads(make.configuration), self.settings.service, self.settings.allow_mounts)
        with self.steps.step("mounts", "no mount that hides what was built") as step:
            cover = MountCheck(
                engine=engine,
                image_id=candidate.id,
                overlay=overlay,
                find_base=lambda: find_base(engine, candidate.id, label, make.target.repository),
                is_elsewhere=not engine.is_local or prober.job is not None,
            )
            cover.require_uncovered()
            step.got = cover.summary
        for note in cover.notes:
            self._remark(note)
        for warning in cover.unmounted_volumes():
            if (note := f"The image of production: {warning}") not in self.notes:
                self._note("Production's mounts", note)
        return overlay

    def _look_at_mounts(self, engine: Engine, make: Make) -> None:
        """Raises Refused where a run beside the Engine sees that what would be mounted again is gone."""
        if isinstance(make.source, ComposeFile):
            return
        if engine.is_local and self.prober and self.prober.job is None:
            refuse_missing(make.configuration)
        self._remark(not_restored(make.configuration))

    def _remark(self, text: str) -> None:
        if text and text not in self.notes:
            self.notes.append(text)

    def _read_service(self) -> Today:
        """The service as it is now, the image to promote, and the tags that keep what ran before."""
        settings = self.settings
        wanted = Wanted(
            service=settings.service,
            port=settings.port,
            is_port_given=settings.given_port is not None,
            asks_path=settings.health.asked.startswith("/"),
            image=settings.image,
            container=settings.container,
            in_pairs=self._in_pairs,
            accepted=settings.accept_dependencies,
        )
        with self.steps.step("service", "a service that shares nothing with another") as step:
            config, target = read_service(self.compose_file, self.env, wanted, settings.allow_empty, self._overlay)
            step.got = f"{target.service} of the project {target.project}, {target.place}"
            has_port = settings.given_port is not None or self._in_pairs
            health = settle_health(settings.health, target, is_port_given=has_port)
            self.settings = replace(settings, health=health)
            self.notes += [health.note] if health.note else []
            kept_tags = retained_tags_of(target, config, settings.staging_service)
            return Today(
                target=target,
                wanted=wanted,
                file=self.compose_file,
                configuration=render(config, target.service),
                source=self._source(config),
                kept_tags=kept_tags,
            )

    def _source(self, config: Mapping[str, Any]) -> str:
        """What is promoted. A rollback needs no staging, nor does a promotion that is told the image."""
        settings = self.settings
        if self.is_rollback or settings.source_image:
            return settings.source_image or ""
        staging = staging_config(settings, self.env, config)
        refuse_own_source(settings, staging, config)
        self.staging_project = staging["name"]
        return staging_tag(settings, staging)

    def _refuse_foreign(self, engine: Engine, today: Target, target: Target) -> None:
        """Raises Stale where what stands there today, or what is in the way of the `target`, is not production's."""
        self.prober = prober = find_prober(engine, self.env)
        require_probeable(engine, self.settings.health, target, prober)
        self._note("adopt", self._ownership(today).require(engine))
        refuse_conflicts(engine, target, prober)

    def _switch(self, lease: Lease, plan: Plan, steps: Steps | None = None) -> Switch:
        order = StartFirst if self._in_pairs else StopFirst
        return Switch(
            lease=lease,
            plan=plan,
            order=order(lease=lease, plan=plan, force=self.settings.force_recreate),
            overlap=self.settings.update_overlap,
            health=self.settings.health,
            keep=self.settings.keep_images,
            prober=self.prober or find_prober(lease.engine, self.env),
            log=self.log,
            steps=steps or self.steps,
            notes=self.notes,
            label=self.settings.revision_label,
        )

    def _recover(self, lease: Lease, record: Record, today: Today) -> str:
        """In words what became of it. What cannot be undone is said, and left to the plan that this run makes next."""
        self._ownership(today.target).require_role(lease.engine)
        self.log.say("A promotion was cut in the middle; first it is finished or undone.")
        make, former = today.make(record.configuration), today.make(record.former)
        plan = plan_of(lease.engine, record, make, former, today.kept_tags)
        switch = self._switch(lease, plan, Steps())
        try:
            return recover(switch, record)
        except LockLost:
            raise
        except FreshnessError as error:
            self.unmended = record
            self.outcome = PromotionOutcome.STRANDED
            what = "A promotion was cut in the middle and could not be undone"
            self.reason = self._call_for_help(what, switch, error)
            self._remark(f"{what}: {error.args[0].rstrip('.')}. What last served is this run's way back.")
            self.log.warning("A cut promotion", self.notes[-1])
            return "neither finished nor undone: this one goes on from there"

    def _go_back(self, switch: Switch) -> None:
        """After a failed switch: what ran before runs again, proven; or a person is needed, and told what to type."""
        plan = switch.plan
        with interrupts_deferred():
            self.log.say("The promotion failed. Going back to what production ran before.")
            try:
                with wrap_unexpected_errors():
                    serving = switch.go_back()
            except LockLost:
                self.reason = TAKEN_OVER
                raise
            except FreshnessError as error:
                switch.lease.keep_lock = True  # with its record: the next run tries again
                self.outcome = PromotionOutcome.STRANDED
                self.reason = self._call_for_help("The promotion failed, and so did the way back", switch, error)
                return
            if serving is not None and serving.id == plan.candidate.id != self.previous_id:
                self.outcome, self.reason = PromotionOutcome.PROMOTED, self._tell(plan, None)
                return
            self.outcome = PromotionOutcome.ROLLED_BACK
            if not isinstance(plan.former.source, ComposeFile):
                self._remark(not_restored(plan.former.configuration))
            self.reason = (
                f"The promotion failed; {self.name(plan.previous)} serves again{with_what(plan)}."
                if plan.previous
                else "The promotion failed; nothing served before this first deployment, and nothing of it is left."
            )

    def _call_for_help(self, what: str, switch: Switch, error: FreshnessError) -> str:
        plan = switch.plan
        if plan.previous and self._is_gone(plan.previous):
            return (
                f"{what}: {error} A person is needed: {plan.previous.id}, which ran before, is gone from this Engine;"
                " promote an image that gets healthy."
            )
        known = plan.former.configuration
        commands = manual_commands(
            plan.former.target if plan.previous else plan.target,
            self.compose_file.words,
            plan.previous,
            plan.tagged,
            record=switch.lease.name if known and plan.previous else "",
        )
        by = "" if known else " with the Compose file that production was started with"
        variables = "".join(f", {name} set" for name in variables_of(known)) if known else ""
        return f"{what}: {error} A person is needed;{by}{self._where}{variables} type: {' && '.join(commands)}"

    @property
    def _where(self) -> str:
        """What else commands by hand need, where another Docker host is meant."""
        return "" if self.engine is None or self.engine.is_local else f" with DOCKER_HOST={self.engine.endpoint}"

    def _is_gone(self, image: Image) -> bool:
        """Whether the Engine says so; one that says nothing may have it still."""
        try:
            return self.engine is not None and find_image(self.engine, image.id) is None
        except FreshnessError:
            return False

    def _tell(self, plan: Plan, container: Container | None) -> str:
        runs = f"Production runs {self.name(plan.candidate)}"
        if self.outcome is PromotionOutcome.UNCHANGED:
            had_stopped = plan.running and not plan.running.is_up
            found = "had stopped and was started again" if had_stopped else "is healthy; nothing was recreated"
            return f"{runs} already and {found}.{not_compared(plan.target.contents)}"
        if plan.previous is None:
            return f"{runs}; {first_deployment(self.last)}."
        if plan.previous.id == plan.candidate.id:
            why = "`force-recreate` is true" if self.settings.force_recreate else why_anew(plan.running, container)
            return f"{runs}, as before; its container was made anew, since {why}."
        return f"{runs}; it ran {self.name(plan.previous)} before."
