"""A gate's plan is a value, and its text is the dry run."""

from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from freshness.core.compose import Target
from freshness.core.lock import HeldLock, LockOwner, Place
from freshness.gate.plan import Plan
from freshness.settings.model import Health

STAGING = Target(
    project="shop", service="web", image="shop-web", container="shop-web-1", address="127.0.0.1", port=8501,
    container_port=8000,
)  # fmt: skip
HEALTH: dict[str, Any] = {"asked": "/health", "retries": 10, "interval": 6, "hold": 5}
PLAN = Plan(
    commit="1f0c2a9b",
    dockerfile=PurePosixPath("Dockerfile"),
    services=(STAGING,),
    health=Health(**HEALTH),
    check_timeout=300,
    force=False,
)


def test_a_plan_is_what_a_gate_does_in_its_order() -> None:
    """Fails when an operation is left out of `Plan._steps`, or stands elsewhere than `execute` has it."""
    assert str(PLAN).splitlines() == [
        "1. build Dockerfile from 1f0c2a9b, and nothing else, as shop-web:1f0c2a9b",
        "2. lock web of shop with a volume on the Docker host: one run at a time",
        "3. tag the image as shop-web, by the ID that the build reports: that is what Compose runs",
        "4. recreate web with Compose, and nothing else, if it does not run that image already",
        "5. wait up to 60 s for HTTP 2xx from /health, on port 8501",
        "6. run the staging check inside that container, for 300 s at most",
        "7. check that the same container is still healthy when it has run for 5 s",
        "8. check that the commit is still the head: only then the gate opens",
    ]


def test_who_has_the_lock_is_waited_for() -> None:
    here = Place(host="here", machine="", boot="", pid_namespace="", pid=0, started=0, container="")
    owner = LockOwner(token="0" * 32, command="freshness gate", revision="", who="ann", run="7", seconds=60, place=here)

    text = str(replace(PLAN, held=HeldLock(name="freshness.shop.web", owner=owner, since="noon")))

    assert f"2. wait for {owner}, which has locked web of shop since noon" in text
    assert "\n3. lock web of shop" in text


def test_a_new_container_is_not_made_to_depend_on_the_image_where_it_is_forced() -> None:
    text = str(replace(PLAN, force=True, health=replace(PLAN.health, asked="none")))

    assert "4. recreate web with Compose, and nothing else\n" in text
    assert "5. wait up to 60 s for HEALTHCHECK healthy, on port 8501\n" in text
