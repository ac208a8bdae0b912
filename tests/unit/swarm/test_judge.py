"""A rollout is proven by spec, update and the task of each slot for the hold time, and by nothing less."""

from typing import Any

import pytest

from freshness.core.swarm import Service, Task
from freshness.core.swarm_judge import Held, Wanted, Word, decide, describe_update, judge
from tests.support.swarm_answers import ALL, NEW, OLD, OTHER, RUN, a_service, a_task, nodes

FORWARD = Wanted(image=NEW, run=RUN, hold=10, deadline=100)
BACK = Wanted(image=OLD, run="", hold=10, deadline=100, is_back=True)


def word(service: Service, tasks: list[Task], wanted: Wanted = FORWARD, *, since: float = 0, now: float = 50) -> Word:
    """What is decided where the same tasks were good before."""
    judged = judge(wanted.image, service, tasks, nodes())
    return decide(service, judged, Held(tasks=judged.good, since=since), wanted, now)[0]


def test_all_slots_for_the_hold_time_after_the_update_has_ended_are_the_proof() -> None:
    """Breaks when `decide` leaves out the state, or the hold time."""
    assert word(a_service(state="completed"), ALL) is Word.PROVEN
    assert word(a_service(state="updating"), ALL) is Word.WAIT
    assert word(a_service(state="completed"), ALL, since=41) is Word.WAIT


def test_other_tasks_than_before_begin_the_hold_time_anew() -> None:
    """Breaks when `Held.after` keeps its time for tasks that are new."""
    service, judged = a_service(state="completed"), judge(NEW, a_service(), ALL, nodes())

    decided, held = decide(service, judged, Held(tasks=frozenset({"earlier"}), since=0), FORWARD, 50)

    assert (decided, held) == (Word.WAIT, Held(tasks=judged.good, since=50))


@pytest.mark.parametrize(
    "tasks",
    [
        [],
        ALL[:2],
        [*ALL[:2], a_task(3, OLD)],
        [*ALL[:2], a_task(3, state="starting")],
        [*ALL, a_task(3, OLD, id="still wanted")],
        [*ALL[:2], a_task(3, wanted="shutdown")],
        [a_task(1), a_task(1, id="twice in one slot"), a_task(2)],
    ],
)
def test_a_slot_without_its_task_proves_nothing(tasks: list[Task]) -> None:
    """Breaks when `judge` counts tasks in place of slots, or old ones."""
    assert word(a_service(state="completed"), tasks) is Word.WAIT


def test_no_task_is_wanted_where_somebody_scaled_it_to_nothing_and_that_proves_nothing() -> None:
    """Breaks when `judge` takes all of no slots for filled, or `decide` waits for what cannot come."""
    nothing: dict[str, Any] = {"Mode": {"Replicated": {"Replicas": 0}}}

    assert not judge(NEW, a_service(**nothing), [], nodes()).well
    assert word(a_service(state="completed", **nothing), []) is Word.FAILED
    assert word(a_service(OLD, labels={}, **nothing), [], BACK) is Word.FAILED


def test_a_task_on_a_node_that_is_down_counts_for_nothing_and_is_named() -> None:
    """Breaks when `judge` believes the last word of a lost node."""
    judged = judge(NEW, a_service(), ALL, nodes(3))

    assert not judged.well
    assert judged.silent == ("node3",)
    assert judged.said == f"2 of 3 tasks run {NEW}; not heard of: node3"


def test_what_a_lost_node_may_still_run_is_named_where_all_slots_are_filled_elsewhere() -> None:
    lost = a_task(3, OLD, wanted="shutdown", id="lost")
    elsewhere = Task.read(
        {
            "ID": "moved", "Slot": 3, "DesiredState": "running", "Status": {"State": "running"},
            "Spec": {"ContainerSpec": {"Image": NEW}}, "NodeID": "id-of-node1",
        }
    )  # fmt: skip

    judged = judge(NEW, a_service(), [*ALL[:2], elsewhere, lost], nodes(3))

    assert judged.well
    assert judged.silent == ("node3",)


def test_another_image_that_is_still_stopping_is_named_by_its_node() -> None:
    """A start-first update ends before they do. Breaks when only what is wanted is looked at."""
    leaving = [a_task(1, OLD, wanted="shutdown", id="stopping"), a_task(2, NEW, wanted="shutdown", id="of the same")]
    gone = a_task(2, OLD, "shutdown", wanted="shutdown", id="gone")

    judged = judge(NEW, a_service(), [*ALL, *leaving, gone], nodes())

    assert (judged.well, judged.stopping, judged.silent) == (True, ("node1",), ())


@pytest.mark.parametrize("state", ["paused", "rollback_started", "rollback_completed", "rollback_paused"])
def test_what_swarm_stops_or_takes_back_has_failed(state: str) -> None:
    """Breaks when a rollback counts as the end of an update, as it does for `docker service update`."""
    assert word(a_service(NEW if state == "paused" else OLD, state=state), ALL) is Word.FAILED


