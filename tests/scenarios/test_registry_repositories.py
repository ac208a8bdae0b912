"""What else a registry's tag may name: an image in another repository, and an index for several platforms."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from freshness.core.manifest import digest_of
from tests.support.applications import Application, static_application
from tests.support.engines import Sandbox
from tests.support.http_faults import Fault, faulty_proxy
from tests.support.published import Outputs, Tags, delete, digest_in, gated, promote, put_index, tag_of
from tests.support.registries import PASSWORD, USER, Registry, running_registry, why_no_registry
from tests.support.runner import Runner
from tests.support.token_service import serve_tokens

ALONE = {"RECREATE": "false"}


@pytest.fixture
def make_application() -> Callable[[Path, Sandbox], Application]:
    """One of 2 MB."""
    return static_application


@pytest.fixture(params=["debian", "v3"])
def registry_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def indexed(runner: Runner, registry: Registry, outputs: Outputs, commit: str = "") -> Outputs:
    return put_index(registry, runner.app.project, outputs, commit or outputs["EXPECTED_REVISION"])


def test_another_repository_gets_the_layers_without_a_byte_of_them(runner: Runner, registry: Registry) -> None:
    """Fails when the other repository lacks a part of the image, or the tag beside it does."""
    first, name = gated(runner, registry, word="one"), f"{runner.app.project}/live"
    there = {"REGISTRY_TAG": f"{registry.host}/{name}:production"}

    alone = promote(runner, first, **there, **ALONE)
    second = indexed(runner, registry, gated(runner, registry, word="two"))
    ended = promote(runner, second, **there)

    assert alone.outputs["outcome"] == "promoted", alone.log
    assert ended.outputs["outcome"] == "promoted", ended.log
    assert Tags.of(registry, name) == Tags(production=digest_in(second), previous=digest_in(first))
    assert tag_of(registry, runner.app.project, "production") == ""
    runner.sandbox.cli("pull", "--quiet", f"{registry.host}/{name}@{digest_in(second)}")
    back = runner.start("rollback", **there).end()
    assert "not promoted by its digest" in back.reason or back.outputs["outcome"] == "refused", back.log


def test_a_token_service_is_asked_for_both_repositories(
    runner: Runner, registry_kind: str, tmp_path: Path, until_done: ExitStack
) -> None:
    """Fails when what the registry asks for is handed on as one scope, of which a token service knows nothing."""
    if reason := why_no_registry(registry_kind):
        pytest.skip(reason)
    tokens = until_done.enter_context(serve_tokens(tmp_path / "tokens", USER, PASSWORD))
    registry = until_done.enter_context(running_registry(tmp_path / "registry", registry_kind, tokens=tokens))
    runner.sandbox.cli("login", "--username", USER, "--password", PASSWORD, registry.host)
    outputs, name = gated(runner, registry), f"{runner.app.project}/live"

    ended = promote(runner, outputs, REGISTRY_TAG=f"{registry.host}/{name}:production", **ALONE)

    assert ended.outputs["outcome"] == "promoted", ended.log
    assert f"repository:{runner.app.project}:pull" in tokens.asked
    assert f"repository:{name}:pull,push" in tokens.asked


@pytest.mark.parametrize("registry_kind", ["debian"], indirect=True)
def test_a_registry_that_shares_no_layers_keeps_the_tag_as_it_is(
    runner: Runner, registry: Registry, until_done: ExitStack
) -> None:
    """Fails when a manifest is put whose layers are not there."""
    outputs, name = gated(runner, registry), f"{runner.app.project}/live"
    proxy = until_done.enter_context(
        faulty_proxy(registry.port, Fault(what="POST /v2/*/uploads/", times=99, status=202))
    )
    outputs["SOURCE_IMAGE"] = outputs["SOURCE_IMAGE"].replace(registry.host, proxy.host)

    ended = promote(runner, outputs, REGISTRY_TAG=f"{proxy.host}/{name}:production", **ALONE)

    assert ended.outputs["outcome"] == "error", ended.log
    assert "does not share" in ended.reason
    assert "name the tag alone" in ended.reason
    assert tag_of(registry, name, "production") == ""


def test_an_index_stays_whole_and_runs_on_either_store(any_runner: Runner, registry: Registry) -> None:
    """Fails when the tag names one platform's image, or the Engine's own is not found in the index."""
    runner, tag = any_runner, {"REGISTRY_TAG": "production"}
    outputs = indexed(runner, registry, gated(runner, registry))

    ended = promote(runner, outputs, **tag)

    assert ended.outputs["outcome"] == "promoted", ended.log
    assert runner.sandbox.wait_for(runner.app.production_port, "/version") == outputs["EXPECTED_REVISION"]
    assert tag_of(registry, runner.app.project, "production") == digest_in(outputs)
    _, index = registry.get(f"/v2/{runner.app.project}/manifests/production")
    assert digest_of(index) == digest_in(outputs)
    again = promote(runner, outputs, **tag)
    assert again.outputs["outcome"] == "unchanged", again.log


@pytest.mark.parametrize("registry_kind", ["debian"], indirect=True)
@pytest.mark.parametrize("more", [{}, ALONE], ids=["with production", "alone"])
def test_an_image_that_the_registry_broke_keeps_no_tag_from_moving_on(
    more: dict[str, str], runner: Runner, registry: Registry
) -> None:
    """Fails when what `garbage-collect` left of the image before has to be kept, or read: nobody could promote then."""
    tag = {"REGISTRY_TAG": "production", **more}
    child = gated(runner, registry, word="one")
    first = indexed(runner, registry, child)
    assert promote(runner, first, **tag).outputs["outcome"] == "promoted"
    delete(registry, runner.app.project, digest_in(child))
    second = gated(runner, registry, word="two")

    ended = promote(runner, second, **tag)

    assert ended.outputs["outcome"] == "promoted", ended.log
    assert Tags.of(registry, runner.app.project) == Tags(production=digest_in(second), previous="")


@pytest.mark.parametrize("registry_kind", ["debian"], indirect=True)
def test_an_index_of_two_commits_gets_no_tag(runner: Runner, registry: Registry) -> None:
    """Fails when the guard looks at this machine's platform alone: others pull the rest."""
    outputs = indexed(runner, registry, gated(runner, registry), commit="0" * 40)

    alone = promote(runner, outputs, REGISTRY_TAG="production", **ALONE)
    ended = promote(runner, outputs, REGISTRY_TAG="production")

    assert (alone.status, alone.outputs["outcome"]) == (1, "refused"), alone.log
    assert "does not prove the commit" in alone.reason
    assert ended.outputs["outcome"] == "error", ended.log
    assert f"images of {'0' * 12}" in ended.reason or "0" * 40 in ended.reason
    assert tag_of(registry, runner.app.project, "production") == ""
