"""Refused before the first write, with what leads out; the service is as it was."""

import pytest

from tests.support.engines import Engine, free_port
from tests.support.promotions import FIRST, SECOND
from tests.support.registries import PASSWORD, USER
from tests.support.runner import Ended
from tests.support.swarm_service import CREATE, Release, Service
from tests.swarm.test_promotion import outcome


def refused(service: Service, release: Release, **variables: str) -> Ended:
    before = service.state()
    ended = service.promote(release, **variables)
    assert ended.status in {1, 2, 3}, ended.log
    assert ended.outputs["outcome"] in {"refused", "error"}, ended.log
    assert service.state() == before
    assert service.locks() == []
    return ended


def test_an_image_without_a_healthcheck(service: Service) -> None:
    """I12. Where running is enough, that is said."""
    first, second = service.build(FIRST), service.build(SECOND, health=None)
    service.create(first)

    ended = refused(service, second)

    assert "HEALTHCHECK" in ended.reason
    allowed = service.promote(second, HEALTH_PATH="running")
    assert outcome(allowed) == (0, "promoted"), allowed.log
    service.assert_serves(second)


def test_start_first_with_a_port_of_the_node(service: Service) -> None:
    """With no free node Swarm says `updating` without end."""
    first, second = service.build(FIRST), service.build(SECOND)
    service.create(first, "--update-order=start-first", published=free_port())

    assert "start-first" in refused(service, second).reason


def test_an_update_that_is_paused(service: Service) -> None:
    first, second = service.build(FIRST), service.build(SECOND)
    bad = service.build(SECOND, begin="exit 1")
    service.create(first, "--update-failure-action=pause")
    service.update("--image", bad.image)
    service.wait_until("paused")
    before = service.spec

    ended = service.promote(second)

    assert outcome(ended) == (1, "refused"), ended.log
    assert "paused" in ended.reason
    assert service.spec == before


def test_an_update_that_is_under_way(service: Service) -> None:
    first, second, third = service.build(FIRST), service.build(SECOND), service.build(SECOND, stop_seconds=1)
    service.create(first, "--update-parallelism=1", "--update-monitor=10s")
    service.update("--image", third.image)
    service.wait_until("updating")
    before = service.spec

    ended = service.promote(second)

    assert outcome(ended) == (1, "refused"), ended.log
    assert service.spec == before


@pytest.mark.parametrize("kind", ["tag", "id"])
def test_an_image_that_is_not_there_for_each_node_by_its_digest(service: Service, kind: str) -> None:
    """Fails when an ID is written for three nodes: elsewhere Swarm rejects its tasks, again and again without end."""
    first, second = service.build(FIRST), service.build(SECOND)
    service.create(first)
    name = second.image.partition("@")[0] + ":build-1" if kind == "tag" else service.by_id(second).image

    refused(service, Release(revision=SECOND, image=name))


def test_an_image_of_another_commit(service: Service) -> None:
    """I2."""
    first, second = service.build(FIRST), service.build(SECOND, label=FIRST)
    service.create(first)

    refused(service, second)


def test_an_image_that_the_registry_does_not_have(service: Service) -> None:
    first = service.build(FIRST)
    service.create(first)

    refused(service, Release(revision=SECOND, image=f"{first.image.partition('@')[0]}@sha256:{'0' * 64}"))


def test_backwards_takes_a_reason(service: Service) -> None:
    first, second = service.build(FIRST), service.build(SECOND)
    service.create(second)

    refused(service, first)

    ended = service.promote(first, ALLOW_ROLLBACK="the second one loses orders")
    assert outcome(ended) == (0, "promoted"), ended.log
    service.assert_serves(first)


def test_the_registry_of_what_runs_now_is_gone(service: Service) -> None:
    """Fails when nothing leads out: that registry never answers again."""
    first, second = service.build(FIRST), service.build(SECOND)
    old = f"localhost:1/shop@{first.digest}"
    service.sandbox.cli("service", "create", "--detach", "--name", service.name, *CREATE, old)

    ended = service.promote(second)

    assert outcome(ended) == (3, "error"), ended.log
    assert f"nobody tells which commit {service.name} runs now" in ended.reason
    assert service.image == old
    allowed = service.promote(second, ALLOW_ROLLBACK="the registry of before is gone")
    assert outcome(allowed) == (0, "promoted"), allowed.log
    service.assert_serves(second)


def test_a_service_that_is_not_there(service: Service) -> None:
    second = service.build(SECOND)

    ended = service.promote(second)

    assert ended.status in {1, 2}, ended.log
    assert service.name in ended.log


def test_a_worker_is_no_manager(service: Service) -> None:
    first, second = service.build(FIRST), service.build(SECOND)
    service.create(first)

    ended = refused(service, second, DOCKER_HOST=service.swarm.workers[0].engine.host)

    assert "manager" in ended.reason


def test_an_engine_in_no_swarm(service: Service, machine: Engine) -> None:
    second = service.build(SECOND)

    ended = service.promote(second, DOCKER_HOST=machine.host)

    assert ended.status in {1, 2, 3}, ended.log
    assert "manager" in ended.reason


def test_a_registry_that_knows_nobody(closed_service: Service) -> None:
    """Swarm alone says nothing but "No such image", every five seconds. Also fails when the write has no credentials.

    Those that a service was created with would stay with it: it is created without, of an image that is there.
    """
    service, registry = closed_service, closed_service.swarm.registry.host
    login = ("login", "--username", USER, "--password", PASSWORD, registry)
    service.sandbox.cli(*login)
    first, second = service.build(FIRST), service.build(SECOND)
    for node in service.swarm.workers:
        service.sandbox.cli("--host", node.engine.host, "pull", "--quiet", first.image)
    service.create(first)
    service.sandbox.cli("logout", registry)

    refused(service, second)

    service.sandbox.cli(*login)
    ended = service.promote(second)
    assert outcome(ended) == (0, "promoted"), ended.log
    service.assert_serves(second)


@pytest.mark.timeout(300)
def test_two_managers_lost(elected_service: Service) -> None:
    """Without a quorum nobody can write; fails when what cannot be asked is taken for what is not there."""
    service = elected_service
    first, second = service.build(FIRST), service.build(SECOND)
    service.create(first)
    before = service.attrs["Version"], service.spec
    for node in service.swarm.nodes[1:]:
        node.cut()

    ended = service.promote(second)

    assert ended.status in {1, 3}, ended.log
    assert "quorum" in ended.reason or "leader" in ended.reason, ended.reason
    service.swarm.mend()
    assert (service.attrs["Version"], service.spec) == before
    assert service.locks() == []
    service.wait_until_running(first)
    assert outcome(service.promote(second)) == (0, "promoted")
