"""What goes wrong after the write: Swarm says little of it, and every slot is on the image from before afterwards."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.docker_proxy import Call, docker_proxy
from tests.support.promotions import FIRST, SECOND
from tests.support.runner import eventually
from tests.support.swarm_service import ANSWERS, NEVER_HEALTHY, SICK_LATER, Service
from tests.swarm.test_promotion import outcome

BAD: Mapping[str, Mapping[str, Any]] = {
    "ends at once": {"begin": "exit 1"},
    "ends well at once": {"begin": "exit 0"},
    "never gets healthy": {"health": NEVER_HEALTHY},
    "gets sick later": {"health": SICK_LATER},
}
"""A task that is ended for its health ends with status 0: Swarm calls it complete."""
ACTIONS = ("rollback", "pause", "continue")


@pytest.mark.parametrize(
    ("bad", "action"),
    [("ends at once", action) for action in ACTIONS] + [(bad, "rollback") for bad in BAD if bad != "ends at once"],
)
def test_a_bad_image_leaves_the_one_before_in_each_slot(service: Service, bad: str, action: str) -> None:
    """I9. Fails when an exit status, or UpdateStatus alone, is believed; or it ends before the old tasks run again."""
    first, second = service.build(FIRST), service.build(SECOND, **BAD[bad])
    service.create(first, f"--update-failure-action={action}")
    labels = service.labels

    ended = service.promote(second, HOLD_TIME="14" if "later" in bad else "4")

    assert outcome(ended) == (4, "rolled-back"), ended.log
    service.assert_serves(first)
    assert service.update_state not in {"updating", "paused", "rollback_started", "rollback_paused"}
    assert {**service.labels} == {**labels}
    assert service.locks() == []


def test_a_task_that_nobody_replaces_is_seen(service: Service) -> None:
    """I12. One that was ended for its health, and ended with 0, is not started again under `on-failure`."""
    first, second = service.build(FIRST), service.build(SECOND, health=NEVER_HEALTHY)
    service.create(first, "--restart-condition=on-failure")

    ended = service.promote(second)

    assert outcome(ended) == (4, "rolled-back"), ended.log
    service.assert_serves(first)


def test_an_update_without_end_is_taken_back_at_our_own_deadline(service: Service) -> None:
    """I8. It starts for ever: Swarm would say `updating` for ever."""
    first, second = service.build(FIRST), service.build(SECOND, health=NEVER_HEALTHY)
    service.create(first, "--health-start-period=600s")

    ended = service.promote(second, SWARM_TIMEOUT="10")

    assert outcome(ended) == (4, "rolled-back"), ended.log
    service.assert_serves(first)
    assert service.update_state != "updating"


def test_start_first_keeps_the_old_ones_until_the_new_ones_are_healthy(service: Service) -> None:
    first, second = service.build(FIRST), service.build(SECOND, health=NEVER_HEALTHY)
    service.create(first, "--update-order=start-first")
    containers = service.containers()

    ended = service.promote(second)

    assert outcome(ended) == (4, "rolled-back"), ended.log
    service.assert_serves(first)
    assert containers & service.containers(), "one at least never stopped"


@pytest.mark.timeout(400)
def test_a_node_that_is_cut_off_in_mid_update_changes_nothing_of_the_outcome_when_it_comes_back(
    service: Service,
) -> None:
    """I8. Swarm alone goes on `updating`, and rolls the whole update back by itself when the node is there again."""
    first = service.build(FIRST)
    second = service.build(SECOND, health=f"sleep 1; {ANSWERS}")
    service.create(first, "--update-parallelism=1")
    lost = service.swarm.workers[0]
    run = service.start(second, SWARM_TIMEOUT="90")
    eventually(lambda: second.image in service.running(), "the first slot on the new image")

    lost.cut()
    ended = run.end(300)

    expected = {0: second, 4: first}[ended.status]
    assert service.image == expected.image
    assert service.update_state != "updating", ended.log
    lost.restore()
    service.swarm.wait_until_whole()
    service.wait_until_running(expected)
    service.stays(expected, seconds=20)


def test_a_manager_that_dies_in_mid_update_and_comes_back_is_asked_again(service: Service) -> None:
    """I8. Fails when an answer that is missing is taken for an end. Its tasks run elsewhere, and live on."""
    first, second = service.build(FIRST), service.build(SECOND)
    service.create(first, "--update-parallelism=1", "--constraint=node.role==worker")
    run = service.start(second)
    eventually(lambda: second.image in service.running(), "the first slot on the new image")

    service.swarm.manager.daemon.kill()
    run.wait_for("up to")
    service.swarm.manager.engine.mend()
    ended = run.end(150)

    assert outcome(ended) == (0, "promoted"), ended.log
    service.assert_serves(second)
    assert service.update_state not in {"updating", "rollback_started"}
    assert service.locks() == []


@pytest.mark.timeout(400)
def test_a_leader_that_is_lost_in_mid_update_is_followed_by_another_one(elected_service: Service) -> None:
    """I8. The manager that is asked goes on; fails when its first error is taken for an end."""
    service = elected_service
    leader, asked = service.swarm.nodes[:2]
    first, second = service.build(FIRST), service.build(SECOND)
    service.create(first, "--update-parallelism=1")
    run = service.start(second, DOCKER_HOST=asked.engine.host, SWARM_TIMEOUT="120")
    eventually(lambda: second.image in service.running(), "the first slot on the new image")

    leader.cut()
    ended = run.end(350)

    assert ended.status in {0, 4}, ended.log
    service.swarm.mend()
    expected = second if ended.status == 0 else first
    service.wait_until_running(expected)
    assert service.image == expected.image
    assert service.update_state not in {"updating", "rollback_started"}
    assert service.locks() == []


def test_an_answer_to_our_write_that_is_lost_is_no_doubt_that_stays(service: Service) -> None:
    """I8. Swarm updates, and we were told nothing; fails when the run ends without having looked."""
    first, second = service.build(FIRST), service.build(SECOND)
    service.create(first)
    with docker_proxy(service.sandbox.engine.host) as proxy:
        proxy.after("POST /services/*/update", Call.drop)

        ended = service.promote(second, DOCKER_HOST=proxy.host)

    assert ended.outputs["outcome"] in {"promoted", "rolled-back"}, ended.log
    service.assert_serves(second if ended.status == 0 else first)
    assert service.update_state not in {"updating", "rollback_started"}
    assert service.locks() == []


def test_a_service_that_is_removed_in_mid_update_is_said_to_be_gone(service: Service) -> None:
    first, second = service.build(FIRST), service.build(SECOND)
    service.create(first, "--update-parallelism=1")
    run = service.start(second, SWARM_TIMEOUT="20")
    eventually(lambda: second.image in service.running(), "the first slot on the new image")

    service.sandbox.cli("service", "rm", service.name)
    ended = run.end(150)

    assert ended.outputs["outcome"] in {"error", "stranded"}, ended.log
    assert "removed" in ended.reason, ended.reason
    assert service.locks() == []


def test_a_node_that_is_down_is_named_as_not_proven(service: Service) -> None:
    """I12. What runs on it nobody can tell; the slots run elsewhere."""
    first, second = service.build(FIRST), service.build(SECOND)
    service.create(first)
    lost = service.swarm.workers[0]
    lost.cut()
    eventually(lambda: service.swarm.states()[lost.name] == "down", "the node is down")
    service.wait_until_running(first)

    ended = service.promote(second)

    assert outcome(ended) == (0, "promoted"), ended.log
    assert f"Not proven: what still runs on {lost.name}" in ended.reason
