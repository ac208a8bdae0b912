"""All refusals, in their order, before the first write; what passes them is a plan."""

import json
from dataclasses import dataclass, replace

from freshness.core.check import CheckName
from freshness.core.configuration import not_restored
from freshness.core.deployment import Role
from freshness.core.image import Image
from freshness.core.lock import Record
from freshness.core.promotion import name_revision
from freshness.core.retained import RetainedImage
from freshness.engine.base import find_base
from freshness.engine.client import Engine
from freshness.engine.compose import ComposeFile
from freshness.engine.conflicts import refuse_conflicts
from freshness.engine.deployments import read_deployment
from freshness.engine.health import require_health_source, require_probeable
from freshness.engine.images import find_tagged
from freshness.engine.probe_address import Prober, find_prober
from freshness.errors import Refused
from freshness.promotion.acquire import Host
from freshness.promotion.ancestry import require_forward
from freshness.promotion.candidate import Choice
from freshness.promotion.change import Change, Make
from freshness.promotion.configuration import Today
from freshness.promotion.loss import find_ran, refuse_loss
from freshness.promotion.observe import Scene, find_change, find_move, look
from freshness.promotion.plan import Plan, retag_plan, rollout_plan
from freshness.promotion.request import PromotionLog, Request, Result
from freshness.promotion.subject import TagAlone
from freshness.promotion.wording import refuse_missing
from freshness.target.mounts import MountCheck, Overlay
from freshness.target.ownership import Ownership, refuse_borrowed_labels


def plan_for(host: Host, log: PromotionLog, undo_to: Record | None) -> Plan | Result:
    """The plan, or the refusal. Raises what kept it from being decided.

    A refusal is an exception below this line, since the Engine, Git and the forge refuse as well, for the gate too.
    """
    try:
        if isinstance(host.subject, TagAlone):
            return _plan_tag(host, host.subject, log)
        return _plan_service(host, host.subject, log, undo_to)
    except Refused as refusal:
        return log.ended(refusal)


def _plan_tag(host: Host, subject: TagAlone, log: PromotionLog) -> Plan:
    engine, request, tags = host.engine, host.request, subject.retained_tags
    recorded, named = read_deployment(engine, "", subject.tag), find_tagged(engine, subject.tag)
    choice = Choice(engine=engine, request=request, log=log, tags=tags)
    candidate, chosen = choice.find(subject.source, named.id if named else "", "", recorded)
    choice.prove(candidate)
    choice.require_staged(subject.staging_project, candidate)
    ancestry = require_forward(request, log, named, candidate, None if named else recorded)
    move = find_move(engine, subject.tag, tags, candidate, goes_back=_goes_back(chosen))
    return retag_plan(move, request.settings.keep_images, ancestry)


