"""Moves production's tag in a registry by digest: behind this host, or alone, where something else restarts it."""

from contextlib import ExitStack
from dataclasses import dataclass, replace

from freshness.core.check import CheckName
from freshness.core.image import Image
from freshness.core.lock import tag_lock
from freshness.core.manifest import Manifest, Platform
from freshness.core.promotion import PromotionOutcome
from freshness.core.registry_name import Reference
from freshness.core.retained import RetainedTags
from freshness.engine.client import Engine, connect
from freshness.engine.lock import Lease
from freshness.engine.lock_owner import new_lock, new_token
from freshness.engine.transfer import platform_of
from freshness.errors import FreshnessError, Interrupted, Refused, SettingsError
from freshness.promotion.ancestry import require_forward
from freshness.promotion.candidate import Choice
from freshness.promotion.request import Request, Result, why
from freshness.registry.client import Registry
from freshness.registry.credentials import find_credentials
from freshness.registry.held import describe_held
from freshness.registry.move import move_tag, previous_of
from freshness.report.run_log import RunLog

SECONDS = 900  # of the lock: the forge and Git answer while it is held


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """The `tag` of a registry's repository, what it is to name, and what it names: None where it names nothing."""

    registry: Registry
    tag: str
    wanted: Manifest
    before: Manifest | None

    @classmethod
    def find(cls, reference: Reference, request: Request) -> "Move":
        """Raises Refused where nothing is under the digest, RegistryError."""
        repository, tag = reference.repository, request.settings.registry.tag or ""
        registry = Registry(repository, find_credentials(repository.host, request.env))
        wanted = registry.require_manifest(reference.digest)
        return cls(registry=registry, tag=tag, wanted=wanted, before=registry.find_manifest(tag))

    @property
    def name(self) -> str:
        return f"{self.registry.repository}:{self.tag}"

    @property
    def before_digest(self) -> str:
        """Empty where it names nothing."""
        return self.before.digest if self.before else ""

    @property
    def is_done(self) -> bool:
        return self.before_digest == self.wanted.digest

    def image(self, manifest: Manifest, platform: Platform) -> Image:
        """What the guard and the ancestry are asked about. Raises Refused."""
        return Image(id=manifest.digest, labels=describe_held(self.registry, manifest, platform).labels)

    def __str__(self) -> str:
        if self.is_done:
            return f"nothing: {self.name} names {self.wanted.digest} already"
        kept = f", which {previous_of(self.tag)} names from then on" if self.before else ""
        return f"tag {self.wanted.digest} as {self.name}, in place of {self.before_digest or 'nothing'}{kept}"


def is_registrys_alone(request: Request) -> bool:
    """Whether a tag in the registry is all that moves.

    Raises SettingsError where one is to be moved, and there is no digest to move it to.
    """
    _require_references(request)
    settings = request.settings
    return settings.registry.tag is not None and not settings.recreate and settings.image is None


def _require_references(request: Request) -> None:
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


def promote_in_registry(request: Request, run: RunLog) -> Result:
    """The tags alone are moved, under a lock on this Engine; the guard holds by what the registry itself has."""
    engine = connect(request.env, request.settings.engine.timeout)
    run.found["daemon_id"] = engine.id
    references = request.settings.references
    with ExitStack() as stack:
        leases = [] if request.dry_run else _take_locks(references, engine, request, run, stack)
        try:
            moves = [_look(one, engine, request, run) for one in references]
        except Refused as refusal:
            return Result.ended(run, refusal)
        if request.dry_run:
            return Result.of(run, PromotionOutcome.UNCHANGED, "", ahead="\n".join(map(str, moves)))
        return _move_all(moves, leases, run)


def follow_in_registry(result: Result, request: Request, lease: Lease, run: RunLog) -> Result:
    """Once this host serves what was promoted, the tags name it too. What fails there takes nothing back here."""
    is_served = result.outcome in {PromotionOutcome.PROMOTED, PromotionOutcome.UNCHANGED}
    if request.settings.registry.tag is None or request.is_rollback or not is_served:
        return result
    try:
        for reference in request.settings.references:
            with run.step(CheckName.IMAGE, "an image in the registry") as step:
                move = Move.find(reference, request)
                step.got = str(reference)
            _move(move, [lease], run)
    except (FreshnessError, Interrupted) as error:
        told = f"{result.reason} The tag in the registry may not name it. {why(run, error)} Then run this again."
        result = replace(result, outcome=PromotionOutcome.ERROR, reason=told, exit_status=error.exit_status)
    return replace(result, checks=tuple(run.steps.checks))


def _take_locks(
    references: tuple[Reference, ...], engine: Engine, request: Request, run: RunLog, until: ExitStack
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
            say=run.log.say,
            token=token,
        )
        with run.step(CheckName.LOCK, f"{lock.name} for this run alone") as step:
            leases.append(until.enter_context(lock.take(settings.engine.lock_timeout)))
            step.got = "it is ours"
    return leases


def _look(reference: Reference, engine: Engine, request: Request, run: RunLog) -> Move:
    """Raises Refused where the image does not prove the commit, or leads back."""
    platform, tags = platform_of(engine), RetainedTags(repository=str(reference.repository))
    with run.step(CheckName.IMAGE, "an image in the registry") as step:
        move = Move.find(reference, request)
        candidate = move.image(move.wanted, platform)
        before = move.image(move.before, platform) if move.before else None
        step.got = str(reference)
    Choice(engine=engine, request=request, run=run, tags=tags, service=request.settings.service).prove(candidate)
    require_forward(request, run, before, candidate, None)
    return move


def _move_all(moves: list[Move], leases: list[Lease], run: RunLog) -> Result:
    first = moves[0]
    found = {"image": first.name, "previous_image_id": first.before_digest}
    try:
        for one in moves:
            _move(one, leases, run)
    except (FreshnessError, Interrupted) as error:
        reason = f"{why(run, error)} The tag may have moved, or not: run this again."
        return Result.of(run, PromotionOutcome.ERROR, reason, error.exit_status, **found)
    is_same = all(one.is_done for one in moves)
    named = "; ".join(f"{one.name} names {one.wanted.digest}" for one in moves)
    reason = f"{named}{' already' if is_same else ''}; nothing was pulled or recreated, as `recreate` is false."
    outcome = PromotionOutcome.UNCHANGED if is_same else PromotionOutcome.PROMOTED
    return Result.of(run, outcome, reason, None, image_id=first.wanted.digest, **found)


def _move(move: Move, leases: list[Lease], run: RunLog) -> None:
    digest = move.wanted.digest
    with run.step(CheckName.TAG, f"{move.name} naming {digest}") as step:
        for lease in leases:
            lease.require()
        move_tag(move.registry, move.tag, move.wanted, move.before)
        step.got = f"{digest} already" if move.is_done else f"{digest}, in place of {move.before_digest or 'nothing'}"
