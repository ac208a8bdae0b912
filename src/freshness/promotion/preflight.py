"""All refusals, in their order, before the first write anywhere; what passes them is a plan for each Docker host."""

import json
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from freshness.core.check import CheckName
from freshness.core.configuration import not_restored
from freshness.core.deployment import Role
from freshness.core.image import Image, same_tag
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
from freshness.errors import Refused
from freshness.promotion.ancestry import require_forward
from freshness.promotion.candidate import Choice
from freshness.promotion.change import Change, Make
from freshness.promotion.configuration import Today
from freshness.promotion.host import Host
from freshness.promotion.jobs import with_jobs
from freshness.promotion.loss import find_ran, refuse_loss
from freshness.promotion.observe import Scene, find_change, find_move, look
from freshness.promotion.plan import Plan, retag_plan, rollout_plan
from freshness.promotion.request import Request, Result
from freshness.promotion.subject import Application, TagAlone
from freshness.promotion.wording import refuse_missing
from freshness.report.run_log import RunLog
from freshness.target.mounts import MountCheck, Overlay
from freshness.target.ownership import Ownership, refuse_borrowed_labels


def plan_for(
    hosts: Sequence[Host], run: RunLog, undo_to: Mapping[str, Mapping[str, Record]]
) -> Sequence[Plan] | Result:
    """A plan for each host, or the refusal. `undo_to` are by the Engine's ID, and by the lock.

    Raises what kept it from being decided. A refusal is an exception below this line, since the Engine, Git and the
    forge refuse as well, for the gate too.
    """
    plans = list[Plan]()
    try:
        for host in hosts:
            like = plans[0].chosen if plans else None
            plans.append(_plan(host, host.run(run), undo_to.get(host.engine.id, {}), like))
        plans[0] = with_jobs(hosts[0], plans, run)
    except Refused as refusal:
        return Result.ended(run, refusal)
    return plans


def _plan(host: Host, run: RunLog, undo_to: Mapping[str, Record], like: RetainedImage | None) -> Plan:
    """`like` is what another host goes back to: this one goes back together with it."""
    if isinstance(host.subject, TagAlone):
        return _plan_tag(host, host.subject, run, like)
    return _plan_application(host, host.subject, run, undo_to, like)


def _plan_tag(host: Host, subject: TagAlone, run: RunLog, like: RetainedImage | None) -> Plan:
    engine, request, tags = host.engine, host.request, subject.retained_tags
    recorded, named = read_deployment(engine, "", subject.tag), find_tagged(engine, subject.tag)
    choice = Choice(
        engine=engine,
        request=request,
        run=run,
        tags=tags,
        service=request.settings.service,
        like=like,
        like_at=host.first,
    )
    candidate, chosen = choice.find(subject.source, named.id if named else "", "", recorded)
    choice.prove(candidate)
    choice.require_staged(subject.staging_project, candidate)
    ancestry = require_forward(request, run, named, candidate, None if named else recorded)
    move = find_move(engine, subject.tag, tags, candidate, goes_back=_goes_back(chosen))
    return replace(retag_plan(move, request.settings.keep_images, ancestry), chosen=chosen)


def _plan_application(
    host: Host, application: Application, run: RunLog, undo_to: Mapping[str, Record], like: RetainedImage | None
) -> Plan:
    request, picks = host.request, list[Pick]()
    for today in application.services:
        scene = look(host.engine, today.target.project, today.service, undo_to.get(today.lock))
        choice = Choice(
            engine=host.engine,
            request=request,
            run=run,
            tags=today.retained_tags,
            service=today.service,
            project=today.target.project,
            like=picks[0].chosen if picks else like,
            like_at="" if picks else host.first,
        )
        candidate, chosen = choice.find(today.source, scene.runs, scene.known, scene.recorded)
        picks.append(Pick(today=today, scene=scene, choice=choice, candidate=candidate, chosen=chosen))
    _refuse_shared_tags(picks)
    _prove(picks, run, is_rollback=request.is_rollback)
    chosen, changes = picks[0].chosen, list[Change]()
    for pick in picks:
        pick.choice.require_staged(pick.today.staging_project, pick.candidate)
        look_at = _Look(host=host, run=run, application=application, pick=pick, goes_back=_goes_back(chosen))
        changes.append(look_at.change())
    ancestry = _require_forward(request, run, picks, changes)
    return replace(rollout_plan(changes, request.settings, ancestry), chosen=chosen)


class Pick(Struct, frozen=True, kw_only=True):
    """The image that one service gets, and what it goes back to where it is a rollback."""

    today: Today
    scene: Scene
    choice: Choice
    candidate: Image
    chosen: RetainedImage | None


def _refuse_shared_tags(picks: Sequence[Pick]) -> None:
    """Raises Refused where one tag would have to name two images."""
    for number, one in enumerate(picks):
        for other in picks[:number]:
            tag = one.today.target.image
            if same_tag(tag, other.today.target.image) and one.candidate.id != other.candidate.id:
                raise Refused(
                    f"{other.today.service} and {one.today.service} both run {tag}, and are to get"
                    f" {other.candidate.id} and {one.candidate.id}.",
                    "Give each an `image:` of its own, or promote one image to both.",
                )


def _prove(picks: Sequence[Pick], run: RunLog, *, is_rollback: bool) -> None:
    """Each image once: the commit, and that it brings no labels of Compose."""
    for pick in {pick.candidate.id: pick for pick in picks}.values():
        pick.choice.prove(pick.candidate)
        if not is_rollback:  # which goes back to what ran already
            run.warn("Labels of Compose", refuse_borrowed_labels(pick.candidate))


