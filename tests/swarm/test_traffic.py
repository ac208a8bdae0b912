"""Three replicas behind a real proxy, asked without pause while they are replaced one after the other."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.asking_client import asking
from tests.support.engines import free_port
from tests.support.promotions import FIRST, SECOND
from tests.support.proxy import build_proxy, documented_configuration, why_no_proxy
from tests.support.swarm_service import Service
from tests.swarm.test_promotion import outcome

ROLLING = ("--update-parallelism=1", "--update-delay=1s", "--update-monitor=1s", "--update-order=start-first")


@pytest.mark.skipif(why_no_proxy() is not None, reason=why_no_proxy() or "")
def test_neither_a_promotion_nor_a_rollback_fails_a_request(
    service: Service, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Fails when all are replaced at once, or the service's own order is not left as it is."""
    port, network, proxy = free_port(), f"{service.name}-behind", f"{service.name}-proxy"
    first, second = service.build(FIRST, stop_seconds=2), service.build(SECOND, stop_seconds=2)
    service.sandbox.cli("network", "create", "--driver=overlay", network)
    service.create(first, f"--network={network}", "--stop-grace-period=10s", *ROLLING)
    build_proxy(service.sandbox, tmp_path / "proxy", documented_configuration(service.name, 8000), proxy)
    service.sandbox.cli(
        "service", "create", "--detach", "--name", proxy, "--network", network, "--endpoint-mode=dnsrr",
        "--constraint=node.role==manager", "--no-resolve-image", f"--publish=mode=host,target=8080,published={port}",
        proxy,
    )  # fmt: skip
    service.sandbox.wait_for(port, "/version")

    with asking(service.sandbox, port) as answers:
        promotion = service.promote(second)
        assert outcome(promotion) == (0, "promoted"), promotion.log
        service.assert_serves(second)
        rollback = service.run("rollback")

    record_property("production", str(answers))
    print(f"production gave {answers}")
    assert outcome(rollback) == (0, "promoted"), rollback.log
    service.assert_serves(first)
    assert answers.failures == 0, str(answers)
    assert {FIRST, SECOND} <= set(answers.revisions)
