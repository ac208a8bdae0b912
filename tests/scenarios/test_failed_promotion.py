"""After a failed promotion what served before serves, tagged as before; else a person is told what to type."""

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Iterator

import pytest

from tests.support.docker_proxy import Call, DockerProxy, docker_proxy
from tests.support.engines import pause
from tests.support.promotions import FIRST, LABEL, SECOND, SHORT, THIRD, Built, Production, type_commands
from tests.support.runner import Running

DEAD: dict[str, object] = {"exit_after": 0}
"""What fails soonest, where it does not matter how."""

NEEDS_DATABASE = """\
    volumes: ["{host}:/host:ro"]
    healthcheck:
      test: ["CMD", "test", "-d", "/host/database"]
      interval: 200ms
      retries: 2
"""
"""The last lines of production's service: healthy for as long as the host has its part."""

FAILURES: dict[str, dict[str, object]] = {
    "never gets healthy": {"health": 503},
    "ends by itself": DEAD,
    "fails in production alone": {"unhealthy_on": "production"},
    "never ends its answer": {"health": "drip"},
}


@pytest.mark.parametrize("behaviour", FAILURES.values(), ids=FAILURES)
def test_a_bad_image_leaves_the_previous_one_serving(behaviour: dict[str, object], production_here: Production) -> None:
    """I9. Fails when `_tag` in plan.py has no undo that tags `previous` again, or none restores a retained tag."""
    kept, running = production_here.build(FIRST), production_here.build(SECOND)
    production_here.sandbox.cli("tag", kept.id, production_here.kept_tag)
    production_here.deploy(running)
    image = production_here.build(THIRD, behaviour)
    before = production_here.state()

    ended = production_here.promote(image, **SHORT)

    production_here.assert_serves(running)
    assert ended.end == (4, "rolled-back"), ended.log
    assert ended.outputs["image-id"] == ended.outputs["previous-image-id"] == running.id
    assert production_here.state().tags == before.tags
    assert set(ended.answers.revisions) <= {running.revision, image.revision}


def test_a_kept_image_that_nothing_else_names_is_kept_again(production: Production) -> None:
    """I9. Fails when `find_change` in observe.py does not remember what the kept tag names."""
    kept, running = production.build(FIRST), production.build(SECOND)
    production.sandbox.cli("tag", kept.id, production.kept_tag)
    production.sandbox.cli("rmi", f"{production.sandbox.name}-built:0")
    production.deploy(running)

    ended = production.promote(production.build(THIRD, DEAD))

    assert ended.end == (4, "rolled-back"), ended.log
    assert production.kept() == kept.id


@pytest.mark.usefixtures("tools")
def test_what_staging_passed_and_production_fails_is_taken_back(production_here: Production) -> None:
    """I9. Fails when `_prove` in plan.py believes the gate and does not wait for production's own health."""
    production, running = production_here, production_here.build(FIRST)
    production.deploy(running)
    production.build(SECOND, {"unhealthy_on": "production"})  # leaves the behaviour in the work tree, to be committed
    production.app.repo.commit({})
    gate = production.runner.gate()
    assert gate.outputs["gate"] == "open", gate.log

    ended = production.promote(
        SOURCE_IMAGE=gate.outputs["image-id"], EXPECTED_REVISION=gate.outputs["revision"], **SHORT
    )

    production.assert_serves(running)
    assert ended.end == (4, "rolled-back"), ended.log


def test_an_image_that_its_healthcheck_calls_unhealthy_is_taken_back(production_here: Production) -> None:
    """I9. Fails when `_told` in engine/waiting.py takes anything but `healthy` for good."""
    running = healthchecked(production_here, FIRST, "true")
    production_here.deploy(running)

    ended = production_here.promote(healthchecked(production_here, SECOND, "false"), HEALTH_PATH="none")

    production_here.assert_serves(running)
    assert ended.end == (4, "rolled-back"), ended.log
    assert "unhealthy" in ended.reason


def healthchecked(production: Production, revision: str, command: str) -> Built:
    base = f"{production.sandbox.name}-base:{revision[:1]}"
    production.build(revision, tag=base)
    check = f"HEALTHCHECK --interval=200ms --retries=2 CMD {command}"
    return production.build_from(f"FROM {base}\n{check}\n", revision=revision)


def test_an_image_that_cannot_start_is_taken_back(production_here: Production) -> None:
    """I9. Fails when `recreate` in engine/compose.py takes a failed `up` for a success."""
    running = production_here.build(FIRST)
    production_here.deploy(running)
    broken = f'FROM python:3.13-slim\nLABEL {LABEL}={SECOND}\nCMD ["/no/such/program"]\n'

    ended = production_here.promote(production_here.build_from(broken, revision=SECOND))

    production_here.assert_serves(running)
    assert ended.end == (4, "rolled-back"), ended.log
    assert ended.answers.revisions == [running.revision]


