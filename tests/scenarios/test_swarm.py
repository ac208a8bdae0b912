"""Production in a Swarm of one node; `make test-swarm` has all else, on three of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.promotions import FIRST, SECOND
from tests.support.swarm import running_swarm
from tests.support.swarm_service import Service, service_on, skip_without_swarm


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolated: Path) -> Iterator[Service]:
    """On a manager that is alone; it is not created yet."""
    skip_without_swarm()
    with running_swarm(tmp_path / "registry", workers=0) as swarm:
        yield from service_on(swarm, tmp_path, monkeypatch)


def test_one_node_needs_no_registry(service: Service) -> None:
    """I7. Fails when an image ID is refused where every task can have it, or an ID that runs is written again."""
    first, second = (service.by_id(service.build(revision)) for revision in (FIRST, SECOND))
    service.create(first, "--replicas=2", "--update-monitor=1s")

    ended = service.promote(second, HOLD_TIME="1")

    assert (ended.status, ended.outputs["outcome"]) == (0, "promoted"), ended.log
    service.assert_serves(second)
    assert service.locks() == []
    before = service.state()
    again = service.promote(second, HOLD_TIME="1")
    assert (again.status, again.outputs["outcome"]) == (0, "unchanged"), again.log
    assert service.state() == before
