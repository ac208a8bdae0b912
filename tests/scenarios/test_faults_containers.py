"""Containers that a hand removes, and targets that are in no good state when a run begins."""

from collections.abc import Callable

import pytest

from tests.support.applications import behave
from tests.support.docker_proxy import docker_proxy
from tests.support.faults import Moment, parametrize
from tests.support.jobs import BLOCKED
from tests.support.promotions import FIRST, SECOND, SHORT, THIRD, Built, Production
from tests.support.runner import eventually

Bring = Callable[[Production, str], None]
"""Brings a service into a state."""
HEALTHCHECK = """\
    healthcheck:
      test: ["CMD", "test", "!", "-e", "/unhealthy"]
      interval: 200ms
      retries: 1
"""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    parametrize(metafunc, "removal", REMOVALS, "before its health is asked")
    parametrize(metafunc, "state", STATES, "restarting")


def deployed(production: Production) -> tuple[Built, Built]:
    """What production runs, and what is to be promoted."""
    running, image = production.build(FIRST), production.build(SECOND)
    production.deploy(running)
    return running, image


def test_staging_that_is_removed_during_its_check_closes_the_gate(production_here: Production) -> None:
    """I3. Fails when `check_staging` in gate/proof.py takes the end of the check's container for a pass."""
    runner = production_here.runner
    running = runner.start_gate(**BLOCKED)
    running.wait_for("│ blocked")

    runner.sandbox.cli("rm", "--force", str(runner.staging().id))
    ended = running.end()

    assert ended.decision == ("closed", "check-failed", 1), ended.log
    again = runner.gate()
    assert again.decision == ("open", "fresh", 0), again.log


def test_a_production_that_somebody_removed_is_deployed_as_for_the_first_time(production_here: Production) -> None:
    """Fails when `find_change` in observe.py asks for a container where there is none."""
    production, (_, image) = production_here, deployed(production_here)
    production.sandbox.cli("rm", "--force", str(production.container().id))

    ended = production.promote(image)

    assert ended.end == (0, "promoted"), ended.log
    production.assert_serves(image)


def remove(production: Production) -> None:
    for container in production.runner.containers(production.app.production):
        container.remove(force=True)


REMOVALS = {
    "before Compose looks": Moment(when="before", call="GET /networks/*"),
    "before Compose stops it": Moment(when="before", call="POST /containers/*/stop"),
    "while it is replaced": Moment(when="before", call="POST /containers/*/rename"),
    "before it starts": Moment(when="before", call="POST /containers/*/start"),
    "before its health is asked": Moment(when="after", call="POST /containers/*/start"),
}


def test_a_production_that_is_removed_while_it_changes_is_brought_back(
    removal: Moment, production_here: Production
) -> None:
    """I9. Fails when `_bring_back` in rollout.py wants a container that is there, or `recreate` none that is gone."""
    production, (running, image) = production_here, deployed(production_here)

    with docker_proxy(production.sandbox.engine.host) as proxy:
        removal.order(proxy, lambda _call: remove(production))
        ended = production.promote(image, DOCKER_HOST=proxy.host, **SHORT)

    assert ended.end in {(0, "promoted"), (4, "rolled-back")}, ended.log
    production.assert_serves(image if ended.status == 0 else running)
    assert production.promote(image).status == 0
    production.assert_serves(image)


def paused(production: Production, service: str) -> None:
    (container,) = production.runner.containers(service)
    container.pause()


def exited(production: Production, service: str) -> None:
    (container,) = production.runner.containers(service)
    container.kill()


def restarting(production: Production, service: str) -> None:
    (container,) = production.runner.containers(service)
    container.update(restart_policy={"Name": "always"})
    production.sandbox.cli("exec", str(container.id), "sh", "-c", "echo boom > behaviour.json; kill 1")
    eventually(lambda: status(production, service) == "restarting", f"{service} that restarts")