def test_a_first_deployment_that_fails_leaves_nothing(production: Production) -> None:
    """I9. Fails when `_bring_back` in rollout.py does not remove the container, or leaves the tag."""
    image = production.build(FIRST, DEAD)
    before = production.state()

    ended = production.promote(image)

    assert ended.end == (4, "rolled-back"), ended.log
    assert ended.outputs["previous-image-id"] == ended.outputs["image-id"] == ""
    assert "nothing served before" in ended.reason
    assert production.state() == before


def test_a_production_that_nobody_proved_is_returned_to(production_here: Production) -> None:
    """I9. Fails when `prove` in candidate.py guards the way back too."""
    production, adopted = production_here, production_here.build(FIRST, label="")
    production.deploy(adopted)

    ended = production.promote(production.build(SECOND, DEAD))

    production.assert_serves(adopted)
    assert ended.end == (4, "rolled-back"), ended.log
    assert "unproven" in ended.reason


def test_the_way_back_leads_to_what_ran_and_not_to_what_the_tag_named(production: Production) -> None:
    """I9. Fails when `find_change` in observe.py takes `previous` from production's tag in place of its container."""
    running, stray = production.build(FIRST), production.build(SECOND)
    production.deploy(running)
    production.sandbox.cli("tag", stray.id, production.tag)

    ended = production.promote(production.build(THIRD, DEAD))

    production.assert_serves(running)
    assert ended.end == (4, "rolled-back"), ended.log
    assert stray.revision not in ended.answers.revisions


def lose_a_network(production: Production, _image: Built, _proxy: DockerProxy) -> None:
    compose = production.app.repo.path / "compose.yaml"
    service = compose.read_text().replace("TARGET: production\n", "TARGET: production\n    networks: [gone]\n")
    compose.write_text(f"{service}networks: {{gone: {{external: true, name: {production.sandbox.name}-gone}}}}\n")


def lose_the_candidate(production: Production, image: Built, proxy: DockerProxy) -> None:
    paint_blue(production)
    proxy.before("POST /images/*/tag", lambda _call: production.sandbox.cli("rmi", "--force", image.id))


@pytest.mark.parametrize("call", ["GET /networks/*", "POST /containers/*/start"])
def test_a_compose_that_something_ends_is_named_and_taken_back(call: str, production_here: Production) -> None:
    """I9. Fails when `_compose_up` in engine/compose.py takes its last words for why it failed."""
    production, running = production_here, production_here.build(FIRST)
    production.deploy(running)
    image, runs = production.build(SECOND), list[Running]()

    with docker_proxy(production.sandbox.engine.host) as proxy:
        proxy.before(call, lambda _call: os.kill(runs[0].wait_for_child(" up "), signal.SIGKILL))
        runs.append(
            production.start("promote", SOURCE_IMAGE=image.id, EXPECTED_REVISION=SECOND, DOCKER_HOST=proxy.host)
        )
        ended = runs[0].end()

    assert (ended.status, ended.outputs["outcome"]) == (4, "rolled-back"), ended.log
    assert "Compose was ended by SIGKILL" in ended.reason
    production.assert_serves(running)


LOSSES = {"a network of the Compose file": lose_a_network, "the candidate": lose_the_candidate}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_production_that_compose_never_touched_is_left_as_it_is(loss: str, production_here: Production) -> None:
    """I9. Fails when `_bring_back` in rollout.py leaves to Compose what runs on: its file has changed meanwhile."""
    production, running = production_here, production_here.build(FIRST)
    production.deploy(running)
    image = production.build(SECOND)
    before = production.state().containers

    with docker_proxy(production.sandbox.engine.host) as proxy:
        LOSSES[loss](production, image, proxy)
        ended = production.promote(image, DOCKER_HOST=proxy.host)

    assert ended.end == (4, "rolled-back"), ended.log
    assert production.state().containers == before
    production.assert_serves(running)
    assert ended.answers.failures == 0


def test_what_was_cut_before_it_changed_anything_is_undone_without_a_recreation(production_here: Production) -> None:
    """Fails if `_bring_back` in rollout.py asks Compose after a cut run: the next commit's Compose file is another."""
    production, running = production_here, production_here.build(FIRST)
    production.deploy(running)
    image = production.build(SECOND)
    before = production.state()
    with docker_proxy(production.sandbox.engine.host) as proxy:
        run = production.start("promote", SOURCE_IMAGE=image.id, EXPECTED_REVISION=SECOND, DOCKER_HOST=proxy.host)
        proxy.before("POST /images/*/tag", lambda _call: run.process.kill())
        run.process.wait(60)
    paint_blue(production)

    ended = production.promote(image, EXPECTED_REVISION=THIRD)

    assert ended.end == (1, "refused"), ended.log
    assert "was undone" in ended.log
    assert production.state() == before
    assert ended.answers.failures == 0


