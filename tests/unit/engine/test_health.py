"""Whether anything could ever tell that a container is healthy, by what image and Compose file say."""

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from freshness.core.compose import Target
from freshness.core.image import Image
from freshness.engine.health import require_health_source, settle_health
from freshness.errors import Refused
from freshness.settings.model import Health

NO_PATH = Health(asked="none", retries=1, interval=1, hold=0)
WITH = Image(id="sha256:a", healthcheck={"Test": ["CMD", "true"]})
WITHOUT = Image(id="sha256:b")
SWITCHED_OFF = Image(id="sha256:c", healthcheck={"Test": ["NONE"]})


def target(healthcheck: Mapping[str, Any] | None) -> Target:
    return Target(
        project="shop", service="web", image="web", container="shop-web-1", address="127.0.0.1", port=8500,
        container_port=80, healthcheck=healthcheck,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (WITH, None),
        (WITH, {"interval": "5s"}),
        (WITHOUT, {"test": ["CMD-SHELL", "true"]}),
        (SWITCHED_OFF, {"test": ["CMD", "echo", "NONE"]}),
    ],
)
def test_a_healthcheck_is_enough(image: Image, said: Mapping[str, Any] | None) -> None:
    require_health_source(NO_PATH, target(said), image, image)


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (WITHOUT, None),
        (WITHOUT, {"interval": "5s"}),
        (SWITCHED_OFF, None),
        (SWITCHED_OFF, {"interval": "5s"}),
        (WITH, {"disable": True}),
        (WITH, {"test": ["NONE"]}),
    ],
)
def test_nothing_to_ask_is_refused(image: Image, said: Mapping[str, Any] | None) -> None:
    """I12. Fails when `_has_healthcheck` takes any `healthcheck:`, or an image's `HEALTHCHECK NONE`, for a test."""
    with pytest.raises(Refused, match="neither the image nor the Compose file"):
        require_health_source(NO_PATH, target(said), image)


def test_nothing_to_ask_on_the_way_back_is_refused() -> None:
    """I9. Fails when `require_health_source` does not look at `previous`."""
    with pytest.raises(Refused, match="rolling back to it could not be verified"):
        require_health_source(NO_PATH, target(None), WITH, WITHOUT)


@pytest.mark.parametrize(
    ("given", "address", "is_port_given", "path"),
    [
        (False, "", False, None),
        (True, "", False, "/health"),
        (False, "", True, "/health"),
        (False, "::", False, "/health"),
    ],
)
def test_the_healthcheck_decides_only_where_nobody_named_a_port_or_a_path(
    *, given: bool, address: str, is_port_given: bool, path: str | None
) -> None:
    """Fails when `settle_health` lets one of the three go."""
    health = Health(asked="/health" if given else "", retries=1, interval=1, hold=0)

    settled = settle_health(health, replace(target(None), address=address), is_port_given=is_port_given)

    assert settled.path == path


def test_where_it_is_enough_to_run_no_healthcheck_is_needed() -> None:
    running = Health(asked="running", retries=1, interval=1, hold=9)
    require_health_source(running, target(None), WITHOUT, WITHOUT)


def test_with_a_health_path_no_healthcheck_is_needed() -> None:
    require_health_source(Health(asked="/health", retries=1, interval=1, hold=0), target(None), WITHOUT, WITHOUT)
