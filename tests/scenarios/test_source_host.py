"""The gate ran on one Docker host, production stands on another: the image is carried over, and proven there."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from freshness.engine.client import connect
from freshness.engine.facts import has_classic_store
from tests.support.applications import behave
from tests.support.docker_proxy import docker_proxy
from tests.support.engines import Sandbox
from tests.support.promotions import FIRST, LABEL, SECOND, Built, Production

WITHOUT_BASE = 10_000_000
"""Bytes: more than the application, and less than the base image that it is built upon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """The other Engine, with the other image store, where the gate ran."""

    sandbox: Sandbox

    @property
    def host(self) -> str:
        return self.sandbox.engine.host

    def build(self, production: Production, revision: str) -> Built:
        production.app.repo.write(behave())
        tag = f"{self.sandbox.name}-gated:{revision[:7]}"
        done = self.sandbox.run(
            [
                "docker", "buildx", "build", "--quiet", "--provenance=false", "--build-arg", f"GIT_SHA={revision}",
                "--label", f"{LABEL}={revision}", "--tag", tag, production.app.repo.path,
            ],
            env={"DOCKER_HOST": self.host},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        image = self.sandbox.image_id(tag)
        assert image is not None
        return Built(id=image, revision=revision)


@pytest.fixture
def elsewhere(engine: Sandbox, request: pytest.FixtureRequest) -> Iterator[Elsewhere]:
    name = "private" if engine.engine.label == "machine" else "machine"
    sandbox = Sandbox(engine=request.getfixturevalue(name), name=engine.name)
    yield Elsewhere(sandbox=sandbox)
    sandbox.clean()


def test_the_image_is_carried_over_once_and_proven_there(production: Production, elsewhere: Elsewhere) -> None:
    """I7. Fails when what came is not compared with what was sent, or is sent again."""
    first, second = production.build(FIRST), elsewhere.build(production, SECOND)
    production.deploy(first)

    ended = production.promote(second, SOURCE_HOST=elsewhere.host)

    assert ended.end == (0, "promoted"), ended.log
    image = ended.outputs["image-id"]
    production.assert_serves(Built(id=image, revision=SECOND))
    assert "transfer" in ended.checks()
    for name in (image, second.id):  # as it is called here, and as the gate called it
        again = production.promote(Built(id=name, revision=SECOND), SOURCE_HOST=elsewhere.host)
        assert again.end == (0, "unchanged"), again.log
        assert "transfer" not in again.checks()
    assert production.run("rollback", SOURCE_HOST=elsewhere.host).end == (0, "promoted")
    production.assert_serves(first)


def test_a_dry_run_carries_nothing(production: Production, elsewhere: Elsewhere) -> None:
    """Fails when a dry run writes."""
    production.deploy(production.build(FIRST))
    second, before = elsewhere.build(production, SECOND), production.state()

    ended = production.promote(second, "--dry-run", SOURCE_HOST=elsewhere.host)

    assert ended.status == 0, ended.log
    assert f"carry {second.id[:19]}" in ended.log
    assert "can be foreseen once it is here" in ended.log
    assert production.state() == before
    assert production.sandbox.image_id(second.id) is None


def test_a_stream_that_is_cut_changes_nothing(production: Production, elsewhere: Elsewhere) -> None:
    """I8. Fails when a part of an image is believed."""
    first, second = production.build(FIRST), elsewhere.build(production, SECOND)
    production.deploy(first)
    with docker_proxy(elsewhere.host) as proxy:
        proxy.after("GET /images/*/get", lambda _call: threading.Timer(0.05, proxy.cut).start())
        ended = production.promote(second, SOURCE_HOST=proxy.host)

    assert ended.end == (3, "error"), ended.log
    assert "Nothing was changed" in ended.reason
    production.assert_serves(first)
    assert production.sandbox.image_id(second.id) is None
    assert production.promote(second, SOURCE_HOST=elsewhere.host).end == (0, "promoted")


@pytest.mark.parametrize("call", ["GET /images/*/get", "POST /images/load"])
def test_an_engine_that_is_busy_with_an_image_is_waited_for(
    call: str, production: Production, elsewhere: Elsewhere
) -> None:
    """Fails when one that packs or unpacks a large image, and says nothing meanwhile, is taken for one that hangs."""
    second = elsewhere.build(production, SECOND)
    with docker_proxy(elsewhere.host) as source, docker_proxy(production.sandbox.engine.host) as target:
        for proxy in (source, target):
            proxy.after(call, lambda _call: time.sleep(6))
        ended = production.promote(second, SOURCE_HOST=source.host, DOCKER_HOST=target.host, ENGINE_TIMEOUT="3")

    assert ended.end == (0, "promoted"), ended.log


def test_an_engine_that_hangs_over_an_image_is_not_waited_for(production: Production, elsewhere: Elsewhere) -> None:
    """Fails when one that answers nothing else either keeps production locked for an hour."""
    second = elsewhere.build(production, SECOND)
    with docker_proxy(elsewhere.host) as source:
        source.after("GET /images/*/get", source.hang)
        ended = production.promote(second, SOURCE_HOST=source.host, ENGINE_TIMEOUT="3")
        source.mend()

    assert ended.end == (3, "error"), ended.log
    assert "the Engine did not answer within 3 s" in ended.reason
    assert production.promote(second, SOURCE_HOST=elsewhere.host).end == (0, "promoted")


def test_layers_that_are_there_are_not_sent_again_where_the_store_takes_that(
    production: Production, elsewhere: Elsewhere
) -> None:
    """Fails when `leave_out` sends the base image, or the containerd store gets an image that it cannot run."""
    first, second = production.build(FIRST), elsewhere.build(production, SECOND)
    production.deploy(first)
    with docker_proxy(production.sandbox.engine.host) as proxy:
        ended = production.promote(second, SOURCE_HOST=elsewhere.host, DOCKER_HOST=proxy.host)

    assert ended.end == (0, "promoted"), ended.log
    production.assert_serves(Built(id=ended.outputs["image-id"], revision=SECOND))
    sent = [call.sent for call in proxy.calls if str(call) == "POST /images/load"]
    assert len(sent) == 1
    is_classic = has_classic_store(connect({"DOCKER_HOST": production.sandbox.engine.host}, 60))
    assert (sent[0] < WITHOUT_BASE) == is_classic


def test_what_neither_host_has_is_refused(production: Production, elsewhere: Elsewhere) -> None:
    first = production.build(FIRST)
    production.deploy(first)

    ended = production.promote(Built(id=f"sha256:{'0' * 64}", revision=SECOND), SOURCE_HOST=elsewhere.host)

    assert ended.end == (1, "refused"), ended.log
    assert f"{elsewhere.host}, from where it would be carried to production, does not have the image" in ended.reason
    production.assert_serves(first)