def test_an_image_that_nobody_promoted_does_not_serve_until_the_health_deadline(production_here: Production) -> None:
    """Fails when `_serve` in rollout.py does not look which image a container runs before it is probed.

    Production's tag is moved when it was set, looked at, and the previous image is kept.
    """
    production, running = production_here, production_here.build(FIRST)
    production.deploy(running)
    image, stray = production.build(SECOND), production.build(THIRD, {"health": 503})

    with docker_proxy(production.sandbox.engine.host) as proxy:
        move = lambda _call: production.sandbox.cli("tag", stray.id, production.tag)  # noqa: E731
        proxy.after("POST /images/*/tag", move, nth=2)
        ended = production.promote(image, DOCKER_HOST=proxy.host)

    assert ended.end == (4, "rolled-back"), ended.log
    assert f"runs {stray.id}" in ended.reason
    assert "HTTP 503" not in ended.log
    production.assert_serves(running)


def test_a_cut_promotion_is_finished_where_an_old_tag_cannot_be_taken_away(production_here: Production) -> None:
    """Fails when `finish_plan` in plan.py requires the tags of older images: production serves, and is healthy."""
    production, images = production_here, [production_here.build(one) for one in (FIRST, SECOND)]
    production.deploy(images[0])
    assert production.promote(images[1]).status == 0
    image = production.build(THIRD, {"start_seconds": 2})
    run = production.start("promote", SOURCE_IMAGE=image.id, EXPECTED_REVISION=THIRD)
    run.wait_for("to be healthy")
    run.process.kill()
    run.process.wait()

    with docker_proxy(production.sandbox.engine.host) as proxy:
        proxy.before("DELETE /images/*", Call.drop)
        ended = production.promote(image, DOCKER_HOST=proxy.host, KEEP_IMAGES="1")

    assert ended.end == (0, "unchanged"), ended.log
    assert "was finished" in ended.log
    assert "Not all tags of older images are as they should be" in ended.log
    production.assert_serves(image)
    assert production.kept() == images[1].id


def paint_blue(production: Production) -> None:
    """Changes what the Compose file says of production."""
    compose = production.app.repo.path / "compose.yaml"
    compose.write_text(compose.read_text().replace("TARGET: production\n", "TARGET: production\n      COLOUR: blue\n"))


def test_when_the_way_back_fails_too_the_commands_it_names_bring_production_back(production: Production) -> None:
    """I9. Fails when `_went_back` in execute.py believes that the way back worked, or a command has a word missing.

    As soon as Compose has stopped the old container, a process takes production's port and keeps it.
    """
    running = production.build(FIRST)
    production.deploy(running)
    image = production.build(SECOND)

    with taking(production.app.production_port):
        ended = production.runner.start("promote", SOURCE_IMAGE=image.id, EXPECTED_REVISION=SECOND).end()
    assert (ended.status, ended.outputs["outcome"]) == (5, "stranded"), ended.log
    assert ended.outputs["image-id"] == ""
    type_commands(ended.reason)

    assert production.sandbox.wait_for(production.app.production_port, "/version") == running.revision
    production.assert_serves(running)


def test_a_broken_host_strands_production_until_it_is_mended_and_the_commands_are_typed(
    production_here: Production,
) -> None:
    """I9. Fails when `_prove` in plan.py does not prove what was brought back, or a command quotes no path."""
    production = production_here
    host = production.runner.folder / "the host"
    database = host / "database"
    database.mkdir(parents=True)
    compose = host / "compose.yaml"
    compose.write_text((production.app.repo.path / "compose.yaml").read_text() + NEEDS_DATABASE.format(host=host))
    production.app.settings["COMPOSE_FILE"] = str(compose)
    running = production.build(FIRST)
    production.deploy(running)
    image = production.build(SECOND)

    database.rmdir()
    ended = production.promote(image, HEALTH_PATH="none")
    assert ended.end == (5, "stranded"), ended.log
    database.mkdir()
    type_commands(ended.reason)

    assert production.sandbox.wait_for(production.app.production_port, "/version") == running.revision
    production.assert_serves(running)
    assert set(ended.answers.revisions) <= {running.revision, image.revision}


@contextlib.contextmanager
def taking(port: int) -> Iterator[None]:
    """Takes the port as soon as it is free, and keeps it for as long as the block lasts."""
    ended = threading.Event()

    def take() -> None:
        while not ended.is_set():
            try:
                with socket.create_server(("127.0.0.1", port)):
                    ended.wait()
            except OSError:
                pause()

    thread = threading.Thread(target=take)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
