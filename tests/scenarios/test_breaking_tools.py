"""What the fault scenarios rest on: a proxy that changes nothing but what it is told to, an Engine that comes back."""

import docker
import pytest
import requests

from tests.support.docker_proxy import Call, docker_proxy
from tests.support.engines import Sandbox
from tests.support.promotions import FIRST, SECOND, Production


def test_a_promotion_through_the_proxy_is_a_promotion_and_each_call_is_seen(production_here: Production) -> None:
    """The tag and Compose's own calls are among them, each at the moment that its place says."""
    production, running = production_here, production_here.build(FIRST)
    production.deploy(running)
    image = production.build(SECOND)
    named: list[str | None] = []

    with docker_proxy(production.sandbox.engine.host) as proxy:
        for place in (proxy.before, proxy.after):
            place("POST /images/*/tag", lambda _call: named.append(production.sandbox.image_id(production.tag)))
        ended = production.promote(image, DOCKER_HOST=proxy.host)

    production.assert_serves(image)
    assert ended.end == (0, "promoted"), ended.log
    assert named == [running.id, image.id]
    assert [call.number for call in proxy.calls] == list(range(1, len(proxy.calls) + 1))
    assert {"GET /info", "POST /containers/create"} < {str(call) for call in proxy.calls}


def test_a_gate_through_the_proxy_is_a_gate(production_here: Production) -> None:
    """BuildKit's upgraded connections and the check's exec pass as they are."""
    with docker_proxy(production_here.sandbox.engine.host) as proxy:
        ended = production_here.runner.gate(DOCKER_HOST=proxy.host)

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert any(call.path.endswith("/exec") for call in proxy.calls)


def test_a_call_can_be_dropped_cut_and_hung(machine_only: Sandbox) -> None:
    """Each looks to the caller as it does in life, and what comes after the mending works."""
    with docker_proxy(machine_only.engine.host) as proxy:
        client = docker.APIClient(base_url=proxy.host, version="1.41", timeout=1)
        proxy.before(1, Call.drop)
        proxy.after(2, Call.drop)
        proxy.before(3, proxy.cut)
        for _ in range(3):
            with pytest.raises(requests.exceptions.ConnectionError):
                client.ping()
        proxy.mend()
        assert client.ping()
        proxy.before(5, proxy.hang)
        with pytest.raises(requests.exceptions.ReadTimeout):
            client.ping()
        proxy.mend()
        assert client.ping()
        client.close()

    assert {str(call) for call in proxy.calls} == {"GET /_ping"}


@pytest.mark.parametrize("which", ["fragile", "fragile_classic"])
def test_a_broken_engine_comes_back_with_what_it_had(which: str, request: pytest.FixtureRequest) -> None:
    sandbox: Sandbox = request.getfixturevalue(which)
    daemon = sandbox.engine.daemon
    assert daemon is not None
    image = sandbox.image_id("python:3.13-slim")
    for end in (daemon.stop, daemon.kill):
        end()
        assert not sandbox.engine.answers()
        sandbox.engine.mend()
        assert sandbox.image_id("python:3.13-slim") == image
    daemon.hang()
    hung = docker.APIClient(base_url=sandbox.engine.host, version="1.41", timeout=1)
    with pytest.raises(requests.exceptions.ReadTimeout):
        hung.ping()
    hung.close()
    daemon.go_on()
    assert sandbox.engine.answers()
