"""A Docker Engine that ends, or is started anew, at any step of a gate or a promotion."""

from collections.abc import Callable, Mapping

import pytest

from tests.support.daemon import Daemon
from tests.support.docker_proxy import Call, docker_proxy
from tests.support.faults import (
    BEFORE_THE_FIRST_WRITE,
    WHILE_PRODUCTION_CHANGES,
    WHILE_STAGING_CHANGES,
    Moment,
    daemon_of,
    parametrize,
)
from tests.support.promotions import FIRST, SECOND, SHORT, Built, Production, Promoted, type_commands
from tests.support.runner import eventually

PATIENT = {"ENGINE_TIMEOUT": "15", **SHORT}
"""An Engine that is started anew is back by then, on a busy machine too."""
IMPATIENT = {"ENGINE_TIMEOUT": "3", **SHORT}
End = Callable[[Daemon], None]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    parametrize(metafunc, "early", BEFORE_THE_FIRST_WRITE, "it has listed the containers")
    parametrize(metafunc, "moment", WHILE_PRODUCTION_CHANGES, "the old container was stopped")
    parametrize(metafunc, "gating", WHILE_STAGING_CHANGES, "it builds")
    parametrize(metafunc, "end", {"killed": Daemon.kill, "stopped": Daemon.stop}, "killed")


def deployed(production: Production) -> tuple[Built, Built]:
    """What production runs, and what is to be promoted."""
    running, image = production.build(FIRST), production.build(SECOND)
    production.deploy(running)
    return running, image


def promote_while(
    production: Production,
    image: Built,
    moment: Moment,
    deed: Callable[[Call], object],
    settings: Mapping[str, str] = IMPATIENT,
) -> Promoted:
    with docker_proxy(production.sandbox.engine.host) as proxy:
        moment.order(proxy, deed)
        return production.promote(image, DOCKER_HOST=proxy.host, **settings)


def assert_the_next_one_works(production: Production, image: Built) -> None:
    """It may find that the Engine has brought up by itself what was under way."""
    ended = production.promote(image)
    assert ended.end in {(0, "promoted"), (0, "unchanged")}, ended.log
    production.assert_serves(image)
    container = production.container()
    assert container.name == f"{production.app.project}-{production.app.production}-1"


def settled(production: Production) -> None:
    """Waits until the Engine has brought up again by itself what it ran."""

    def all_run() -> bool:
        mine: dict[str, str | list[str] | bool] = {"label": f"com.docker.compose.project={production.app.project}"}
        found = production.sandbox.docker.containers.list(all=True, filters=mine)
        return all(container.status in {"running", "created"} for container in found)

    eventually(all_run, "containers that run again")


def test_an_engine_that_ends_before_the_first_write_changes_nothing(
    early: Moment, end: End, fragile_production: Production
) -> None:
    """I8. Fails when `execute` in execute.py goes back although nothing was written, or calls its end a refusal."""
    production, (running, image) = fragile_production, deployed(fragile_production)
    before = production.state().tags

    ended = promote_while(production, image, early, lambda _call: end(daemon_of(production.sandbox)))

    assert ended.end == (3, "error"), ended.log
    assert "Nothing was changed" in ended.reason
    production.sandbox.engine.mend()
    assert production.sandbox.wait_for(production.app.production_port, "/version") == running.revision
    assert production.state().tags == before
    assert_the_next_one_works(production, image)


def test_an_engine_that_ends_while_production_changes_is_said_and_the_next_run_mends_it(
    moment: Moment, end: End, fragile_production: Production
) -> None:
    """I9. Fails when `_went_back` in execute.py calls it rolled back, or does not leave the record to the next run."""
    production, (_, image) = fragile_production, deployed(fragile_production)

    ended = promote_while(production, image, moment, lambda _call: end(daemon_of(production.sandbox)))

    assert ended.end == (5, "stranded"), ended.log
    assert "A person is needed" in ended.reason
    production.sandbox.engine.mend()
    assert_the_next_one_works(production, image)


