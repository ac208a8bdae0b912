"""Behind what this host serves: production's tag in the registry names the same, after a promotion and a rollback."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from freshness.core.check import CheckName
from freshness.core.deployment import Deployment
from freshness.core.promotion import PromotionOutcome
from freshness.core.registry_name import MovingTag, Reference
from freshness.errors import FreshnessError, Interrupted, Refused, RegistryError
from freshness.promotion.deployment_record import known_of, record_reference
from freshness.promotion.host import Host
from freshness.promotion.plan import Plan
from freshness.promotion.registry_lock import lock_tags
from freshness.promotion.registry_move import Move, name_of
from freshness.promotion.request import Request, Result, why
from freshness.promotion.subject import Application, source_of
from freshness.promotion.work import Work
from freshness.report.run_log import RunLog

_SERVED = frozenset({PromotionOutcome.PROMOTED, PromotionOutcome.UNCHANGED})
_UNKNOWN = "what is gone back to was not promoted by its digest"


class Place(NamedTuple):
    """A service as records name it, and the image that a promotion brings it on this host."""

    project: str
    service: str
    image: str


def follow_in_registry(result: Result, request: Request, works: Sequence[Work], run: RunLog) -> Result:
    """Once all hosts serve what the `request` wants, the tags name it too. What fails there takes nothing back here."""
    tag, is_served = request.settings.registry.tag, result.outcome in _SERVED
    if tag is None or not is_served:
        return result
    try:
        for place in zip(*(_places(work.host) for work in works), strict=True):
            _follow(tag, place, request, works, run)
    except (FreshnessError, Interrupted) as error:
        told = f"{result.reason} The tag in the registry may not name it. {why(run, error)} Then run this again."
        result = replace(result, outcome=PromotionOutcome.ERROR, reason=told, exit_status=error.exit_status)
    return replace(result, checks=run.checks)


def is_behind(host: Host, run: RunLog) -> bool:
    """Whether a rollback was cut before the registry's tags followed, so that one still names what it has left.

    It is finished then, and this one goes no further, as it may be that one again. What is named with `--to` is meant.
    """
    request = host.request
    tag = request.settings.registry.tag
    if tag is None or not request.is_rollback or request.rollback_to:
        return False
    try:
        return any(_names_left(tag, known_of(host.engine, *place[:2]), request) for place in _places(host))
    except FreshnessError as error:  # which keeps nobody from a way back
        run.note(f"Whether {tag} in the registry names what production runs is not known: {error.args[0]}")
        return False


def catch_up(request: Request, works: Sequence[Work], run: RunLog) -> Result:
    """What a rollback that was cut has not done any more."""
    reason = (
        f"Production runs what an earlier rollback brought. That was cut before {request.settings.registry.tag} in the"
        " registry followed: now it does. Run this again to go further back."
    )
    return follow_in_registry(Result.of(run, PromotionOutcome.UNCHANGED, reason), request, works, run)


def _names_left(tag: MovingTag, known: Deployment, request: Request) -> bool:
    reference = Reference.parse(known.references.get(known.image, ""))
    left = {known.references.get(one.image, "").rpartition("@")[2] for one in known.kept if one.left} - {""}
    return reference is not None and Move.find(reference, tag, request).before_digest in left


def foresee_in_registry(host: Host, request: Request, plan: Plan | None) -> tuple[str, ...]:
    """What `follow_in_registry` would do after the plan, which is None where it is not known yet."""
    tag = request.settings.registry.tag
    if tag is None:
        return ()
    found: list[Reference | None] = [*request.settings.references]
    if request.is_rollback and plan:
        images = [change.move.candidate.id for change in plan.changes] or [plan.move.candidate.id]
        found = [
            Reference.parse(known_of(host.engine, *place[:2]).references.get(image, ""))
            for place, image in zip(_places(host), images, strict=True)
        ]
    return tuple(
        f"then tag {one.digest} as {name_of(tag, one.repository)} in the registry"
        if one
        else f"then no tag {tag} in a registry: {_UNKNOWN}"
        for one in dict.fromkeys(found)
    )


def _places(host: Host) -> list[Place]:
    subject = host.subject
    if isinstance(subject, Application):
        return [Place(one.target.project, one.service, one.source) for one in subject.services]
    return [Place("", subject.tag, subject.source)]


def _follow(tag: MovingTag, places: Sequence[Place], request: Request, works: Sequence[Work], run: RunLog) -> None:
    """`places` are those of one service on each host. The tag has a lock of its own: a run may move it alone."""
    with run.step(CheckName.IMAGE, "the digest by which it was promoted") as step:
        reference, known = _wanted(places, request, works)
        step.got = str(reference)
    name, engines = name_of(tag, reference.repository), {work.host.name: work.engine for work in works}
    with (
        lock_tags([name], engines, request, run) as leases,
        run.step(CheckName.TAG, f"{name} naming {reference.digest}") as step,
    ):
        move = _find(tag, reference, known, request)
        _require_one_commit(move, request)
        for lease in itertools.chain(*(work.leases for work in works), leases):
            lease.require()
        move.make()
        step.got = move.got


def _wanted(places: Sequence[Place], request: Request, works: Sequence[Work]) -> tuple[Reference, Deployment]:
    """What the tag is to name, and what is recorded. Raises RegistryError where nobody knows what it is to name."""
    project, service, _ = places[0]
    if request.is_rollback:
        known = known_of(works[0].engine, project, service)
        name = known.references.get(known.image, "")
    else:
        name = source_of(request.settings, service, {}) if project else request.settings.source_image or ""
        known, *_ = [record_reference(work.leases.any, *place, name) for place, work in zip(places, works, strict=True)]
    reference = Reference.parse(name)
    if reference is None:
        raise RegistryError(
            f"{_UNKNOWN}, so that nobody knows where the registry has it.",
            "Move the tag to its digest: promote HOST/NAME@sha256:… with `recreate: false`, and a reason in"
            " `allow-rollback`.",
        )
    return reference, known


def _find(tag: MovingTag, reference: Reference, known: Deployment, request: Request) -> Move:
    """Kept is what a rollback from here would go to: after one never what it has left.

    Else a promotion keeps what the tag names.
    """
    move = Move.find(reference, tag, request)
    back = Reference.parse(known.references.get(known.image_back, ""))
    digest = back.digest if back and back.repository == reference.repository else ""
    return move.keeping(digest, move.wanted if request.is_rollback else move.before)


def _require_one_commit(move: Move, request: Request) -> None:
    """Raises Refused where an index has images of several commits: this host has proven its own platform's."""
    label = request.settings.source.label
    said = {one.labels.get(label) for one in move.images()} if move.wanted.is_index else set()
    if len(said) > 1:
        raise Refused(
            f"{move.source.repository}@{move.wanted.digest} has images of {' and '.join(map(str, said))}.",
            "Build all its platforms from one commit, and gate that.",
        )