def _plan_service(host: Host, today: Today, log: PromotionLog, undo_to: Record | None) -> Plan:
    engine, request = host.engine, host.request
    scene = look(engine, today.target.project, today.target.service, undo_to)
    choice = Choice(engine=engine, request=request, log=log, tags=today.retained_tags, project=today.target.project)
    candidate, chosen = choice.find(today.source, scene.runs, scene.known, scene.recorded)
    choice.prove(candidate)
    if not request.is_rollback:  # which goes back to what ran already
        log.warning("Labels of Compose", refuse_borrowed_labels(candidate))
    choice.require_staged(today.staging_project, candidate)
    look_at = _Look(
        engine=engine, request=request, log=log, today=today, scene=scene, prober=find_prober(engine, request.env)
    )
    change = look_at.change(choice, candidate, chosen)
    ancestry = require_forward(request, log, change.move.previous, candidate, scene.last)
    return rollout_plan((change,), request.settings, ancestry)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """The look at one service: whether the candidate may take the place of what stands there."""

    engine: Engine
    request: Request
    log: PromotionLog
    today: Today
    scene: Scene
    prober: Prober

    def change(self, choice: Choice, candidate: Image, chosen: RetainedImage | None) -> Change:
        """What becomes of the service. Raises Refused."""
        label, make = self.request.settings.revision_label, self._make(candidate, chosen)
        overlay = self._require_open(make, candidate)
        with self.log.step(CheckName.OWNER, "a name and a port that are free or production's own") as step:
            self._require_ours(make)
            choice.warn_of_shared()
            step.got = f"{make.target.service} of the project {make.target.project}"
        with self.log.step(CheckName.LOSS, "values, files and a way back that stay") as step:
            change = find_change(
                self.engine,
                self.scene,
                self.today,
                make,
                candidate,
                goes_back=_goes_back(chosen),
                mounted=overlay.targets,
            )
            self._refuse_loss(make, candidate)
            previous = change.move.previous
            step.got = (
                f"production runs {name_revision(previous, label)}" if previous else "production runs nothing yet"
            )
        self._look_at_mounts(make)
        with self.log.step(
            CheckName.HEALTH_QUESTION, "a health path or a HEALTHCHECK, for the way back as well"
        ) as step:
            health = self.request.settings.health
            require_health_source(health, make.target, candidate, previous, change.former.target)
            step.got = health.wanted
        return change

    def _make(self, candidate: Image, chosen: RetainedImage | None) -> Make:
        """What a rollback goes back to is image and configuration; a promotion is of today's files."""
        today, known = self.today, self.scene.known
        if chosen:
            if not chosen.configuration:
                self.log.note(f"What {candidate.id} ran with was not recorded: it runs with today's Compose file.")
            return today.make(chosen.configuration or today.configuration)
        if known and candidate.id == self.scene.runs and today.means(known, self.request.env):
            return Make(target=today.target, source=today.file, configuration=known)
        return today.make(today.configuration)

    def _require_open(self, make: Make, candidate: Image) -> Overlay:
        """What is mounted over the image, today or as it ran. Raises Refused where that hides what was proven."""
        settings, engine, overlay = self.request.settings, self.engine, self.today.overlay
        if make.is_as_it_ran:
            overlay = Overlay.of(json.loads(make.configuration), settings.service, settings.allow_mounts)
        with self.log.step(CheckName.MOUNTS, "no mount that hides what was built") as step:
            cover = MountCheck(
                engine=engine,
                image_id=candidate.id,
                overlay=overlay,
                find_base=lambda: find_base(engine, candidate.id, settings.revision_label, make.target.repository),
                is_elsewhere=not engine.is_local or self.prober.job is not None,
            )
            cover.require_uncovered()
            step.got = cover.summary
        for note in cover.notes:
            self.log.note(note)
        for warning in cover.unmounted_volumes():
            self.log.warning("Production's mounts", f"The image of production: {warning}")
        return overlay

    def _require_ours(self, make: Make) -> None:
        """Raises Stale where what stands there today, or what is in the way of the target, is not production's."""
        require_probeable(self.engine, self.request.settings.health, make.target, self.prober)
        note = ownership(self.request, self.today).require(self.engine)
        refuse_conflicts(self.engine, make.target, self.prober)
        self.log.warning("adopt", note)

    def _refuse_loss(self, make: Make, candidate: Image) -> None:
        """Raises Refused where today's files would leave behind what runs, or ran last, has."""
        ran = find_ran(self.scene, make.target.service)
        if ran is None or not isinstance(make.source, ComposeFile):
            return
        mounts, allowed = self.today.overlay.mounts, self.request.settings.allow_empty
        refuse_loss(self.engine, ran, make.target, make.source, mounts=mounts, allowed=allowed, candidate=candidate)

    def _look_at_mounts(self, make: Make) -> None:
        """Raises Refused where a run beside the Engine sees that what would be mounted again is gone."""
        if not make.is_as_it_ran:
            return
        if self.engine.is_local and self.prober.job is None:
            refuse_missing(make.configuration)
        self.log.note(not_restored(make.configuration))


def _goes_back(chosen: RetainedImage | None) -> bool:
    """Whether it is a rollback that leaves what it goes past: one to what another has left goes forward again."""
    return chosen is not None and not chosen.left


def ownership(request: Request, today: Today) -> Ownership:
    """Whose the target is, by today's files, or by those that the record names."""
    found = Ownership.of(request.settings, request.run_env, today.target, today.file, Role.PRODUCTION)
    return replace(found, claim=replace(found.claim, files=today.recorded_files)) if today.recorded_files else found
