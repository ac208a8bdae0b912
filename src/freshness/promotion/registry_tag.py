"""Moves production's tag in a registry by digest: behind this host, or alone, where something else restarts it."""

from contextlib import ExitStack
from dataclasses import dataclass, replace

from freshness.core.check import CheckName
from freshness.core.image import Image
from freshness.core.lock import tag_lock
from freshness.core.manifest import Platform
from freshness.core.promotion import PromotionOutcome, name_revision
from freshness.core.registry_name import Reference
from freshness.core.retained import RetainedTags
from freshness.engine.client import Engine, connect
from freshness.engine.lock import Lease
from freshness.engine.lock_owner import new_lock, new_token
from freshness.engine.transfer import platform_of
from freshness.errors import FreshnessError, Interrupted, Refused, SettingsError
from freshness.promotion.ancestry import require_forward
from freshness.promotion.candidate import Choice
from freshness.promotion.request import PromotionLog, Request, Result
from freshness.registry.client import Registry
from freshness.registry.credentials import find_credentials
from freshness.registry.held import read_held
from freshness.registry.move import move_tag, previous_of

SECONDS = 900  # of the lock: the forge and Git answer while it is held


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """The `tag` of a registry's repository, what it is to name, and what it names: None where it names nothing."""

    registry: Registry
    tag: str
    candidate: Image
    before: Image | None

    @property
    def name(self) -> str:
        return f"{self.registry.repository}:{self.tag}"

    @property
    def before_id(self) -> str:
        """Empty where it names nothing."""
        return self.before.id if self.before else ""

    def __str__(self) -> str:
        if self.before_id == self.candidate.id:
            return f"nothing: {self.name} names {self.candidate.id} already"
        kept = f", which {previous_of(self.tag)} names from then on" if self.before else ""
        return f"tag {self.candidate.id} as {self.name}, in place of {self.before_id or 'nothing'}{kept}"


def require_references(request: Request) -> None:
    """Raises SettingsError where a registry's tag is to be moved, and there is no digest to move it to."""
    settings, tag = request.settings, request.settings.registry.tag
    if tag is None or (request.is_rollback and settings.recreate):
        return
    if request.is_rollback:
        raise SettingsError(
            "`recreate` (RECREATE) is false, so that no image on this Engine is known to go back to.",
            f"Promote the digest that {previous_of(tag)} names in the registry, with a reason in `allow-rollback`.",
        )
    told = [*settings.source_images.values()] or [settings.source_image or ""]
    if not all(map(Reference.parse, told)):
        raise SettingsError(
            f"`registry-tag` (REGISTRY_TAG) is {tag!r}, and no image is named by its digest in a registry.",
            "Give the gate's output `digests` in `source-images`, or HOST/NAME@sha256:… in `source-image`.",
        )


def promote_in_registry(request: Request, log: PromotionLog) -> Result:
    """The tags alone are moved, under a lock on this Engine; the guard holds by what the registry itself has."""
    engine = connect(request.env, request.settings.engine_timeout)
    log.found["daemon_id"] = engine.id
    references = request.settings.references
    with ExitStack() as stack:
        leases = [] if request.dry_run else _take_locks(references, engine, request, log, stack)
        try:
            moves = [_look(one, engine, request, log) for one in references]
        except Refused as refusal:
            return log.ended(refusal)
        if request.dry_run:
            return log.result(PromotionOutcome.UNCHANGED, "", ahead="\n".join(map(str, moves)))
        return _move_all(moves, leases, request, log)


def follow_in_registry(result: Result, request: Request, lease: Lease, log: PromotionLog) -> Result:
    """Once this host serves what was promoted, the tags name it too. What fails there takes nothing back here."""
    is_served = result.outcome in {PromotionOutcome.PROMOTED, PromotionOutcome.UNCHANGED}
    if request.settings.registry.tag is None or request.is_rollback or not is_served:
        return result
    try:
        for reference in request.settings.references:
            _move(_open(reference, request), reference.digest, [lease], request, log)
    except (FreshnessError, Interrupted) as error:
        told = f"{result.reason} The tag in the registry may not name it. {log.why(error)} Then run this again."
        result = replace(result, outcome=PromotionOutcome.ERROR, reason=told, exit_status=error.exit_status)
    return replace(result, checks=tuple(log.steps.checks))


def _take_locks(
    references: tuple[Reference, ...], engine: Engine, request: Request, log: PromotionLog, until: ExitStack
) -> list[Lease]:
    """One for each tag, in the order in which all runs take them."""
    settings, token = request.settings, new_token()
    leases = []
    for name in sorted({f"{one.repository}:{settings.registry.tag}" for one in references}):
        lock = new_lock(
            engine,
            tag_lock(name),
            command="freshness promote",
            revision=settings.expected_revision,
            seconds=SECONDS,
            env=request.run_env,
            say=log.log.say,
            token=token,
        )
        with log.step(CheckName.LOCK, f"{lock.name} for this run alone") as step:
            leases.append(until.enter_context(lock.take(settings.lock_timeout)))
            step.got = "it is ours"
    return leases


def _open(reference: Reference, request: Request) -> Registry:
    repository = reference.repository
    return Registry(repository, find_credentials(repository.host, request.env))


def _look(reference: Reference, engine: Engine, request: Request, log: PromotionLog) -> Move:
    """Raises Refused where the image does not prove the commit, or leads back."""
    registry, tag, platform = _open(reference, request), request.settings.registry.tag or "", platform_of(engine)
    with log.step(CheckName.IMAGE, "an image in the registry") as step:
        candidate = _read(registry, reference.digest, platform)
        named = registry.find_manifest(tag)
        before = _read(registry, named.digest, platform) if named else None
        step.got = str(reference)
    choice = Choice(
        engine=engine,
        request=request,
        log=log,
        tags=RetainedTags(repository=str(reference.repository)),
        service=request.settings.service,
    )
    choice.prove(candidate)
    require_forward(request, log, before, candidate, None)
    return Move(registry=registry, tag=tag, candidate=candidate, before=before)


def _read(registry: Registry, digest: str, platform: Platform) -> Image:
    return Image(id=digest, labels=read_held(registry, digest, platform).labels)


def _move_all(moves: list[Move], leases: list[Lease], request: Request, log: PromotionLog) -> Result:
    first, before = moves[0], [one.before_id for one in moves]
    found = {"image": first.name, "previous_image_id": first.before_id}
    try:
        for one in moves:
            _move(one.registry, one.candidate.id, leases, request, log)
    except (FreshnessError, Interrupted) as error:
        reason = f"{log.why(error)} The tag may have moved, or not: run this again."
        return log.result(PromotionOutcome.ERROR, reason, error.exit_status, **found)
    is_same = before == [one.candidate.id for one in moves]
    named = "; ".join(
        f"{one.name} names {name_revision(one.candidate, request.settings.revision_label)}" for one in moves
    )
    reason = f"{named}{' already' if is_same else ''}; nothing was pulled or recreated, as `recreate` is false."
    outcome = PromotionOutcome.UNCHANGED if is_same else PromotionOutcome.PROMOTED
    return log.result(outcome, reason, None, image_id=first.candidate.id, **found)


def _move(registry: Registry, digest: str, leases: list[Lease], request: Request, log: PromotionLog) -> None:
    tag = request.settings.registry.tag or ""
    with log.step(CheckName.TAG, f"{registry.repository}:{tag} naming {digest}") as step:
        for lease in leases:
            lease.require()
        before = move_tag(registry, tag, digest)
        step.got = f"{digest} already" if before == digest else f"{digest}, in place of {before or 'nothing'}"
