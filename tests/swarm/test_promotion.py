"""A promotion in a Swarm: one write by digest, proven in each slot, and the way back from it."""

import json

import pytest

from tests.support.promotions import FIRST, SECOND, THIRD
from tests.support.runner import Ended
from tests.support.swarm_service import SICK_LATER, Release, Service


def outcome(ended: Ended) -> tuple[int, str]:
    return ended.status, ended.outputs["outcome"]


def test_what_was_proven_runs_in_each_slot_and_the_same_again_writes_nothing(service: Service) -> None:
    """I7, I11. Fails when a label is written where the image is the same: Swarm would forget how the update ended."""
    first, second = service.build(FIRST), service.build(SECOND)
    service.create(first)

    ended = service.promote(second)

    assert outcome(ended) == (0, "promoted"), ended.log
    service.assert_serves(second)
    assert ended.outputs["image-id"] == second.digest
    assert json.loads(ended.outputs["images"]) == {service.name: second.image}
    assert service.labels["freshness.revision"] == SECOND
    assert service.labels["freshness.previous"].split()[0] == first.image
    assert service.locks() == []
    before = service.state()
    again = service.promote(second)
    assert outcome(again) == (0, "unchanged"), again.log
    assert service.state() == before


def test_old_tasks_that_take_their_time_to_stop_are_named(service: Service) -> None:
    """Swarm's start-first update ends before they do, and so do we. Fails when only what is wanted is looked at."""
    first, second = service.build(FIRST, stop_seconds=30), service.build(SECOND)
    service.create(first, "--update-order=start-first", "--stop-grace-period=40s")

    ended = service.promote(second)

    assert outcome(ended) == (0, "promoted"), ended.log
    assert "Tasks of another image still stop on node" in ended.reason


def test_what_runs_already_is_held_too(service: Service) -> None:
    """I12. Somebody deployed it just now. Fails when `unchanged` is said of a moment."""
    sick = service.build(SECOND, health=SICK_LATER)
    service.create(sick)

    ended = service.promote(sick, HOLD_TIME="14", HEALTH_RETRIES="2", HEALTH_INTERVAL="3")

    assert outcome(ended) == (1, "refused"), ended.log
    assert f"tasks run {sick.image}" in ended.reason


def test_another_spelling_of_the_same_digest_restarts_nothing(service: Service) -> None:
    """Fails when the references are compared as text: Swarm itself restarts all tasks for `name:tag@digest`."""
    first = service.build(FIRST)
    repository, _, digest = first.image.partition("@")
    service.create(Release(revision=FIRST, image=f"{repository}:build-0@{digest}"))
    before = service.state()

    ended = service.promote(first)

    assert outcome(ended) == (0, "unchanged"), ended.log
    assert service.state() == before


def test_a_rollback_goes_to_the_previous_image_and_a_second_one_further(service: Service) -> None:
    """Fails when it is Swarm's own, which leads forward again the second time."""
    releases = [service.build(revision) for revision in (FIRST, SECOND, THIRD)]
    service.create(releases[0])
    for release in releases[1:]:
        assert outcome(service.promote(release)) == (0, "promoted")

    once = service.run("rollback")
    assert outcome(once) == (0, "promoted"), once.log
    service.assert_serves(releases[1])
    twice = service.run("rollback")

    assert outcome(twice) == (0, "promoted"), twice.log
    service.assert_serves(releases[0])
    assert service.locks() == []


def test_a_rollback_after_an_automatic_one_still_has_where_to_go(service: Service) -> None:
    """Fails when PreviousSpec is asked, which is null by then."""
    first, second, bad = service.build(FIRST), service.build(SECOND), service.build(THIRD, begin="exit 1")
    service.create(first)
    assert outcome(service.promote(second)) == (0, "promoted")
    assert outcome(service.promote(bad)) == (4, "rolled-back")

    ended = service.run("rollback")

    assert outcome(ended) == (0, "promoted"), ended.log
    service.assert_serves(first)


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(service: Service) -> None:
    first, second = service.build(FIRST), service.build(SECOND)
    service.create(first)
    before = service.state()

    ended = service.promote(second, "--dry-run")

    assert ended.status == 0, ended.log
    assert second.digest[:19] in ended.log
    assert service.state() == before
    assert service.locks() == []


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_status_tells_what_each_slot_runs(service: Service, words: tuple[str, ...]) -> None:
    first, second = service.build(FIRST), service.build(SECOND)
    service.create(first)
    assert outcome(service.promote(second)) == (0, "promoted")

    ended = service.run("status", *words)

    assert ended.status == 0, ended.log
    assert service.name in ended.log
    assert SECOND[:12] in ended.log
