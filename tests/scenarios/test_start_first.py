"""Production behind a real proxy: the new container is proven beside the old one, and no request ever fails."""

import contextlib
import signal
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

import pytest

from tests.scenarios.test_kills import Siege
from tests.support.docker_proxy import docker_proxy
from tests.support.promotions import FIRST, LABEL, SECOND, SHORT, Production, make_history, promoted
from tests.support.proxy import build_proxy, documented_configuration, why_no_proxy
from tests.support.runner import Runner, Running

PORT = 8000
"""What the application listens on in its container."""

COMPOSE = """\
name: {project}
services:
  orchestrator-staging:
    image: {project}-orchestrator-staging
    ports: ["127.0.0.1:{staging_port}:8000"]
  orchestrator:
    image: {project}-orchestrator
    environment:
      TARGET: production
      COLOUR: green
    networks: [behind]
  proxy:
    image: {project}-proxy
    networks: [behind, default]
    ports: ["127.0.0.1:{production_port}:8080"]
networks:
  behind:
    internal: true
"""

FEW = 50
"""Of all calls every how many is a moment to kill, without `--under-fire`."""

OVERLAP = {"UPDATE_OVERLAP": "1.5"}
"""Longer than the documented proxy takes to find a container and to find it healthy."""


@pytest.fixture
def production(runner: Runner, tmp_path: Path, record_property: Callable[[str, object], None]) -> Production:
    """The application's production behind a proxy that is up, on the machine's own Engine; nothing is deployed yet."""
    if reason := why_no_proxy():
        pytest.skip(reason)
    app = runner.app
    configuration = documented_configuration(app.production, PORT)
    build_proxy(runner.sandbox, tmp_path / "proxy", configuration, f"{app.project}-proxy")
    compose = COMPOSE.format(project=app.project, staging_port=app.staging_port, production_port=app.production_port)
    app.repo.commit({"compose.yaml": compose})
    app.settings.update(PROD_PORT=str(PORT), UPDATE_ORDER="start-first", **OVERLAP)
    make_history(app.repo)
    runner.compose("up", "--detach", "--no-deps", "proxy")
    return Production(runner=runner, record=record_property, pause=0)


def test_neither_a_promotion_nor_a_rollback_fails_a_request(production: Production) -> None:
    """Fails when `_prove` in plan.py does not wait for the overlap, or `_finish` in plan.py comes before the proof.

    The old container serves on for a while after its stop signal, and is given the time.
    """
    first, second = production.build(FIRST, {"stop_seconds": 1}), production.build(SECOND)
    production.deploy(first)
    old = str(production.container().id)

    with production.asking() as answers, end_of(production, old) as old_end:
        promotion = production.start("promote", SOURCE_IMAGE=second.id, EXPECTED_REVISION=SECOND).end()
        assert (promotion.status, promotion.outputs["outcome"]) == (0, "promoted"), promotion.log
        production.assert_serves(second)
        assert production.kept() == first.id
        status, ended_at = old_end()
        assert status == "0"
        assert ended_at - started_at(production) >= float(OVERLAP["UPDATE_OVERLAP"]) + 1
        rollback = production.start("rollback").end()

    assert (rollback.status, rollback.outputs["outcome"]) == (0, "promoted"), rollback.log
    production.assert_serves(first)
    before = production.state()
    production.runner.compose("up", "--detach", "--no-deps", production.app.production)
    assert production.state() == before
    assert production.container().name == f"{production.app.project}-orchestrator-1"
    assert answers.failures == 0
    assert answers.revisions == [first.revision, second.revision]


