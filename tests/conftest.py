"""Isolation for every test, and the Engines for those that ask."""

import ipaddress
import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import chosen
from tests.support import plugins
from tests.support.daemon import Version
from tests.support.engines import (
    CLASSIC,
    CONTAINERD,
    ELSEWHERE,
    Engine,
    Sandbox,
    machine_engine,
    new_sandbox,
    private_engine,
    why_no_private_engine,
)

KEPT = {"PATH", "LANG", "LC_ALL", "TERM", "TZ", "PIP_CERT", "PIP_INDEX_URL", "PIP_CONFIG_FILE", "SSL_CERT_FILE"}
"""What a test may see of the real environment: where programs are, and how pip reaches its index."""

TESTS = Path(__file__).parent

MACHINE = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
"""Read before isolation takes the variable away."""

OWN_PLUGINS = plugins.own(os.environ)
"""As `MACHINE`."""


def pytest_configure() -> None:
    sys.addaudithook(_refuse_the_network)
    # A busy machine makes no example wrong.
    settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("patient")


def _refuse_the_network(event: str, arguments: tuple[object, ...]) -> None:
    """No test reaches beyond this machine and its containers; one that tries fails, and says where to."""
    if event != "socket.connect" or not isinstance(address := arguments[1], tuple):
        return
    try:
        public = ipaddress.ip_address(str(address[0]).partition("%")[0]).is_global
    except ValueError:
        public = str(address[0]) != "localhost"
    if public:
        raise RuntimeError(f"a test connected to {address!r}; tests serve what they ask for themselves, on loopback")


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """New folders. Not by `mktemp` each: it reads the names of all that it ever made."""
    folder = tmp_path_factory.mktemp("homes")
    return (make_folder(folder / str(number)) for number in itertools.count())


def make_folder(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.fixture(autouse=True)
def isolated(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, homes: Iterator[Path]) -> Path:
    """A home of the test's own, and nothing of the runner, Git, Docker or our settings but a person's own plugins."""
    home = next(homes)
    plugins.install(plugins.CURRENT if request.config.getoption("--current-tools") else OWN_PLUGINS, home)
    for name in os.environ:
        if name not in KEPT and not name.startswith(("PYTEST_", "PYTHON", "COV_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return home


def pytest_addoption(parser: pytest.Parser) -> None:
    what = "run on this private Engine what one is enough for, and of what runs on each in turn that half alone"
    parser.addoption("--private-engine", choices=ELSEWHERE, help=what)
    what = "run the heavy form of what breaks things: hundreds of rounds in place of a few"
    parser.addoption("--under-fire", action="store_true", help=what)
    what = "run everything with Debian sid's buildx and Compose, not with the machine's"
    parser.addoption("--current-tools", action="store_true", help=what)
    what = "of the scenarios and the actions run those alone that tests/chosen.py lists"
    parser.addoption("--chosen", action="store_true", help=what)
    parser.addoption("--swarm", action="store_true", help="run tests/swarm too, on a Swarm of three Engines")
    parser.addoption("--gitea", action="store_true", help="run tests/gitea too, on a Gitea that was built for them")
    parser.addoption("--browser", action="store_true", help="with --gitea run tests/gitea/browser too, in a browser")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leaves out what needs a Swarm, a Gitea or a browser, where that is not asked for."""
    options = {"swarm": "--swarm", "gitea": "--gitea", "gitea/browser": "--browser"}
    for folder, option in options.items():
        if collection_path == TESTS / folder and not config.getoption(option):
            return True
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what is marked `under_fire` where that is not asked for, and with `--chosen` what is not."""
    if config.getoption("--chosen") and (lost := chosen.find_lost(_name(item) for item in items)):
        raise pytest.UsageError(f"tests/chosen.py names what is not there: {', '.join(lost)}")
    left_out = {item for item in items if _is_left_out(item, config)}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


def _is_left_out(item: pytest.Item, config: pytest.Config) -> bool:
    if item.get_closest_marker("under_fire") and not config.getoption("--under-fire"):
        return True
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    if config.getoption("--private-engine") and parameters.get("engine") == "machine":
        return True
    node = _name(item)
    return config.getoption("--chosen") and not node.startswith("unit/") and not chosen.is_chosen(node)


def _name(item: pytest.Item) -> str:
    return item.nodeid.removeprefix("tests/")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Both sets of Docker's plugins for whoever uses `tools`, or the one that is asked for."""
    if "tools" in metafunc.fixturenames:
        sets = ["current"] if metafunc.config.getoption("--current-tools") else ["machine's", "current"]
        metafunc.parametrize("tools", sets, indirect=True)


@pytest.fixture
def tools(request: pytest.FixtureRequest, isolated: Path) -> None:
    """The machine's buildx and Compose, then Debian sid's: for what Compose decides."""
    if request.param == "current":
        if reason := plugins.why_no_current():
            pytest.skip(reason)
        plugins.install(plugins.CURRENT, isolated)


@pytest.fixture(scope="session")
def private(request: pytest.FixtureRequest, machine: Engine) -> Iterator[Engine]:
    """The private Engine, one for the whole run."""
    version = ELSEWHERE[request.config.getoption("--private-engine") or "26"]
    if reason := why_no_private_engine(version):
        pytest.skip(reason)
    with private_engine(machine, version) as engine:
        yield engine


@pytest.fixture(scope="session")
def machine() -> Iterator[Engine]:
    """The machine's own Engine."""
    with machine_engine(MACHINE) as engine:
        yield engine


@pytest.fixture(params=["machine", "private"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, isolated: Path) -> Iterator[Sandbox]:
    """A corner of each Engine in turn, entered: DOCKER_HOST names it, and 127.0.0.1 has the ports it publishes."""
    yield from _corner_of(request.getfixturevalue(request.param), monkeypatch)


@pytest.fixture
def machine_only(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, isolated: Path) -> Iterator[Sandbox]:
    """As `engine`, for what does not depend on the image store; `--private-engine` takes the other one."""
    name = "private" if request.config.getoption("--private-engine") else "machine"
    yield from _corner_of(request.getfixturevalue(name), monkeypatch)


@pytest.fixture(scope="session")
def breakable(machine: Engine) -> Iterator[Engine]:
    """A second private Engine with the containerd image store, which tests may break; one for the whole run."""
    yield from _breakable(machine, CONTAINERD, "containerd")


@pytest.fixture(scope="session")
def breakable_classic(machine: Engine) -> Iterator[Engine]:
    """As `breakable`, of the machine's own version, with the classic image store."""
    yield from _breakable(machine, CLASSIC, "classic")


def _breakable(machine: Engine, version: Version, label: str) -> Iterator[Engine]:
    if reason := why_no_private_engine(version):
        pytest.skip(reason)
    with private_engine(machine, version, label=label) as engine:
        yield engine


@pytest.fixture
def fragile(breakable: Engine, monkeypatch: pytest.MonkeyPatch, isolated: Path) -> Iterator[Sandbox]:
    """A corner of an Engine that the test may stop, kill, or hang, by `engine.daemon`; it is mended afterwards."""
    yield from _corner_of(breakable, monkeypatch)


@pytest.fixture
def fragile_classic(breakable_classic: Engine, monkeypatch: pytest.MonkeyPatch, isolated: Path) -> Iterator[Sandbox]:
    """As `fragile`, with the classic image store."""
    yield from _corner_of(breakable_classic, monkeypatch)


def _corner_of(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    sandbox = new_sandbox(engine)
    with engine.entered():
        try:
            yield sandbox
        finally:
            engine.mend()
            sandbox.clean()