def _require_forward(request: Request, run: RunLog, picks: Sequence[Pick], changes: Sequence[Change]) -> str:
    """Of each image that runs once; what is said is of the first. Raises Refused where one would go back."""
    said, label, seen = list[str](), request.settings.source.label, set[str | None]()
    for pick, change in zip(picks, changes, strict=True):
        previous = change.move.previous
        known = previous.revision(label) if previous else None
        if known is None or known not in seen:
            said.append(require_forward(request, run, previous, pick.candidate, pick.scene.last))
            seen.add(known)
    return said[0]


class _Look(Struct, frozen=True, kw_only=True):
    """The look at one service: whether the candidate may take the place of what stands there."""

    host: Host
    run: RunLog
    application: Application
    pick: Pick
    goes_back: bool

    @property
    def engine(self) -> Engine:
        return self.host.engine

    @property
    def request(self) -> Request:
        return self.host.request

    @property
    def today(self) -> Today:
        return self.pick.today

    @property
    def scene(self) -> Scene:
        return self.pick.scene

    def change(self) -> Change:
        """What becomes of the service. Raises Refused."""
        candidate = self.pick.candidate
        label, make = self.request.settings.source.label, self._make(candidate, self.pick.chosen)
        overlay = self._require_open(make, candidate)
        with self.run.step(CheckName.OWNER, "a name and a port that are free or production's own") as step:
            self._require_ours(make)
            self.pick.choice.warn_of_shared()
            step.got = f"{make.target.service} of the project {make.target.project}"
        with self.run.step(CheckName.LOSS, "values and files that stay, and an image to roll back to") as step:
            change = find_change(
                self.engine,
                self.scene,
                self.today,
                make,
                candidate,
                goes_back=self.goes_back,
                mounted=overlay.targets,
            )
            self._refuse_loss(make, candidate)
            previous = change.move.previous
            step.got = (
                f"production runs {name_revision(previous, label)}" if previous else "production runs nothing yet"
            )
        self._look_at_mounts(make)
        with self.run.step(CheckName.HEALTH_PROBE, "a health path or a HEALTHCHECK, for a rollback as well") as step:
            health = make.health
            require_health_source(health, make.target, candidate, previous, change.former.target)
            step.got = health.wanted
        return change

    def _make(self, candidate: Image, chosen: RetainedImage | None) -> Make:
        """What a rollback goes back to is image and configuration; a promotion is of today's files."""
        today, known = self.today, self.scene.known
        if chosen:
            if not chosen.configuration:
                self.run.note(f"What {candidate.id} ran with was not recorded: it runs with today's Compose file.")
            return today.make(chosen.configuration or today.configuration)
        if known and candidate.id == self.scene.runs and today.means(known, self.request.env):
            return replace(today.make(today.configuration), configuration=known)
        return today.make(today.configuration)

    def _require_open(self, make: Make, candidate: Image) -> Overlay:
        """What is mounted over the image, today or as it ran. Raises Refused where that hides what was proven."""
        settings, engine, overlay = self.request.settings, self.engine, self.today.overlay
        if make.is_as_it_ran:
            overlay = Overlay.of(json.loads(make.configuration), self.today.service, settings.exceptions.mounts)
        with self.run.step(CheckName.MOUNTS, "no mount that hides what was built") as step:
            cover = MountCheck(
                engine=engine,
                image_id=candidate.id,
                overlay=overlay,
                find_base=lambda: find_base(engine, candidate.id, settings.source.label, make.target.repository),
                is_elsewhere=not engine.is_local or self.host.prober.job is not None,
            )
            cover.require_uncovered()
            step.got = cover.summary
        for note in cover.notes:
            self.run.note(note)
        for warning in cover.unmounted_volumes():
            self.run.warn("Production's mounts", f"The image of production: {warning}")
        return overlay

    def _require_ours(self, make: Make) -> None:
        """Raises Stale where what stands there today, or what is in the way of the target, is not production's."""
        require_probeable(self.engine, make.health, make.target, self.host.prober)
        note = ownership(self.request, self.today).require(self.engine)
        refuse_conflicts(self.engine, make.target, self.host.prober, self.application.members)
        self.run.warn("adopt", note)

    def _refuse_loss(self, make: Make, candidate: Image) -> None:
        """Raises Refused where today's files would leave behind what runs, or ran last, has."""
        ran = find_ran(self.scene, make.target.service)
        if ran is None or not isinstance(make.source, ComposeFile):
            return
        mounts, allowed = self.today.overlay.mounts, self.request.settings.exceptions.empty
        refuse_loss(self.engine, ran, make.target, make.source, mounts=mounts, allowed=allowed, candidate=candidate)

    def _look_at_mounts(self, make: Make) -> None:
        """Raises Refused where a run beside the Engine sees that what would be mounted again is gone."""
        if not make.is_as_it_ran:
            return
        if self.engine.is_local and self.host.prober.job is None:
            refuse_missing(make.configuration)
        self.run.note(not_restored(make.configuration))


def _goes_back(chosen: RetainedImage | None) -> bool:
    """Whether it is a rollback that leaves what it goes past: one to what another has left goes forward again."""
    return chosen is not None and not chosen.left


def ownership(request: Request, today: Today) -> Ownership:
    """Whose the target is, by today's files, or by those that the record names."""
    found = Ownership.of(request.settings, request.run_env, today.target, today.file, Role.PRODUCTION)
    return replace(found, claim=replace(found.claim, files=today.recorded_files)) if today.recorded_files else found
