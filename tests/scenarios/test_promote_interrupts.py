"""An interrupted promotion ends with the previous or the proven image serving, and says which."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.engines import ROOT
from tests.support.promotions import FIRST, LONG, SECOND, Built, Production, promoted
from tests.support.runner import ANY_SECONDS

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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


def test_a_person_whose_terminal_goes_leaves_what_ran_before(production_here: Production) -> None:
    """I9. Fails when `STOPPING` in signals.py lacks SIGHUP, which ends the run as it is."""
    production, running = production_here, production_here.build(FIRST)
    production.deploy(running)
    image = production.build(SECOND, {"health": 503})

    status = promote_on_a_terminal_that_goes(production, image)

    assert status == 128 + signal.SIGHUP
    production.assert_serves(running)
    assert production.promote(running).end == (0, "unchanged")


def test_a_run_that_its_shell_let_go_goes_on_without_its_terminal(production_here: Production) -> None:
    """Fails when `_heard` in signals.py hears what is to be ignored."""
    production = production_here
    production.deploy(production.build(FIRST))
    image = production.build(SECOND, {"start_seconds": 3})

    status = promote_on_a_terminal_that_goes(production, image, "trap '' HUP; ")

    assert status == 0
    production.assert_serves(image)


def promote_on_a_terminal_that_goes(production: Production, image: Built, before: str = "") -> int:
    """The exit status of a promotion in a shell whose terminal ends while health is awaited."""
    screen, terminal = os.openpty()
    told = {**os.environ, **production.app.settings, **LONG, "TERM": "xterm", "COLUMNS": "200"}
    run = subprocess.Popen(
        ["setsid", "--ctty", "sh", "-c", f'{before}exec "$0" -I "$1" promote', sys.executable, str(ROOT / "src")],
        cwd=production.app.repo.path,
        env={**told, "SOURCE_IMAGE": image.id, "EXPECTED_REVISION": image.revision},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    seen = b""
    while b"a healthy service within" not in seen:
        seen += os.read(screen, 4096)
    os.close(screen)
    return run.wait(ANY_SECONDS)


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
