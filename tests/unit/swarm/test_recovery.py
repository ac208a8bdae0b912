"""What a killed run left is told by labels, update and lock; and each undo by what the service has now."""

import pytest

from freshness.core.swarm import Service
from freshness.core.swarm_record import Deployed, Ran
from freshness.core.swarm_recovery import find_left, former, require_named
from freshness.core.swarm_way_back import Way, way_back
from freshness.errors import Refused
from tests.support.swarm_answers import BEFORE, COMMIT, NEW, OLD, OTHER, RUN, a_service

DEAD = frozenset({RUN})
MADE = Deployed(
    run=RUN, by="ada", url="", now=Ran(image=NEW, revision=COMMIT), before=Ran(image=OLD, revision=BEFORE),
    together=("shop",), previous=(Ran(image=OLD, revision=BEFORE), Ran(image=OTHER)),
)  # fmt: skip


def test_what_the_dead_run_wrote_is_to_be_finished_or_undone() -> None:
    """Breaks when the state of the update alone tells: a completed one may be unproven."""
    service = a_service(labels=MADE.labels, state="completed")

    left = find_left([service], DEAD)

    assert (left.written, left.unsettled, left.is_whole) == ((service,), (), True)


@pytest.mark.parametrize(
    ("service", "dead"),
    [
        (a_service(labels=MADE.labels, state="completed"), frozenset[str]()),  # it ended well
        (a_service(labels=MADE.labels, state="completed"), frozenset({"2" * 32})),  # killed before its write
        (a_service(OTHER, labels=MADE.labels, state="completed"), DEAD),  # somebody deployed another one since
        (a_service(OTHER, labels={}, state="updating"), frozenset[str]()),  # somebody else is at work
    ],
)
def test_what_no_dead_run_of_ours_wrote_is_left_alone(service: Service, dead: frozenset[str]) -> None:
    left = find_left([service], dead)

    assert (left.written, left.unsettled) == ((), ())


@pytest.mark.parametrize("state", ["updating", "paused", "rollback_started", "rollback_paused"])
def test_a_way_back_that_is_under_way_is_waited_for(state: str) -> None:
    """Breaks when the labels from before, which the way back brings, hide it."""
    service = a_service(OLD, labels={}, state=state)

    assert find_left([service], DEAD).unsettled == (service,)


def test_what_was_not_written_for_all_is_undone() -> None:
    both = a_service(labels={**MADE.labels, "freshness.together": "shop worker"})

    left = find_left([both], DEAD)

    assert not left.is_whole
    require_named(left, ("worker", "shop"), ())
    with pytest.raises(Refused, match="Name worker in `swarm-service` too"):
        require_named(left, ("shop",), ("worker",))


def test_the_service_from_before_is_what_swarm_remembers_else_what_our_labels_say() -> None:
    """Breaks when PreviousSpec is believed after somebody else's write."""
    remembered = former(a_service(labels=MADE.labels | {"team": "web"}, before=OLD))
    forgotten = former(a_service(labels=MADE.labels | {"team": "web"}, before=NEW))

    assert (remembered.image, dict(remembered.labels)) == (OLD, {"freshness.by": "ada", "team": "web"})
    assert forgotten.image == OLD
    assert dict(forgotten.labels) == {
        "team": "web", "freshness.image": OLD, "freshness.revision": BEFORE, "freshness.previous": OTHER,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        (a_service(NEW, state="updating"), Way.WRITE),
        (a_service(NEW, state="paused"), Way.WRITE),
        (a_service(OLD, state="rollback_started", labels={}), Way.WAIT),
        (a_service(OLD, state="rollback_completed", labels={}), Way.WAIT),
        (a_service(OLD, state="rollback_paused", labels={}), Way.WRITE),
        (a_service(NEW, labels={"freshness.run": "2" * 32}), Way.NOT_OURS),
        (a_service(OTHER), Way.NOT_OURS),
    ],
)
def test_the_way_back_writes_over_our_own_write_alone(service: Service, expected: Way) -> None:
    """Breaks when `way_back` ignores whose run the label names."""
    assert way_back(service, NEW, RUN, OLD) is expected
