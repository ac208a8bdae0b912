"""Staging on one Engine, production on another, and a registry between them: by digest, in both image stores."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from freshness.core.lock import tag_lock
from freshness.engine.client import connect
from freshness.engine.lock_owner import new_lock
from tests.support.applications import Application, static_application
from tests.support.engines import Engine, Sandbox, new_sandbox
from tests.support.http_faults import Fault, faulty_proxy
from tests.support.published import digest_in, gated, promote, tag_of
from tests.support.registries import PASSWORD, USER, Registry, running_registry
from tests.support.runner import Runner


@pytest.fixture
def make_application() -> Callable[[Path, Sandbox], Application]:
    """One of 2 MB."""
    return static_application


@pytest.mark.parametrize("way", ["classic to containerd", "containerd to classic"])
def test_what_one_engine_proved_another_one_runs(
    way: str, machine: Engine, private: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolated: Path
) -> None:
    """Fails when IDs of two Engines are compared, or what was pulled is not proven against the registry's bytes."""
    here, there = (machine, private) if way.startswith("classic") else (private, machine)
    sandbox = new_sandbox(here)
    other = replace(sandbox, engine=there)
    runner = Runner(sandbox=sandbox, app=static_application(tmp_path / "app", sandbox), folder=tmp_path)
    try:
        monkeypatch.setenv("DOCKER_HOST", here.host)
        with here.entered(), running_registry(tmp_path / "registry") as registry:
            outputs = gated(runner, registry)
        monkeypatch.setenv("DOCKER_HOST", there.host)
        production = replace(runner, sandbox=other)
        with there.entered(), running_registry(tmp_path / "registry", port=registry.port) as registry:
            ended = promote(production, outputs)
            assert (ended.status, ended.outputs["outcome"]) == (0, "promoted"), ended.log
            served = other.wait_for(runner.app.production_port, "/version")
            again = promote(production, outputs)
            names = other.docker.images.get(again.outputs["image-id"]).attrs
        assert served == outputs["EXPECTED_REVISION"]
        assert (again.status, again.outputs["outcome"]) == (0, "unchanged"), again.log
        assert ended.checks()["registry"] == "passed"
        repository = outputs["SOURCE_IMAGE"].partition("@")[0]
        tags = {tag for tag in names["RepoTags"] if "@" not in tag}  # with containerd Engine 28 has digests among them
        assert tags == {f"{repository}:freshness-pulled", f"{runner.app.production_image}:latest"}
    finally:
        for one in (sandbox, other):
            with one.engine.entered():
                one.clean()


def test_the_tag_in_the_registry_follows_what_this_host_serves(runner: Runner, registry: Registry) -> None:
    """Fails when it is moved before the host has proven the image, or what it named is lost."""
    first, tag = gated(runner, registry, first=""), {"REGISTRY_TAG": "production"}
    assert promote(runner, first, **tag).outputs["outcome"] == "promoted"
    assert tag_of(registry, runner.app.project, "production") == digest_in(first)
    second = gated(runner, registry, first=None)

    failed = promote(runner, second, **tag, HEALTH_PATH="/first", HEALTH_RETRIES="4", HEALTH_INTERVAL="0.5")

    assert failed.outputs["outcome"] == "rolled-back", failed.log
    assert tag_of(registry, runner.app.project, "production") == digest_in(first)
    assert promote(runner, second, **tag).outputs["outcome"] == "promoted"
    assert tag_of(registry, runner.app.project, "production") == digest_in(second)
    assert tag_of(registry, runner.app.project, "production-previous") == digest_in(first)


def test_without_recreation_the_tag_moves_and_no_image_does(runner: Runner, registry: Registry) -> None:
    """Fails when the Engine is asked for the image, the guard or the direction is not, or what was there is lost."""
    alone = {"REGISTRY_TAG": "production", "RECREATE": "false"}
    first, second = gated(runner, registry), gated(runner, registry, second="")
    assert promote(runner, second, **alone).outputs["outcome"] == "promoted"

    refused = promote(runner, first, **alone)
    forged = promote(runner, {**second, "EXPECTED_REVISION": first["EXPECTED_REVISION"]}, **alone)
    ahead = promote(runner, first, **alone, ALLOW_ROLLBACK="the second one loses orders")

    assert (refused.status, refused.outputs["outcome"]) == (1, "refused"), refused.log
    assert (forged.status, forged.outputs["outcome"]) == (1, "refused"), forged.log
    assert "does not prove the commit" in forged.reason
    assert ahead.outputs["outcome"] == "promoted", ahead.log
    assert tag_of(registry, runner.app.project, "production") == digest_in(first)
    assert tag_of(registry, runner.app.project, "production-previous") == digest_in(second)
    assert runner.containers(runner.app.production) == []
    again = promote(runner, first, **alone)
    assert again.outputs["outcome"] == "unchanged", again.log
    assert tag_of(registry, runner.app.project, "production-previous") == digest_in(second)


