"""Several services of one application are promoted together, and taken back together."""

import json
from dataclasses import replace

import pytest

from tests.support.docker_proxy import docker_proxy
from tests.support.promotions import FIRST, SECOND, THIRD
from tests.support.swarm_service import Release, Service
from tests.swarm.test_promotion import outcome

Pair = tuple[Service, Service]


@pytest.fixture
def pair(service: Service) -> Pair:
    """`NAME-web` and `NAME-worker`; neither is created yet."""
    web, worker = (replace(service, name=f"{service.name}-{part}") for part in ("web", "worker"))
    service.runner.app.settings["SWARM_SERVICE"] = f"{web.name} {worker.name}"
    return web, worker


def create(pair: Pair, release: Release) -> None:
    for one in pair:
        one.create(release, "--replicas=2")


def test_both_are_updated_and_both_go_back(pair: Pair) -> None:
    """Fails when a rollback takes one of them alone."""
    first, second = pair[0].build(FIRST), pair[0].build(SECOND)
    create(pair, first)

    ended = pair[0].promote(second)

    assert outcome(ended) == (0, "promoted"), ended.log
    assert json.loads(ended.outputs["images"]) == {one.name: second.image for one in pair}
    for one in pair:
        one.assert_serves(second)
    rollback = pair[0].run("rollback")
    assert outcome(rollback) == (0, "promoted"), rollback.log
    for one in pair:
        one.assert_serves(first)
    assert pair[0].locks() == []


def test_one_that_fails_takes_both_back(pair: Pair) -> None:
    """I9. Fails when what was proven stays on the new commit."""
    web, worker = pair
    first, second, bad = web.build(FIRST), web.build(SECOND), web.build(SECOND, begin="exit 1")
    create(pair, first)
    images = json.dumps({web.name: second.image, worker.name: bad.image})

    ended = web.promote(second, SOURCE_IMAGE="", SOURCE_IMAGES=images)

    assert outcome(ended) == (4, "rolled-back"), ended.log
    for one in pair:
        one.assert_serves(first)
    assert web.locks() == []


def test_killed_between_the_two_writes_both_end_on_one_commit(pair: Pair) -> None:
    """I9. The next run, which is refused for its own reason, has first put everything in order."""
    first, second = pair[0].build(FIRST), pair[0].build(SECOND)
    create(pair, first)
    with docker_proxy(pair[0].sandbox.engine.host) as proxy:
        run = pair[0].start(second, DOCKER_HOST=proxy.host)
        proxy.before("POST /services/*/update", lambda _call: run.process.kill(), nth=2)
        assert run.process.wait(120) == -9, run.log

    ended = pair[0].promote(second, EXPECTED_REVISION=THIRD)

    assert outcome(ended) == (1, "refused"), ended.log
    images = {one.image for one in pair}
    assert len(images) == 1, images
    for one in pair:
        one.assert_serves(first if images == {first.image} else second)
    assert pair[0].locks() == []


def test_a_service_that_was_removed_since_holds_up_nothing(pair: Pair) -> None:
    """I9. Fails when the next run wants it named together with the other one: it cannot be."""
    web, worker = pair
    first, second = web.build(FIRST), web.build(SECOND)
    create(pair, first)
    with docker_proxy(web.sandbox.engine.host) as proxy:
        run = web.start(second, DOCKER_HOST=proxy.host)
        proxy.before("POST /services/*/update", lambda _call: run.process.kill(), nth=2)
        assert run.process.wait(120) == -9, run.log
    web.sandbox.cli("service", "rm", worker.name)

    ended = web.promote(second, SWARM_SERVICE=web.name)

    assert outcome(ended) == (0, "promoted"), ended.log
    web.assert_serves(second)
