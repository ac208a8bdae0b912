"""A Swarm of three Engines for the whole run, and a service of it for each test."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.swarm import Swarm, running_swarm
from tests.support.swarm_service import Service, service_on, skip_without_swarm


@pytest.fixture(scope="session")
def swarm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    """One manager and two workers; tests may cut links, and mend them."""
    skip_without_swarm()
    with running_swarm(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="session")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    """As `swarm`, whose registry lets in only who has logged in."""
    skip_without_swarm()
    with running_swarm(tmp_path_factory.mktemp("registry"), password=True) as running:
        yield running


@pytest.fixture(scope="session")
def three_managers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    """Three managers, who run tasks as well."""
    skip_without_swarm()
    with running_swarm(tmp_path_factory.mktemp("registry"), managers=3, workers=0) as running:
        yield running


@pytest.fixture
def service(swarm: Swarm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolated: Path) -> Iterator[Service]:
    """Of the three nodes; the test is on the manager: DOCKER_HOST names it, and 127.0.0.1 is its loopback."""
    yield from service_on(swarm, tmp_path, monkeypatch)


@pytest.fixture
def closed_service(closed: Swarm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolated: Path) -> Iterator[Service]:
    """Where the registry lets in only who has logged in."""
    yield from service_on(closed, tmp_path, monkeypatch)


@pytest.fixture
def elected_service(
    three_managers: Swarm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolated: Path
) -> Iterator[Service]:
    """Where three managers agree."""
    yield from service_on(three_managers, tmp_path, monkeypatch)


@pytest.fixture
def stack(service: Service) -> Service:
    """The service `web` of a stack that is called like the sandbox; nobody has deployed it yet."""
    named = replace(service, name=f"{service.sandbox.name}_web")
    service.runner.app.settings["SWARM_SERVICE"] = named.name
    return named