@pytest.mark.parametrize("what", ["no digest", "another one's bytes", "500"])
def test_what_the_registry_does_not_hold_is_not_promoted(
    what: str, runner: Runner, registry: Registry, until_done: ExitStack
) -> None:
    """Fails when a tag is taken for a digest, the Engine's word for the registry's, or half of it is left."""
    outputs, path = gated(runner, registry), f"/v2/{runner.app.project}/manifests/sha256:*"
    fault = Fault(what=f"GET {path}", times=99)
    if what == "no digest":
        outputs["SOURCE_IMAGE"] = outputs["SOURCE_IMAGE"].partition("@")[0] + ":" + outputs["EXPECTED_REVISION"]
    elif what == "500":
        fault.status = 500
    else:
        fault.alter = lambda body: body.replace(b"config", b"konfig")
    proxy = until_done.enter_context(faulty_proxy(registry.port, fault))
    outputs["SOURCE_IMAGE"] = outputs["SOURCE_IMAGE"].replace(registry.host, proxy.host)

    ended = promote(runner, outputs, REGISTRY_TAG="production")

    assert ended.outputs["outcome"] in {"refused", "error"}, ended.log
    assert ended.status in {1, 2, 3}
    assert runner.containers(runner.app.production) == []
    assert tag_of(registry, runner.app.project, "production") == ""


@pytest.mark.parametrize("why", ["nobody has logged in", "it was deleted"])
def test_what_the_engine_may_not_pull_is_told_with_what_leads_out(
    why: str, any_runner: Runner, tmp_path: Path, until_done: ExitStack
) -> None:
    """Fails when what is told before the first layer, by the answer's status, is laid to the Docker daemon."""
    runner = any_runner
    registry = until_done.enter_context(running_registry(tmp_path / "registry", password=True))
    runner.sandbox.cli("login", "--username", USER, "--password", PASSWORD, registry.host)
    outputs = gated(runner, registry)
    if why == "it was deleted":
        outputs["SOURCE_IMAGE"] = f"{outputs['SOURCE_IMAGE'].partition('@')[0]}@sha256:{'1' * 64}"
    else:
        runner.sandbox.cli("logout", registry.host)

    ended = promote(runner, outputs)

    assert (ended.status, ended.outputs["outcome"]) == (3, "error"), ended.log
    remedy = "run the gate again" if why == "it was deleted" else f"Run `docker login {registry.host}`"
    assert remedy in ended.reason
    assert runner.containers(runner.app.production) == []


def test_a_tag_that_cannot_be_moved_is_told_and_moved_by_the_next_run(
    runner: Runner, registry: Registry, until_done: ExitStack
) -> None:
    """Fails when `promoted` is said although the registry names something else."""
    outputs = gated(runner, registry)
    fault = Fault(what="PUT /v2/*/manifests/production", times=2, status=503)
    proxy = until_done.enter_context(faulty_proxy(registry.port, fault))
    outputs["SOURCE_IMAGE"] = outputs["SOURCE_IMAGE"].replace(registry.host, proxy.host)

    ended = promote(runner, outputs, REGISTRY_TAG="production")

    assert (ended.status, ended.outputs["outcome"]) == (3, "error"), ended.log
    assert ended.reason.startswith("Production runs sha256:")
    assert "may not name it" in ended.reason
    again = promote(runner, outputs, REGISTRY_TAG="production")
    assert again.outputs["outcome"] == "unchanged", again.log
    assert tag_of(registry, runner.app.project, "production") == digest_in(outputs)


