"""Who asks to be restarted with a service is told of, since nothing but what is named is touched."""

from typing import Any

import pytest

from freshness.core.restarts import note_restarts

WITH = {"web": {"condition": "service_started", "restart": True}}


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"depends_on": WITH}, True),
        ({"depends_on": WITH, "pid": "service:web"}, True),
        ({"depends_on": WITH, "network_mode": "service:web"}, False),
        ({"depends_on": {"web": {"condition": "service_started"}}}, False),
        ({"depends_on": {"db": {"restart": True}}}, False),
        ({}, False),
    ],
)
def test_another_service_that_asks_for_it_is_told_with_its_command(other: dict[str, Any], *, told: bool) -> None:
    """Fails when `restart: true` is not looked at, or when whose network goes is told what does not help it."""
    config = {"services": {"web": {}, "proxy": other}}

    said = " ".join(note_restarts(config, ["web"]))

    assert said.startswith("proxy asks to be restarted with web") is told
    assert said.endswith("`docker compose up --detach --no-deps --force-recreate proxy`.") is told


def test_what_is_deployed_together_is_made_anew_anyway() -> None:
    assert [*note_restarts({"services": {"web": {}, "proxy": {"depends_on": WITH}}}, ["web", "proxy"])] == []
