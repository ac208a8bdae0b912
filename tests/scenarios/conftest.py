"""An application of the usual shape with its runner, or its production, on each Engine or on the machine's own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.applications import Application, python_application
from tests.support.engines import Sandbox
from tests.support.jobs import Hosted, host
from tests.support.promotions import Production, make_history
from tests.support.registries import Registry, running_registry, why_no_registry
from tests.support.runner import Runner


@pytest.fixture
def make_application() -> Callable[[Path, Sandbox], Application]:
    """The usual shape; a module of scenarios that needs another has a fixture of this name."""
    return python_application


@pytest.fixture
def runner(machine_only: Sandbox, tmp_path: Path, make_application: Callable[[Path, Sandbox], Application]) -> Runner:
    """On the machine's own Engine."""
    return Runner(sandbox=machine_only, app=make_application(tmp_path / "app", machine_only), folder=tmp_path)


@pytest.fixture
def any_runner(engine: Sandbox, tmp_path: Path, make_application: Callable[[Path, Sandbox], Application]) -> Runner:
    """On each Engine in turn, for what depends on the image store."""
    return Runner(sandbox=engine, app=make_application(tmp_path / "app", engine), folder=tmp_path)


@pytest.fixture
def until_done() -> Iterator[ExitStack]:
    """Leaves at the test's end what was entered."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def registry_kind() -> str:
    """Debian's; a module that tries each kind has a fixture of this name."""
    return "debian"


@pytest.fixture
def registry(
    request: pytest.FixtureRequest, isolated: Path, tmp_path: Path, until_done: ExitStack, registry_kind: str
) -> Registry:
    """Lets everybody in, in the network of the test's Engine."""
    if reason := why_no_registry(registry_kind):
        pytest.skip(reason)
    request.getfixturevalue("any_runner" if "any_runner" in request.fixturenames else "runner")
    return until_done.enter_context(running_registry(tmp_path / "registry", registry_kind))


@pytest.fixture
def production(any_runner: Runner, record_property: Callable[[str, object], None]) -> Production:
    """On each Engine in turn; nothing is deployed yet."""
    make_history(any_runner.app.repo)
    return Production(runner=any_runner, record=record_property)


@pytest.fixture
def production_here(runner: Runner, record_property: Callable[[str, object], None]) -> Production:
    """On the machine's own Engine, for what does not depend on the image store; nothing is deployed yet."""
    make_history(runner.app.repo)
    return Production(runner=runner, record=record_property)


@pytest.fixture
def fragile_runner(fragile: Sandbox, tmp_path: Path) -> Runner:
    """On an Engine that the test may break. Both services start again with it, after a kill too."""
    app = python_application(tmp_path / "app", fragile)
    compose = (app.repo.path / "compose.yaml").read_text()
    app.repo.commit({"compose.yaml": compose.replace("    ports:", "    restart: always\n    ports:")})
    return Runner(sandbox=fragile, app=app, folder=tmp_path)


@pytest.fixture
def fragile_production(fragile_runner: Runner, record_property: Callable[[str, object], None]) -> Production:
    """On an Engine that the test may break; nothing is deployed yet."""
    make_history(fragile_runner.app.repo)
    return Production(runner=fragile_runner, record=record_property)


@pytest.fixture
def hosted(runner: Runner, tmp_path: Path) -> Iterator[Hosted]:
    """On the machine's own Engine, the application's repository on a forge."""
    with host(runner, tmp_path) as served:
        yield served