@pytest.mark.parametrize("how", ["alone", "behind production"])
def test_a_tag_is_locked_on_every_host_whatever_their_order(
    how: str, runner: Runner, registry: Registry, machine: Engine, private: Engine
) -> None:
    """I9. Fails when `lock_tags` is asked for the host that is named first, or a promotion moves the tag without it."""
    hosts = {"PROD_DOCKER_HOST": f"{machine.host} {private.host}"} if how == "alone" else {}
    held_on = private if how == "alone" else runner.sandbox.engine
    tag = {"REGISTRY_TAG": "production", "LOCK_TIMEOUT": "1"}
    outputs, alone = gated(runner, registry), {"RECREATE": "false"} if how == "alone" else {}
    name = tag_lock(f"{outputs['SOURCE_IMAGE'].partition('@')[0]}:production")
    engine = connect({**os.environ, "DOCKER_HOST": held_on.host}, 10)
    lock = new_lock(engine, name, command="freshness promote", revision=None, seconds=120, env={}, say=print)

    with lock.take(1):
        ended = promote(runner, outputs, **tag, **hosts, **alone)

    engine.client.close()
    assert (ended.status, ended.outputs["outcome"]) == (1, "refused" if how == "alone" else "error"), ended.log
    assert f"{name} is locked by" in ended.reason
    assert tag_of(registry, runner.app.project, "production") == ""
    again = promote(runner, outputs, **tag, **hosts, **alone)
    assert again.outputs["outcome"] == ("promoted" if how == "alone" else "unchanged"), again.log
    assert tag_of(registry, runner.app.project, "production") == digest_in(outputs)
    assert [one.docker.volumes.list(filters={"name": name}) for one in (machine, private)] == [[], []]


def test_the_tag_that_leads_back_is_read_back_before_production_moves(
    runner: Runner, registry: Registry, until_done: ExitStack
) -> None:
    """Fails when `move_tag` believes the answer to its PUT: `production` would move, and no tag lead back."""
    alone = {"REGISTRY_TAG": "production", "RECREATE": "false"}
    fault = Fault(what="PUT /v2/*/manifests/production-previous", status=201)
    proxy = until_done.enter_context(faulty_proxy(registry.port, fault))
    first, second = gated(runner, registry), gated(runner, registry, second="")
    for outputs in (first, second):
        outputs["SOURCE_IMAGE"] = outputs["SOURCE_IMAGE"].replace(registry.host, proxy.host)
    assert promote(runner, first, **alone).outputs["outcome"] == "promoted"

    ended = promote(runner, second, **alone)

    assert (ended.status, ended.outputs["outcome"]) == (3, "error"), ended.log
    assert "production-previous was set to" in ended.reason
    assert tag_of(registry, runner.app.project, "production") == digest_in(first)
    again = promote(runner, second, **alone)
    assert again.outputs["outcome"] == "promoted", again.log
    assert tag_of(registry, runner.app.project, "production") == digest_in(second)
    assert tag_of(registry, runner.app.project, "production-previous") == digest_in(first)


def test_a_dry_run_moves_nothing(runner: Runner, registry: Registry) -> None:
    outputs, tag = gated(runner, registry), {"REGISTRY_TAG": "production"}
    for variables in ({}, {"RECREATE": "false"}):
        ended = runner.start("promote", "--dry-run", **outputs, **tag, **variables).end()
        assert ended.status == 0, ended.log
        assert "production" in ended.log
        assert tag_of(registry, runner.app.project, "production") == ""


def test_a_deployment_on_one_host_publishes_and_moves_the_tag(runner: Runner, registry: Registry) -> None:
    """Fails when the promotion of `deploy` is given an image ID, or the missing repository is told after the gate."""
    lost = runner.start("deploy", REGISTRY_TAG="production").end()
    assert (lost.status, lost.outputs["gate"]) == (2, "closed"), lost.log
    assert runner.built() is None

    ended = runner.start("deploy", REGISTRY=f"{registry.host}/{runner.app.project}", REGISTRY_TAG="production").end()

    assert (ended.outputs["gate"], ended.outputs["outcome"]) == ("open", "promoted"), ended.log
    assert tag_of(registry, runner.app.project, "production") == ended.outputs["digest"]
    assert runner.sandbox.wait_for(runner.app.production_port, "/version") == runner.app.repo.head()
