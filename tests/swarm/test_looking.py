"""Who only looks at a Swarm changes nothing; and a lock that a killed run left is shown, and broken where one asks."""

import json

from tests.support.docker_proxy import docker_proxy
from tests.support.promotions import FIRST, SECOND
from tests.support.swarm_service import Service
from tests.swarm.test_promotion import outcome


def test_the_doctor_names_what_an_update_would_be_refused_for(service: Service) -> None:
    """Breaks when the doctor looks for a Compose file of production in place of the service."""
    service.create(service.build(FIRST))
    before = service.state()

    fit = service.run("doctor")
    service.sandbox.cli("service", "scale", "--detach", f"{service.name}=0")
    unfit = service.run("doctor")

    assert f"production: {service.name} in the swarm: 3 of 3 tasks run" in fit.log
    assert f"{service.name} has 0 replicas" in unfit.log
    assert unfit.status == 1
    assert service.state().spec == before.spec.replace("'Replicas': 3", "'Replicas': 0")


def test_the_list_of_a_rollback_names_what_ran_before(service: Service) -> None:
    first, second = service.build(FIRST), service.build(SECOND)
    service.create(first)
    assert outcome(service.promote(second)) == (0, "promoted")

    told = service.run("rollback", "--list", "--json")

    assert [(one["number"], one["image_id"], one["revision"], one["runs"]) for one in json.loads(told.log)] == [
        (0, second.digest, SECOND, True),
        (1, first.digest, FIRST, False),
    ]


def test_a_lock_of_a_dead_run_is_shown_and_broken(service: Service) -> None:
    """Breaks when `unlock` looks for a volume, or the config's hashed name is not found again."""
    first, second = service.build(FIRST), service.build(SECOND)
    service.create(first)
    with docker_proxy(service.sandbox.engine.host) as proxy:
        run = service.start(second, DOCKER_HOST=proxy.host)
        proxy.after("POST /configs/create", lambda _call: run.process.kill())
        assert run.process.wait(120) == -9, run.log
    assert service.locks() != []

    broken = service.run("unlock")

    assert broken.status == 0, broken.log
    assert f"freshness-swarm.{service.name} is locked by" in broken.log
    assert "has ended" in broken.log
    assert service.locks() == []
    service.assert_serves(first)


def test_unlock_leaves_what_a_dead_run_wrote_to_the_next_run(service: Service) -> None:
    """I9. Breaks when `unlock` takes the dead run's token away: it alone tells that its image is not proven."""
    first, second = service.build(FIRST), service.build(SECOND)
    service.create(first)
    with docker_proxy(service.sandbox.engine.host) as proxy:
        run = service.start(second, DOCKER_HOST=proxy.host)
        proxy.after("POST /services/*/update", lambda _call: run.process.kill())
        assert run.process.wait(120) == -9, run.log

    for _ in range(2):
        broken = service.run("unlock")
        assert broken.status == 0, broken.log
        assert "It left an update that is not proven." in broken.log
    ended = service.promote(second)

    assert ended.status == 0, ended.log
    assert "An interrupted promotion of" in ended.log
    assert service.locks() == []
    service.assert_serves(second)
