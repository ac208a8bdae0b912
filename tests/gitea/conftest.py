"""One Gitea with one runner for all tests, and a repository on it for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gitea.server import Gitea, running_gitea
from tests.gitea.shop import Shop, publish_actions
from tests.support.engines import Sandbox


@pytest.fixture(scope="session")
def gitea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gitea]:
    with running_gitea(tmp_path_factory.mktemp("gitea") / "data") as gitea:
        gitea.api("POST", "/orgs", {"username": "acme"})
        yield gitea


@pytest.fixture(scope="session")
def pins(gitea: Gitea, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The actions, and the commits that a workflow pins them by."""
    return publish_actions(gitea, tmp_path_factory.mktemp("actions") / "checkout")


@pytest.fixture
def shop(gitea: Gitea, pins: dict[str, str], machine_only: Sandbox, tmp_path: Path) -> Shop:
    return Shop.open(gitea, pins, machine_only, tmp_path / "shop")