FAILURES: Mapping[str, dict[str, object]] = {
    "never gets healthy": {"health": 503},
    "ends while it serves beside the old one": {"exit_after": 2},
    "ends when only the hold time is left": {"exit_after": 4},
    "cannot start": {},
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failing_promotion_leaves_the_old_container_as_it_was(failure: str, production: Production) -> None:
    """I9. Fails when `_bring_back` in rollout.py leaves anything to Compose while the old container runs.

    The Compose file has changed meanwhile: Compose would make the old container anew.
    """
    running = production.build(FIRST)
    production.deploy(running)
    image = production.build(SECOND, FAILURES[failure])
    if failure == "cannot start":
        command = f'FROM python:3.13-slim\nLABEL {LABEL}={SECOND}\nCMD ["/no/such/program"]\n'
        image = production.build_from(command, revision=SECOND)
    paint_blue(production)
    before = production.state()

    times = {"UPDATE_OVERLAP": "0.2", "HOLD_TIME": "30"} if "hold" in failure else {"UPDATE_OVERLAP": "30"}
    ended = production.promote(image, **SHORT, **times)

    assert ended.end == (4, "rolled-back"), ended.log
    assert production.state() == before
    production.assert_serves(running)
    assert ended.answers.failures == 0
    assert set(ended.answers.revisions) <= {running.revision, image.revision}


def test_the_overlap_counts_as_part_of_the_hold(production: Production) -> None:
    """Fails when `_prove` in plan.py adds the one to the other, or retires the old container before the hold ends."""
    running, image = production.build(FIRST), production.build(SECOND)
    production.deploy(running)
    old = str(production.container().id)

    with end_of(production, old) as old_end:
        ended = production.promote(image, UPDATE_OVERLAP="3", HOLD_TIME="4")
        _, ended_at = old_end()

    assert ended.end == (0, "promoted"), ended.log
    seconds = {check["name"]: check["seconds"] for check in ended.report["checks"]}
    assert seconds["hold"] < 2, seconds
    assert ended_at - started_at(production) >= 4


@pytest.mark.usefixtures("tools")
def test_what_runs_already_is_left_alone_until_the_compose_file_changes(production: Production) -> None:
    """I11. Fails when `start_beside` in start_first.py starts what is alike, or compares only the images."""
    image = production.build(FIRST)
    assert production.promote(image).end == (0, "promoted")
    before = production.state()

    assert production.promote(image).end == (0, "unchanged")
    assert production.state() == before
    paint_blue(production)
    changed = production.promote(image)

    assert changed.end == (0, "promoted"), changed.log
    production.assert_serves(image)
    assert "COLOUR=blue" in production.container().attrs["Config"]["Env"]
    assert changed.answers.failures == 0
    assert production.promote(image).end == (0, "unchanged")


def test_an_interrupted_promotion_goes_back_without_a_failed_request(production: Production) -> None:
    """I9. Fails when `do` in rollout.py waits with interrupts deferred."""
    running, image = production.build(FIRST), production.build(SECOND)
    production.deploy(running)
    before = production.state()

    with production.asking() as answers:
        run = production.start("promote", SOURCE_IMAGE=image.id, EXPECTED_REVISION=SECOND, UPDATE_OVERLAP="60")
        run.wait_for("serves beside")
        run.process.send_signal(signal.SIGTERM)
        ended = promoted(run, answers)

    assert ended.end == (143, "rolled-back"), ended.log
    assert production.state() == before
    assert answers.failures == 0


def test_interrupted_while_the_old_container_drains_it_is_promoted(production: Production) -> None:
    """I9. Fails when `execute` in execute.py raises an interrupt behind the overlap, where the old one ends."""
    running, image = production.build(FIRST, {"stop_seconds": 2}), production.build(SECOND)
    production.deploy(running)

    with production.asking() as answers, told_to_stop(production, str(production.container().id)) as told:
        run = production.start("promote", SOURCE_IMAGE=image.id, EXPECTED_REVISION=SECOND)
        told()
        run.process.send_signal(signal.SIGTERM)
        ended = promoted(run, answers)

    assert ended.end == (0, "promoted"), ended.log
    production.assert_serves(image)
    assert production.kept() == running.id
    assert answers.failures == 0
    assert answers.revisions == [running.revision, image.revision]


@pytest.mark.parametrize("health", [200, 503])
def test_a_paused_production_is_replaced_or_goes_on(health: int, production: Production) -> None:
    """I9. Fails when `create_another` in engine/compose.py leaves it paused: Compose would start it, and fail."""
    running, image = production.build(FIRST), production.build(SECOND, {"health": health})
    production.deploy(running)
    production.container().pause()

    ended = production.promote(image, **SHORT)

    assert ended.end == ((0, "promoted") if health == 200 else (4, "rolled-back")), ended.log
    production.assert_serves(image if health == 200 else running)


def test_files_in_an_anonymous_volume_are_not_left_behind(production: Production) -> None:
    """Fails when `_create_another` in start_first.py starts beside such a container another one without its files."""
    production.app.repo.write({"Dockerfile": (production.app.repo.path / "Dockerfile").read_text() + "VOLUME /data\n"})
    image = production.build(FIRST)
    production.deploy(image)
    production.sandbox.cli("exec", str(production.container().id), "sh", "-c", "echo mine > /data/orders")
    paint_blue(production)
    before = production.state().containers

    ended = production.promote(image)

    assert ended.end == (4, "rolled-back"), ended.log
    assert "/data" in ended.reason
    assert production.state().containers == before
    assert ended.answers.failures == 0


CUTS: Mapping[str, tuple[dict[str, object], str, str]] = {
    "while both serve": ({}, "serves beside", "finished"),
    "before it is healthy": ({"health": 503}, "to be healthy", "undone"),
}


@pytest.mark.parametrize("cut", CUTS)
def test_what_a_killed_promotion_left_beside_is_finished_or_undone(cut: str, production: Production) -> None:
    """Fails when `start_beside` in start_first.py removes the old container before the new one is proven.

    The next command is a promotion that is refused, so that nothing but the recovery changes production.
    """
    behaviour, moment, what = CUTS[cut]
    running, image = production.build(FIRST), production.build(SECOND, behaviour)
    production.deploy(running)

    with production.asking() as answers:
        run = production.start("promote", SOURCE_IMAGE=image.id, EXPECTED_REVISION=SECOND)
        run.wait_for(moment)
        run.process.kill()
        run.process.wait()
        assert len(production.runner.containers(production.app.production)) == 2
        ended = production.start("promote", SOURCE_IMAGE="no-such-image", EXPECTED_REVISION=SECOND, **SHORT).end()

    assert ended.outputs["outcome"] == "refused", ended.log
    assert f"was {what}" in ended.log
    production.assert_serves(image if what == "finished" else running)
    assert answers.failures == 0


def test_killed_at_any_call_to_docker_it_fails_no_request(
    production: Production, request: pytest.FixtureRequest
) -> None:
    """I9. Fails when `start_beside` in start_first.py or `_bring_back` in rollout.py leaves a wrong name.

    Without `--under-fire` a few of the calls are tried; the promotion goes to and fro.
    """
    every = 1 if request.config.getoption("--under-fire") else FEW
    siege = Siege(production, signal.SIGKILL, every=every)

    def at_call(_run: Running, moment: int, end: Callable[[], None]) -> None:
        proxy.before(len(proxy.calls) + moment, lambda _call: end())

    with docker_proxy(production.sandbox.engine.host) as proxy, production.asking() as answers:
        calls = siege.run(at_call, host=proxy.host)

    assert calls > FEW
    assert answers.failures == 0
    assert answers.revisions == [FIRST, SECOND]


def test_a_second_container_that_nobody_recorded_is_named(production: Production) -> None:
    """I12. Fails when `_refuse_loss` in observe.py takes any of several containers for production's."""
    running, image = production.build(FIRST), production.build(SECOND)
    production.deploy(running)
    production.runner.compose(
        "up", "--detach", "--no-deps", "--no-recreate", "--scale", "orchestrator=2", "orchestrator"
    )
    before = production.state()

    ended = production.promote(image)

    assert ended.end == (1, "refused"), ended.log
    assert f"{production.app.project}-orchestrator-2" in ended.reason
    assert production.state() == before


def test_what_two_containers_cannot_share_is_a_configuration_error(production: Production) -> None:
    """Fails when `_read_application` in subject.py does not say that the service changes in pairs."""
    image = production.build(FIRST)
    compose = production.app.repo.path / "compose.yaml"
    ports = '    container_name: web\n    ports: ["127.0.0.1::8000"]\n    networks: [behind]\n'
    compose.write_text(compose.read_text().replace("    networks: [behind]\n", ports))
    before = production.state()

    ended = production.runner.start("promote", SOURCE_IMAGE=image.id, EXPECTED_REVISION=FIRST).end()

    assert (ended.status, ended.outputs["outcome"]) == (2, "error"), ended.log
    assert "publishes" in ended.reason
    assert "container_name: web" in ended.reason
    assert production.state() == before


def paint_blue(production: Production) -> None:
    """Changes what the Compose file says of production."""
    compose = production.app.repo.path / "compose.yaml"
    compose.write_text(compose.read_text().replace("green", "blue"))


@contextlib.contextmanager
def end_of(production: Production, container: str) -> Iterator[Callable[[], tuple[str, float]]]:
    """Within the block tells with which exit status the container ended, and when, by the Engine's own events."""
    ends = production.sandbox.docker.api.events(decode=True, filters={"container": container, "event": "die"})

    def tell() -> tuple[str, float]:
        end = next(ends)
        return end["Actor"]["Attributes"]["exitCode"], end["timeNano"] / 1e9

    yield tell
    ends.close()


@contextlib.contextmanager
def told_to_stop(production: Production, container: str) -> Iterator[Callable[[], object]]:
    """Within the block waits until the container was sent its stop signal, by the Engine's own events."""
    signals = production.sandbox.docker.api.events(decode=True, filters={"container": container, "event": "kill"})
    yield lambda: next(signals)
    signals.close()


def started_at(production: Production) -> float:
    """When production's container started, by the Engine's clock."""
    text: str = production.container().attrs["State"]["StartedAt"]
    return datetime.fromisoformat(text).timestamp()