def unhealthy(production: Production, service: str) -> None:
    (container,) = production.runner.containers(service)
    production.sandbox.cli("exec", str(container.id), "touch", "/unhealthy")
    look = production.sandbox.docker.api.inspect_container
    eventually(lambda: look(str(container.id))["State"]["Health"]["Status"] == "unhealthy", f"{service} unhealthy")


def status(production: Production, service: str) -> str:
    (container,) = production.runner.containers(service)
    container.reload()
    return str(container.status)


STATES: dict[str, Bring] = {"paused": paused, "exited": exited, "restarting": restarting, "unhealthy": unhealthy}


@pytest.fixture
def checked(production_here: Production) -> Production:
    """Both services have a HEALTHCHECK that a test can fail."""
    repo = production_here.app.repo
    compose = (repo.path / "compose.yaml").read_text()
    repo.commit({"compose.yaml": compose.replace("    environment:", f"{HEALTHCHECK}    environment:")})
    return production_here


@pytest.mark.under_fire
def test_a_production_in_no_good_state_can_be_replaced(state: Bring, checked: Production) -> None:
    """Fails when a promotion asks what it replaces to be well first."""
    production, (_, image) = checked, deployed(checked)
    state(production, production.app.production)

    ended = production.promote(image)

    assert ended.end == (0, "promoted"), ended.log
    production.assert_serves(image)


def test_a_production_in_no_good_state_is_in_a_good_one_after_the_way_back(state: Bring, checked: Production) -> None:
    """I9. Fails when the way back leaves alone what Compose would not recreate, and calls it served."""
    production, running = checked, checked.build(FIRST)
    production.deploy(running)
    image = production.build(THIRD, {"exit_after": 0})
    state(production, production.app.production)

    ended = production.promote(image, **SHORT)

    assert ended.end == (4, "rolled-back"), ended.log
    production.assert_serves(running)


def test_an_unhealthy_production_that_compose_never_touched_is_made_anew(checked: Production) -> None:
    """I9. Fails when `_bring_back` in rollout.py takes what runs for what is healthy."""
    production, (running, image) = checked, deployed(checked)
    unhealthy(production, production.app.production)
    before = production.container().id

    with docker_proxy(production.sandbox.engine.host) as proxy:
        proxy.before("POST /images/*/tag", lambda _call: production.sandbox.cli("rmi", "--force", image.id))
        ended = production.promote(image, DOCKER_HOST=proxy.host, **SHORT)

    assert ended.end == (4, "rolled-back"), ended.log
    production.assert_serves(running)
    assert production.container().id != before


def test_an_unhealthy_production_is_made_anew_from_the_image_that_it_runs(checked: Production) -> None:
    """I9. Fails when `_bring_back` in rollout.py does not force what Compose sees no reason to recreate."""
    production, (running, _) = checked, deployed(checked)
    unhealthy(production, production.app.production)
    before = production.container().id

    ended = production.promote(running, **SHORT)

    assert ended.end == (4, "rolled-back"), ended.log
    production.assert_serves(running)
    assert production.container().id != before


def test_a_paused_production_of_the_same_image_is_made_anew(checked: Production) -> None:
    """Fails when `_unpause_all` in engine/compose.py unpauses nothing: Compose would start it, which Docker refuses."""
    production, (running, _) = checked, deployed(checked)
    paused(production, production.app.production)

    ended = production.promote(running)

    assert ended.end == (0, "promoted"), ended.log
    production.assert_serves(running)


def test_a_staging_in_no_good_state_is_gated_anew(state: Bring, checked: Production) -> None:
    """I11. Fails when the gate asks what it replaces to be well first."""
    runner = checked.runner
    assert runner.gate().decision == ("open", "fresh", 0)
    state(checked, runner.app.staging)
    runner.app.repo.commit(behave(log="anew"))

    ended = runner.gate()

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert runner.staging().attrs["Image"] == runner.built()