@pytest.mark.parametrize("service", [a_service(OTHER), a_service(NEW, labels={}), a_service(OLD)])
def test_what_somebody_else_wrote_is_not_judged(service: Service) -> None:
    """Breaks when the image alone says whose write it is."""
    assert word(service, ALL) is Word.CHANGED


def test_a_task_that_ends_in_the_hold_time_fails_though_swarm_has_completed() -> None:
    """Breaks when the update's state alone counts once it is completed."""
    service, over = a_service(state="completed"), a_task(3, state="failed", wanted="shutdown", id=ALL[2].id)
    judged = judge(NEW, service, [*ALL[:2], over], nodes())
    held = Held(tasks=frozenset(task.id for task in ALL), since=40)

    assert decide(service, judged, held, FORWARD, 45)[0] is Word.FAILED
    assert decide(a_service(state="updating"), judged, held, FORWARD, 45)[0] is Word.WAIT


@pytest.mark.parametrize(
    ("slots", "expected"), [((3, 3), Word.FAILED), ((2, 3), Word.WAIT), ((3,), Word.WAIT)], ids=str
)
def test_a_slot_that_is_started_again_and_again_once_swarm_has_completed_has_failed(
    slots: tuple[int, ...], expected: Word
) -> None:
    """With `failure-action: continue` it would go on until the deadline. Breaks without `gave_up`."""
    over = [a_task(slot, state="failed", wanted="shutdown", id=f"over-{number}") for number, slot in enumerate(slots)]
    there = judge(NEW, a_service(), [*ALL[:2], *over], nodes(), frozenset({"over-0"}))

    assert word(a_service(state="completed"), [*ALL[:2], *over]) is expected
    assert word(a_service(state="updating"), [*ALL[:2], *over]) is Word.WAIT
    assert not there.gave_up


def test_a_node_that_is_lost_in_the_hold_time_is_waited_for() -> None:
    """Swarm starts its tasks elsewhere: it is no fault of the image."""
    service, held = a_service(state="completed"), Held(tasks=frozenset(task.id for task in ALL), since=40)

    assert decide(service, judge(NEW, service, ALL, nodes(3)), held, FORWARD, 45) == (Word.WAIT, Held())


def test_the_deadline_ends_the_waiting() -> None:
    assert word(a_service(state="updating"), ALL[:2], now=101) is Word.FAILED


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("", Word.PROVEN), ("completed", Word.PROVEN), ("rollback_completed", Word.PROVEN),
        ("rollback_started", Word.WAIT), ("updating", Word.WAIT), ("paused", Word.FAILED),
        ("rollback_paused", Word.FAILED),
    ],
)  # fmt: skip
def test_the_way_back_is_proven_as_the_way_there(state: str, expected: Word) -> None:
    """Breaks when `rollback_completed` alone is taken for the end of the way back."""
    tasks = [a_task(slot, OLD) for slot in (1, 2, 3)]

    assert word(a_service(OLD, state=state, labels={}), tasks, BACK) is expected
    if expected is Word.PROVEN:
        assert word(a_service(OLD, state=state, labels={}), tasks[:2], BACK) is Word.WAIT


def test_the_last_errors_of_tasks_are_told_each_once() -> None:
    exit_1 = "task: non-zero exit (1)"
    over = [
        a_task(1, state="failed", wanted="shutdown", status=1, error=exit_1, since="2026-11-29T08:01:00Z"),
        a_task(2, state="failed", wanted="shutdown", status=1, error=exit_1, since="2026-11-29T08:02:00Z"),
        a_task(3, state="rejected", wanted="shutdown", error="No such image", since="2026-11-29T08:03:00Z"),
        a_task(3, OLD, state="failed", wanted="shutdown", error="of the old one"),
    ]  # fmt: skip

    judged = judge(NEW, a_service(), over, nodes())

    assert judged.said == (
        f"0 of 3 tasks run {NEW}; a task was rejected: No such image; a task was failed: task: non-zero exit (1)"
    )
    assert judged.over[0] == "task-3-rejected"


def test_why_a_task_is_not_started_is_told() -> None:
    """Breaks when only ended tasks are asked: of one that finds no node Swarm says `updating`, and no more."""
    waiting = [
        a_task(3, state="pending", error="no suitable node (insufficient resources on 3 nodes)"),
        a_task(2, OLD, state="pending", error="of the old one"),
    ]

    judged = judge(NEW, a_service(state="updating"), [ALL[0], *waiting], nodes())

    assert judged.said == (
        f"1 of 3 tasks run {NEW}; a task is pending: no suitable node (insufficient resources on 3 nodes)"
    )


def test_what_swarm_says_of_an_update_is_untrusted_text() -> None:
    assert describe_update(a_service(state="paused", message="stopped\x1b[2J")) == "Swarm says paused: stopped [2J"
    assert describe_update(a_service()) == "Swarm says nothing of an update"
