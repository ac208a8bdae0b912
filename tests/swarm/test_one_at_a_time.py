"""One promotion at a time, and what a killed one left is told apart by the next."""

from collections.abc import Callable

import pytest

from tests.support.docker_proxy import Call, docker_proxy
from tests.support.promotions import FIRST, SECOND, THIRD
from tests.support.runner import Running
from tests.support.swarm_service import Service
from tests.swarm.test_promotion import outcome

WRITE = "POST /services/*/update"


def test_two_at_once_come_one_after_the_other(service: Service) -> None:
    """Fails when a service's label is the lock, or both write: the second write disarms the first one's rollback."""
    first, second, third = service.build(FIRST), service.build(SECOND), service.build(THIRD)
    service.create(first)

    runs = service.start(second), service.start(third)
    ended = [run.end(150) for run in runs]

    assert outcome(ended[1]) == (0, "promoted"), ended[1].log
    assert outcome(ended[0]) in {(0, "promoted"), (1, "refused")}, ended[0].log
    service.assert_serves(third)
    assert service.locks() == []


Strike = Callable[[Running, Callable[[Callable[[Call], None]], None]], None]
MOMENTS = {
    "before the lock": ("before", "POST /configs/create"),
    "with the lock": ("after", "POST /configs/create"),
    "before the write": ("before", WRITE),
    "with the write": ("after", WRITE),
    "before it lets go": ("before", "DELETE /configs/*"),
    "when it has let go": ("after", "DELETE /configs/*"),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_call_the_next_run_ends_it(service: Service, moment: str) -> None:
    """I9. Fails when the next run waits on a dead holder, or cannot tell an update that was begun."""
    first, second = service.build(FIRST), service.build(SECOND)
    service.create(first)
    when, call = MOMENTS[moment]
    with docker_proxy(service.sandbox.engine.host) as proxy:
        place = proxy.before if when == "before" else proxy.after
        run = service.start(second, DOCKER_HOST=proxy.host)
        place(call, lambda _call: run.process.kill())
        assert run.process.wait(120) == -9, run.log

    ended = service.promote(second)

    assert ended.status == 0, ended.log
    service.assert_serves(second)
    assert service.locks() == []
    assert service.labels["freshness.previous"].split()[0] == first.image


@pytest.mark.parametrize("bad", [False, True])
def test_killed_while_swarm_updates_the_next_run_waits_for_its_end(service: Service, *, bad: bool) -> None:
    """I9. A bad image is gone afterwards whoever takes it back; a good one counts without a second write."""
    first, second = service.build(FIRST), service.build(SECOND, begin="exit 1" if bad else "")
    service.create(first, "--update-parallelism=1")
    run = service.start(second)
    service.wait_until("updating")
    run.process.kill()
    run.process.wait()

    ended = service.promote(second)

    if bad:
        assert ended.status in {1, 4}, ended.log
    else:
        assert ended.status == 0, ended.log
    service.assert_serves(first if bad else second)
    assert service.locks() == []
