"""Gitea's own registry: what a gate publishes there, and where production's tag goes."""

import base64
from pathlib import Path

import pytest

from tests.gitea.server import PASSWORD, USER, Gitea
from tests.support.applications import static_application
from tests.support.engines import Sandbox
from tests.support.published import Tags, digest_in, gated, promote, put_index, tag_of
from tests.support.registries import Registry
from tests.support.runner import Runner


@pytest.fixture
def runner(machine_only: Sandbox, tmp_path: Path) -> Runner:
    return Runner(sandbox=machine_only, app=static_application(tmp_path / "app", machine_only), folder=tmp_path)


@pytest.fixture
def registry(gitea: Gitea) -> Registry:
    login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    return Registry(port=gitea.port, folder=gitea.folder, headers={"Authorization": f"Basic {login}"}, owner="acme")


def test_its_registry_holds_what_was_proven_and_its_tag_follows_production(
    gitea: Gitea, registry: Registry, runner: Runner
) -> None:
    """Fails when Gitea's registry answers in a way that gate, promotion or rollback do not know."""
    name, tag = f"acme/{runner.app.project}", {"REGISTRY_TAG": "production"}
    lost = runner.gate(REGISTRY=f"{registry.host}/{name}")
    assert lost.decision == ("closed", "error", 3), lost.log
    assert f"`docker login {registry.host}`" in lost.reason
    runner.sandbox.cli("login", "--username", USER, "--password", PASSWORD, registry.host)

    first, second = gated(runner, registry, word="one"), gated(runner, registry, word="two")
    for outputs in (first, second):
        ended = promote(runner, outputs, **tag, ALLOW_ROLLBACK="the first one comes last")
        assert ended.outputs["outcome"] == "promoted", ended.log

    assert Tags.of(registry, name) == Tags(production=digest_in(second), previous=digest_in(first))
    back = runner.start("rollback", **tag).end()
    assert back.outputs["outcome"] == "promoted", back.log
    assert Tags.of(registry, name) == Tags(production=digest_in(first), previous=digest_in(first))
    index = put_index(registry, name, second, second["EXPECTED_REVISION"])
    live = f"{registry.host}/acme/{runner.app.project}-live:production"
    there = promote(runner, index, REGISTRY_TAG=live, RECREATE="false")
    assert there.outputs["outcome"] == "promoted", there.log
    assert tag_of(registry, f"{name}-live", "production") == digest_in(index)


def test_who_may_not_push_to_its_registry_is_told(gitea: Gitea, registry: Registry, runner: Runner) -> None:
    """Fails when `may_push` takes an answer of Gitea's for a right that this user does not have."""
    gitea.add_user("guest")
    for user, level in (("guest", "✗ registry"), (USER, "✓ registry")):
        runner.sandbox.cli("login", "--username", user, "--password", PASSWORD, registry.host)
        told = runner.start("doctor", REGISTRY=f"{registry.host}/acme/{runner.app.project}").end()
        assert level in told.log, told.log
    assert not gitea.api("GET", "/packages/acme?type=container&q=" + runner.app.project)
