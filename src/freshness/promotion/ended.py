"""How a promotion ended: the outcome, and what each Docker host runs then, in words and as values."""

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from freshness.core.promotion import PromotionOutcome
from freshness.errors import FreshnessError, Interrupted
from freshness.promotion.plan import Plan
from freshness.promotion.request import Result, why
from freshness.promotion.wording import what_serves_again
from freshness.promotion.work import Part
from freshness.report.run_log import RunLog

Images = Mapping[str, str]
_FINE = frozenset({PromotionOutcome.PROMOTED, PromotionOutcome.UNCHANGED})
_KNOWN = _FINE | {PromotionOutcome.ROLLED_BACK}


class Ended(Struct, frozen=True, kw_only=True):
    """The outcome and its reason. `runs` has the image of each service by the Engine's ID, where that is known."""

    outcome: PromotionOutcome
    reason: str
    runs: Mapping[str, Images] = field(default_factory=dict)


def with_candidates(parts: Sequence[Part]) -> dict[str, Images]:
    """Each host runs what was promoted, and that was proven."""
    return {part.work.engine.id: {one.service: one.move.candidate.id for one in part.plan.changes} for part in parts}


def as_before(parts: Sequence[Part], started: int) -> dict[str, Images]:
    """The first ones, which were `started`, were proven to run what ran before; the others run what they ran."""
    ran = {part.work.engine.id: _former(part.plan) for part in parts[:started]}
    return ran | {part.work.engine.id: _found(part.plan) for part in parts[started:]}


def _former(plan: Plan) -> Images:
    return {one.service: one.move.previous_id for one in plan.changes if one.move.previous}


def _found(plan: Plan) -> Images:
    up = {change.service: [one for one in change.running if one.is_up] for change in plan.changes}
    return {service: running[0].image_id for service, running in up.items() if running}


def in_words(part: Part, *, is_started: bool) -> str:
    """What a host runs that is `as_before`."""
    if not is_started:
        return "nothing was switched there."
    return what_serves_again(part.plan.changes, part.work.settings.source.label)


def result_of(
    parts: Sequence[Part], run: RunLog, ended: Ended, error: FreshnessError | Interrupted | None = None
) -> Result:
    """The end as the run tells it; `error` is what ended the operations."""
    outcome, reason, move, status = ended.outcome, ended.reason, parts[0].plan.move, None
    if isinstance(error, Interrupted) or (outcome is PromotionOutcome.ERROR and error):
        status = error.exit_status
    if error and (status is not None or outcome not in _FINE):
        reason = f"{why(run, error)} {reason}"
    image = move.candidate.id if outcome in _FINE else move.previous_id
    return Result.of(
        run,
        outcome,
        reason,
        status,
        image=move.tag,
        image_id=image if outcome in _KNOWN else "",
        images=ended.runs.get(parts[0].work.engine.id, {}) if outcome in _KNOWN else {},
        previous_image_id=move.previous_id,
        hosts={part.work.host.name: ended.runs.get(part.work.engine.id, {}) for part in parts if part.work.host.name},
    )
