"""What gets healthy must last: it has to have run for the hold time, without a restart, and to answer once more."""

import pytest

from tests.support.applications import behave
from tests.support.jobs import BLOCKED
from tests.support.promotions import FIRST, SECOND, SHORT, Production
from tests.support.runner import Ended, Runner, eventually

HOLD = {"HOLD_TIME": "4"}
LATER = {"exit_after": 2}
"""Healthy at once, and dead well before the end of HOLD."""
ONCE = {"good_answers": 1}
SICK_LATER = 'HEALTHCHECK --interval=200ms --retries=1 CMD ["test", "!", "-e", "/tmp/sick"]\n'


def set_restart(runner: Runner, policy: str) -> None:
    """Lets Docker start both services again, as most Compose files do."""
    compose = (runner.app.repo.path / "compose.yaml").read_text()
    runner.app.repo.commit({"compose.yaml": compose.replace("    ports:", f"    restart: {policy}\n    ports:")})


def held(ended: Ended) -> float:
    """How many seconds the last phase of its own took, by the report."""
    return float([check["seconds"] for check in ended.report["checks"] if check["name"] == "hold"][-1])


@pytest.mark.parametrize("policy", ["always", '"no"'])
def test_what_crashes_after_it_was_healthy_is_taken_back(policy: str, production_here: Production) -> None:
    """Fails when `_prove` in plan.py does not hold out, or `wait_hold_time` waits less than the hold time."""
    set_restart(production_here.runner, policy)
    running, image = production_here.build(FIRST), production_here.build(SECOND, LATER)
    production_here.deploy(running)

    ended = production_here.promote(image, **HOLD)

    production_here.assert_serves(running)
    assert ended.end == (4, "rolled-back"), ended.log
    assert "before it had run for 4 s (`hold-time`)" in ended.reason


def test_a_production_that_restarts_again_and_again_is_not_called_healthy(production_here: Production) -> None:
    """Fails when a promotion of what runs already trusts one good answer, or `status` does not count restarts."""
    set_restart(production_here.runner, "always")
    image = production_here.build(FIRST, LATER)
    production_here.deploy(image)
    container = production_here.container()

    def has_restarted() -> bool:
        container.reload()
        return bool(container.attrs["RestartCount"])

    eventually(has_restarted, "a restart")
    status = production_here.runner.start("status").end()
    ended = production_here.promote(image, **HOLD)

    assert "restart" in status.log.partition("production")[2].splitlines()[0]
    assert ended.end == (5, "stranded"), ended.log
    assert "the container restarted" in ended.reason


def test_what_has_run_longer_is_not_waited_for(production_here: Production) -> None:
    """Fails when `wait_hold_time` counts from now in place of the container's own start."""
    image = production_here.build(FIRST)
    first = production_here.promote(image, **HOLD)
    container = production_here.container().id

    again = production_here.promote(image, **HOLD)

    assert (first.end, again.end) == ((0, "promoted"), (0, "unchanged")), again.log
    assert production_here.container().id == container
    assert held(first) > held(again)
    assert held(again) < 1


@pytest.mark.parametrize("then", ["exit", 503])
def test_what_answers_well_once_is_not_promoted(then: object, production_here: Production) -> None:
    """Fails when `wait_hold_time` does not ask once more, or not behind what it waited for."""
    running, image = production_here.build(FIRST), production_here.build(SECOND, {**ONCE, "then": then})
    production_here.deploy(running)

    ended = production_here.promote(image, **SHORT)

    production_here.assert_serves(running)
    assert ended.end == (4, "rolled-back"), ended.log


def test_a_staging_that_crashes_behind_the_check_closes_the_gate(runner: Runner) -> None:
    """Fails when `prove` in gate/proof.py does not check `hold_out`."""
    set_restart(runner, "always")
    runner.app.repo.commit(behave(**LATER))

    ended = runner.gate(**HOLD, CHECK_COMMAND="true")

    assert ended.decision == ("closed", "unhealthy", 1), ended.log
    assert "before it had run for 4 s (`hold-time`)" in ended.reason


def test_a_staging_that_answered_well_once_closes_the_gate(runner: Runner) -> None:
    """Fails when `hold_out` in gate/proof.py takes the answer from before the check."""
    runner.app.repo.commit(behave(**ONCE))

    ended = runner.gate(**SHORT, CHECK_COMMAND="true")

    assert ended.decision == ("closed", "unhealthy", 1), ended.log
    assert "HTTP 503" in ended.reason


def test_a_healthcheck_that_says_unhealthy_behind_the_check_closes_the_gate(runner: Runner) -> None:
    """Fails when `probe_again` looks at the answer of the health path alone."""
    dockerfile = (runner.app.repo.path / "Dockerfile").read_text()
    runner.app.repo.commit({"Dockerfile": dockerfile + SICK_LATER})

    running = runner.start_gate(**BLOCKED)
    running.wait_for("│ blocked")
    runner.in_staging("touch", "/tmp/sick")  # noqa: S108 -- the container's own
    eventually(lambda: runner.staging().attrs["State"]["Health"]["Status"] == "unhealthy", "an unhealthy staging")
    runner.in_staging("touch", "/tmp/go")  # noqa: S108 -- as above
    ended = running.end()

    assert ended.decision == ("closed", "unhealthy", 1), ended.log
    assert ended.checks()["staging check"] == "passed"
    assert "the HEALTHCHECK says unhealthy" in ended.reason


def test_the_staging_check_counts_as_part_of_the_hold(runner: Runner) -> None:
    """Fails when `hold_out` in gate/proof.py comes before the check, or `wait_hold_time` counts from now."""
    slow = "python3 -c 'import time; time.sleep(4)'"

    ended = runner.gate(**HOLD, CHECK_COMMAND=slow)

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert held(ended) < 1