@pytest.mark.under_fire
def test_after_the_engine_has_ended_the_commands_that_are_named_bring_production_back(
    fragile_production: Production,
) -> None:
    """I9. Fails when `manual_commands` does not lead back to what ran before."""
    production, (running, image) = fragile_production, deployed(fragile_production)
    moment = WHILE_PRODUCTION_CHANGES["the new container was started"]
    ended = promote_while(production, image, moment, lambda _call: daemon_of(production.sandbox).kill())
    assert ended.end == (5, "stranded"), ended.log
    production.sandbox.engine.mend()

    type_commands(ended.reason)

    assert production.sandbox.wait_for(production.app.production_port, "/version") == running.revision
    production.assert_serves(running)
    assert_the_next_one_works(production, image)


def test_an_engine_that_is_started_anew_leaves_the_old_or_the_new_image_serving(
    moment: Moment, fragile_production: Production
) -> None:
    """I9. Fails when `roll_back` in execute.py does not give the Engine its time to come back."""
    production, (running, image) = fragile_production, deployed(fragile_production)

    def start_anew(_call: Call) -> None:
        daemon_of(production.sandbox).stop()
        production.sandbox.engine.mend()

    ended = promote_while(production, image, moment, start_anew, PATIENT)

    assert ended.end in {(0, "promoted"), (4, "rolled-back")}, ended.log
    production.assert_serves(image if ended.status == 0 else running)
    assert_the_next_one_works(production, image)


def half_remove(production: Production, service: str) -> None:
    """What a dockerd leaves that is killed while it removes the service's container: that is dead."""
    (container,) = production.runner.containers(service)
    daemon = daemon_of(production.sandbox)
    daemon.stop()
    state = daemon.data / f"docker/containers/{container.id}/config.v2.json"
    state.write_text(state.read_text().replace('"RemovalInProgress":false', '"RemovalInProgress":true'))
    production.sandbox.engine.mend()
    container.reload()
    assert container.status == "dead"


@pytest.mark.parametrize(("health", "expected"), [(200, (0, "promoted")), (503, (4, "rolled-back"))])
def test_a_production_that_the_engine_has_half_removed_is_made_anew(
    health: int, expected: tuple[int, str], fragile_production: Production
) -> None:
    """I9. Fails when `_words_for` in engine/compose.py lets Compose start it, which the Engine refuses."""
    production, running = fragile_production, fragile_production.build(FIRST)
    production.deploy(running)
    image = production.build(SECOND, {"health": health})
    half_remove(production, production.app.production)

    ended = production.promote(image, **SHORT)

    assert ended.end == expected, ended.log
    production.assert_serves(image if health == 200 else running)
    half_remove(production, production.app.production)
    assert_the_next_one_works(production, image if health == 200 else running)


def test_a_staging_that_the_engine_has_half_removed_is_made_anew(fragile_production: Production) -> None:
    """I11. As the production."""
    runner = fragile_production.runner
    assert runner.gate().decision == ("open", "fresh", 0)
    half_remove(fragile_production, runner.app.staging)

    ended = runner.gate()

    assert ended.decision == ("open", "fresh", 0), ended.log


def test_an_engine_that_ends_closes_the_gate_and_production_comes_back_with_it(
    gating: Moment, end: End, fragile_production: Production
) -> None:
    """I5, I6. Fails when `end` of Building or `run_staging_check` takes the Engine's end for a failure of the image."""
    production, (running, _) = fragile_production, deployed(fragile_production)

    with docker_proxy(production.sandbox.engine.host) as proxy:
        gating.order(proxy, lambda _call: end(daemon_of(production.sandbox)))
        ended = production.runner.gate(DOCKER_HOST=proxy.host)

    assert ended.decision == ("closed", "error", 3), ended.log
    production.sandbox.engine.mend()
    assert production.sandbox.wait_for(production.app.production_port, "/version") == running.revision
    production.assert_serves(running)
    settled(production)
    again = production.runner.gate()
    assert again.decision == ("open", "fresh", 0), again.log
