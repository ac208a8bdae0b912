"""An interrupted promotion ends with the previous or the proven image serving, and says which."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.promotions import FIRST, SECOND, Production, promoted

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.mark.parametrize("number", SIGNALS)
def test_interrupted_while_it_waits_for_health_it_goes_back(
    number: signal.Signals, production_here: Production
) -> None:
    """I9. Fails when `execute` in execute.py goes back for a FreshnessError only."""
    production, running = production_here, production_here.build(FIRST)
    production.deploy(running)
    image = production.build(SECOND, {"health": 503})

    with production.asking() as answers:
        run = production.start("promote", SOURCE_IMAGE=image.id, EXPECTED_REVISION=SECOND)
        run.wait_for("to be healthy")
        run.process.send_signal(number)
        ended = promoted(run, answers)

    production.assert_serves(running)
    assert ended.end == (128 + number, "rolled-back"), ended.log
    assert "interrupted" in ended.reason
    assert set(answers.revisions) <= {running.revision, image.revision}


@pytest.mark.parametrize("number", SIGNALS)
def test_interrupted_while_compose_recreates_it_is_not_cut(number: signal.Signals, production_here: Production) -> None:
    """I8, I9. Fails when `do` in rollout.py recreates without `interrupts_deferred`.

    The signal comes when the Engine has ended the old container, and Compose has not started the new one.
    """
    production, running = production_here, production_here.build(FIRST)
    production.deploy(running)
    image = production.build(SECOND)

    with production.asking() as answers:
        with death_of(production, str(production.container().id)) as died:
            run = production.start("promote", SOURCE_IMAGE=image.id, EXPECTED_REVISION=SECOND)
            assert died.wait(60)
            run.process.send_signal(number)
        ended = promoted(run, answers)

    production.assert_serves(running)
    assert ended.end == (128 + number, "rolled-back"), ended.log
    assert set(answers.revisions) <= {running.revision, image.revision}


def test_a_second_signal_changes_nothing(production_here: Production) -> None:
    """I9. Fails when `_raise` in signals.py lets a second signal raise: GitHub sends SIGINT, then SIGTERM."""
    production, running = production_here, production_here.build(FIRST)
    production.deploy(running)
    image = production.build(SECOND, {"health": 503})

    run = production.start("promote", SOURCE_IMAGE=image.id, EXPECTED_REVISION=SECOND)
    run.wait_for("to be healthy")
    run.process.send_signal(signal.SIGINT)
    run.wait_for("Going back")
    run.process.send_signal(signal.SIGTERM)
    ended = run.end()

    production.assert_serves(running)
    assert (ended.status, ended.outputs["outcome"]) == (130, "rolled-back"), ended.log


def test_interrupted_on_the_way_back_it_goes_all_the_way(production_here: Production) -> None:
    """I9. Fails when `_went_back` in execute.py goes without `interrupts_deferred`."""
    production, running = production_here, production_here.build(FIRST)
    production.deploy(running)
    image = production.build(SECOND, {"exit_after": 0})

    with production.asking() as answers:
        run = production.start("promote", SOURCE_IMAGE=image.id, EXPECTED_REVISION=SECOND)
        run.wait_for("Going back")
        run.process.send_signal(signal.SIGTERM)
        ended = promoted(run, answers)

    production.assert_serves(running)
    assert ended.end == (143, "rolled-back"), ended.log


def test_interrupted_before_the_first_write_nothing_changes(production_here: Production) -> None:
    """I8. Fails when `execute` in execute.py goes back although nothing was written."""
    production, image = production_here, production_here.build(SECOND)
    production.deploy(production.build(FIRST))
    before = production.state()

    run = production.start("promote", SOURCE_IMAGE=image.id, EXPECTED_REVISION=SECOND)
    run.wait_for_child("config")
    run.process.send_signal(signal.SIGINT)
    ended = run.end()

    assert ended.status == 130, ended.log
    assert "Nothing was changed" in ended.reason
    assert production.state() == before


@contextmanager
def death_of(production: Production, container: str) -> Iterator[threading.Event]:
    """An event that is set as soon as the Engine says that the container has ended."""
    died, listening = (
        threading.Event(),
        production.sandbox.docker.events(decode=True, filters={"container": container, "event": "die"}),
    )

    def listen() -> None:
        for _ in listening:
            died.set()

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield died
    finally:
        listening.close()
        thread.join()
