"""What a run would do, step by step with its reason, once all its refusals are behind it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from freshness.core.decision import explain
from freshness.core.lock import HeldLock, Record
from freshness.errors import FreshnessError
from freshness.report.publish import Publisher
from freshness.report.steps import Steps, wrap_unexpected_errors
from freshness.settings.model import PromoteSettings, UpdateOrder

if TYPE_CHECKING:  # it brings docker
    from freshness.promotion.plan import Plan


class Story(Protocol):
    """A gate, a promotion or a retag."""

    @property
    def steps(self) -> Steps:
        """The checks so far."""

    @property
    def notes(self) -> list[str]:
        """What is to be told besides."""

    def look_ahead(self) -> Iterator[str]:
        """All refusals, and then the steps to come. Raises FreshnessError."""


def look_ahead(publisher: Publisher, story: Story) -> int:
    """Says in the log what would happen, or why nothing would; the exit status. The outputs stay closed."""
    why, status, ahead = "", 0, list[str]()
    try:
        with wrap_unexpected_errors():
            ahead.extend(story.look_ahead())
    except FreshnessError as error:
        why, status = explain(story.steps.checks) if story.steps.exit_status else str(error), error.exit_status
    numbered = "\n".join(f"{number}. {step}" for number, step in enumerate(ahead, start=1))
    publisher.show(story.steps.checks, story.notes)
    show_ahead(publisher, numbered, why)
    return status


def show_ahead(publisher: Publisher, ahead: str, why: str) -> None:
    """Says in the log the plan, or `why` nothing would happen."""
    if why:
        publisher.log.error(f"{publisher.command}: dry run", f"Nothing was written. It would end here. {why}")
        return
    publisher.log.say(f"Dry run: nothing was written. Nothing speaks against it; it would\n{ahead}", loud=True)


def cut_ahead(held: HeldLock) -> Iterator[str]:
    """The steps where a run was cut in the middle: more cannot be told, since what production is will change."""
    yield f"take over from {held.owner}, which ended in the middle since {held.since}"
    yield "finish what that began where its image serves, or undo it, with the same proofs as any promotion"
    yield "begin anew, with all refusals: ask again then, since nobody knows yet what production will run"


def promotion_ahead(plan: "Plan", settings: PromoteSettings, held: HeldLock | None) -> Iterator[str]:
    """The steps of a promotion."""
    target, candidate = plan.target, plan.candidate.id
    yield from _lock_ahead(held, f"{target.service} of {target.project}")
    yield f"tag {candidate} as {target.image}: by its ID, so that a tag that moves meanwhile changes nothing"
    yield from _kept_ahead(plan, settings.keep_images)
    if plan.previous and plan.previous.id == candidate and not settings.force_recreate:
        yield f"let Compose look at {target.service}: it runs that image already, and is recreated only if it changed"
    elif settings.update_order is UpdateOrder.START_FIRST:
        yield f"start a second container of {target.service} beside the first: the old one serves until it is proven"
    else:
        yield f"recreate {target.service} with Compose, and nothing else: no dependency, no build, no pull"
    yield f"wait up to {settings.health.deadline:g} s for health: what is not healthy is taken back"
    yield "look that the container, its image and the tag agree: what cannot be proven is taken back"
    yield f"ask for health once more when it has run for {settings.health.hold:g} s: what does not last is taken back"
    if plan.running and settings.update_order is UpdateOrder.START_FIRST:
        yield f"retire the old one when both have served for {settings.update_overlap:g} s: the proxy finds the new one"
    let_go = plan.kept_then[settings.keep_images :]
    if let_go:
        yield f"let go {', '.join(let_go)}: `keep-images` is {settings.keep_images}"


def _kept_ahead(plan: "Plan", keep: int) -> Iterator[str]:
    for number, image_id in enumerate(plan.kept_then[:keep], start=1):
        if image_id not in plan.kept[number - 1 : number]:
            why = "so that `freshness rollback` finds it" if number == 1 else "it moves back by one"
            yield f"keep {image_id} as {plan.kept_tags.name(number)}: {why}"


def retag_ahead(record: Record, held: HeldLock | None) -> Iterator[str]:
    """The steps of a mere retag."""
    yield from _lock_ahead(held, record.tag)
    if record.previous == record.candidate:
        yield f"leave {record.tag} where it is: it names {record.candidate} already"
        return
    yield f"tag {record.candidate} as {record.tag}: by its ID, and nothing is recreated, as `recreate` is false"
    if record.previous:
        yield f"keep {record.previous} under a tag of its own: so that `freshness rollback` finds it"


def _lock_ahead(held: HeldLock | None, what: str) -> Iterator[str]:
    if held:
        yield f"wait for {held.owner}, which holds {what} since {held.since}; what it left half done comes first"
    yield f"hold {what} with a volume on the Docker host that says what is begun: one run at a time, and none is lost"
