"""`freshness rollback` where a registry's tag names production: the tag goes back with it."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.applications import Application, static_application
from tests.support.engines import Sandbox
from tests.support.http_faults import Fault, faulty_proxy
from tests.support.published import Outputs, Tags, digest_in, gated, promote
from tests.support.registries import Registry
from tests.support.runner import Ended, Runner, eventually

TAG = {"REGISTRY_TAG": "production"}


@pytest.fixture
def make_application() -> Callable[[Path, Sandbox], Application]:
    """One of 2 MB."""
    return static_application


def tags(runner: Runner, registry: Registry) -> Tags:
    return Tags.of(registry, runner.app.project)


def promoted(runner: Runner, registry: Registry, *words: str) -> list[str]:
    """The digests of three images that were promoted one after the other."""
    digests = []
    for word in words:
        outputs = gated(runner, registry, word=word)
        ended = promote(runner, outputs, **TAG)
        assert ended.outputs["outcome"] == "promoted", ended.log
        digests.append(digest_in(outputs))
    return digests


def roll_back(runner: Runner, *arguments: str, **variables: str) -> Ended:
    return runner.start("rollback", *arguments, **{**TAG, **variables}).end()


def test_the_tag_goes_back_with_production_and_nothing_names_what_was_left(
    any_runner: Runner, registry: Registry
) -> None:
    """Fails when the tag stays, or the tag beside it leads whoever follows it to what was just left."""
    runner = any_runner
    first, second, third = promoted(runner, registry, "one", "two", "three")
    assert tags(runner, registry) == Tags(production=third, previous=second)

    dry = roll_back(runner, "--dry-run")
    once = roll_back(runner)

    assert dry.status == 0, dry.log
    assert f"then tag {second[:19]}" in dry.log
    assert once.outputs["outcome"] == "promoted", once.log
    assert tags(runner, registry) == Tags(production=second, previous=first)
    twice = roll_back(runner)
    assert twice.outputs["outcome"] == "promoted", twice.log
    assert tags(runner, registry) == Tags(production=first, previous=first)
    refused = roll_back(runner)
    assert refused.outputs["outcome"] == "refused", refused.log
    assert tags(runner, registry) == Tags(production=first, previous=first)
    forward = roll_back(runner, "--to", "1")
    assert forward.outputs["outcome"] == "promoted", forward.log
    assert tags(runner, registry) == Tags(production=second, previous=first)


@pytest.mark.parametrize("end", ["it fails", "killed"])
def test_a_rollback_that_was_cut_before_the_tag_followed_is_finished_by_the_next_run(
    end: str, runner: Runner, registry: Registry, until_done: ExitStack
) -> None:
    """Fails when the next rollback goes further back, or the registry still names what production does not run."""
    fault = Fault(what="PUT /v2/*/manifests/production", times=0, status=503)
    proxy = until_done.enter_context(faulty_proxy(registry.port, fault))
    seen = Registry(port=int(proxy.host.rpartition(":")[2]), folder=registry.folder)
    first, second, third = promoted(runner, seen, "one", "two", "three")
    if end == "killed":
        fault.what, fault.times, fault.wait = "PUT /v2/*/manifests/production-previous", 1, 60
        running = runner.start("rollback", **TAG)
        eventually(lambda: not fault.times, "the rollback at the registry")
        running.process.kill()
        running.process.wait()
    else:
        fault.times = 2
        cut = roll_back(runner)
        assert (cut.status, cut.outputs["outcome"]) == (3, "error"), cut.log
        assert "may not name it" in cut.reason
    assert tags(runner, registry).production == third

    dry, again = roll_back(runner, "--dry-run"), roll_back(runner)

    assert "follow an earlier rollback" in dry.log
    assert again.outputs["outcome"] == "unchanged", again.log
    assert tags(runner, registry) == Tags(production=second, previous=first)
    served = runner.sandbox.wait_for(runner.app.production_port, "/word")
    assert served == "two"


def test_a_promotion_after_a_rollback_that_was_cut_keeps_what_production_ran(
    runner: Runner, registry: Registry, until_done: ExitStack
) -> None:
    """Fails when what was left is kept as what to go back to, since the tag still names it."""
    fault = Fault(what="PUT /v2/*/manifests/production", times=0, status=503)
    proxy = until_done.enter_context(faulty_proxy(registry.port, fault))
    seen = Registry(port=int(proxy.host.rpartition(":")[2]), folder=registry.folder)
    first, _second = promoted(runner, seen, "one", "two")
    fault.times = 2
    assert roll_back(runner).outputs["outcome"] == "error"

    (third,) = promoted(runner, seen, "three")

    assert tags(runner, registry) == Tags(production=third, previous=first)


def test_what_was_not_promoted_by_its_digest_is_gone_back_to_and_told(runner: Runner, registry: Registry) -> None:
    """Fails when a registry keeps production from its way back, or `promoted` is said while the tag names another."""
    local = gated(runner, registry, word="local")
    image: Outputs = {**local, "SOURCE_IMAGE": runner.built() or ""}
    assert promote(runner, image).outputs["outcome"] == "promoted"
    (second,) = promoted(runner, registry, "two")

    ended = roll_back(runner)

    assert (ended.status, ended.outputs["outcome"]) == (3, "error"), ended.log
    assert "recreate: false" in ended.reason
    assert runner.sandbox.wait_for(runner.app.production_port, "/word") == "local"
    assert tags(runner, registry).production == second
