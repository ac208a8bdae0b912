"""The Swarm that these scenarios run on is what the tests take it for."""

from tests.support.engines import free_port
from tests.support.promotions import FIRST, SECOND
from tests.support.runner import eventually
from tests.support.swarm_service import Service


def test_a_service_runs_on_all_nodes_and_answers_on_each(service: Service) -> None:
    port, first = free_port(), service.build(FIRST)

    service.create(first, published=port)

    service.assert_serves(first)
    assert len({task["NodeID"] for task in service.tasks()}) == 3
    assert service.sandbox.wait_for(port, "/version") == FIRST


def test_a_rolling_update_by_hand_leads_from_one_image_to_the_other(service: Service) -> None:
    first, second = service.build(FIRST), service.build(SECOND)
    service.create(first)

    service.update("--image", second.image)

    assert service.wait_until("completed") == "completed"
    service.wait_until_running(second)
    service.assert_serves(second)


def test_a_node_that_is_cut_off_is_down_and_comes_back(service: Service) -> None:
    node = service.swarm.workers[0]

    node.cut()
    eventually(lambda: service.swarm.states()[node.name] == "down", "the node is down")
    node.restore()

    eventually(lambda: service.swarm.states()[node.name] == "ready", "the node is back")
