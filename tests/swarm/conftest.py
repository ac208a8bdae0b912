"""A Swarm of three Engines for the whole run, and a service of it for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.applications import BUSYBOX, Application
from tests.support.engines import CLASSIC, free_port, new_sandbox, why_no_private_engine
from tests.support.git import GitRepo
from tests.support.promotions import make_history
from tests.support.registries import why_no_registry
from tests.support.runner import Runner
from tests.support.swarm import Swarm, running_swarm
from tests.support.swarm_service import Service

SETTINGS = {"HOLD_TIME": "2", "HEALTH_RETRIES": "60", "HEALTH_INTERVAL": "1"}


@pytest.fixture(scope="session")
def swarm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    """One manager and two workers; tests may cut links, and mend them."""
    skip_without_tools()
    with running_swarm(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="session")
def single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    """A manager alone."""
    skip_without_tools()
    with running_swarm(tmp_path_factory.mktemp("registry"), workers=0) as running:
        yield running


def skip_without_tools() -> None:
    if reason := why_no_private_engine(CLASSIC) or why_no_registry("debian"):
        pytest.skip(reason)
    if not BUSYBOX.exists():
        pytest.skip("there is no static BusyBox; `make test` puts it into .cache where apt has it")


@pytest.fixture
def service(swarm: Swarm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolated: Path) -> Iterator[Service]:
    """Of the three nodes; the test is on the manager: DOCKER_HOST names it, and 127.0.0.1 is its loopback."""
    yield from service_on(swarm, tmp_path, monkeypatch)


def service_on(swarm: Swarm, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    engine = swarm.manager.engine
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    with engine.entered():
        service = Service(swarm=swarm, runner=make_runner(swarm, folder))
        try:
            yield service
        finally:
            swarm.mend()
            service.clean()


def make_runner(swarm: Swarm, folder: Path) -> Runner:
    sandbox = new_sandbox(swarm.manager.engine)
    app = Application(
        repo=GitRepo.init(folder / "app"),
        project=sandbox.name,
        staging="none",
        production="web",
        staging_port=0,
        production_port=free_port(),
        settings={**SETTINGS, "SWARM_SERVICE": sandbox.name},
    )
    app.repo.commit({"README": "A shop in a Swarm"})
    make_history(app.repo)
    return Runner(sandbox=sandbox, app=app, folder=folder)
