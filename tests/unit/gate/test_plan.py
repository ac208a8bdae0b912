"""A gate's plan is a value, and its text is the dry run."""

from typing import Any

from msgspec.structs import replace

from freshness.core.compose import Target
from freshness.core.lock import HeldLock, LockOwner, Place
from freshness.gate.plan import Plan
from freshness.gate.service import Service
from freshness.settings.application import JobSettings
from freshness.settings.kinds import CommandCheck
from freshness.settings.model import Health
from freshness.target.mounts import Overlay

STAGING = Target(
    project="shop", service="web", image="shop-web", container="shop-web-1", address="127.0.0.1", port=8501,
    container_port=8000,
)  # fmt: skip
HEALTH: dict[str, Any] = {"asked": "/health", "retries": 10, "interval": 6, "hold": 5}
WEB = Service(
    target=STAGING,
    health=Health(**HEALTH),
    overlay=Overlay(),
    check=CommandCheck(argv=("/check",)),
    check_timeout=300,
)
PLAN = Plan(
    commit="1f0c2a9b",
    project="shop",
    builds=(("Dockerfile", "shop-web:1f0c2a9b"),),
    locked=("web",),
    services=(WEB,),
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
    service = replace(WEB, health=replace(WEB.health, asked="none"))
    text = str(replace(PLAN, force=True, services=(service,)))

    assert "4. recreate web with Compose, and nothing else\n" in text
    assert "5. wait up to 60 s for HEALTHCHECK healthy, on port 8501\n" in text


def test_an_application_is_built_locked_migrated_recreated_and_proven_as_one() -> None:
    """Fails when `_steps` tags or recreates before a job, or proves before the last recreation."""
    worker = replace(
        WEB,
        target=replace(STAGING, service="worker", image="shop-web", address="", port=0, container_port=0),
        health=replace(WEB.health, asked="running"),
        check=None,
    )
    plan = replace(
        PLAN,
        locked=("clean", "migrate", "web", "worker"),
        services=(worker, WEB),
        jobs=(JobSettings(service="migrate", timeout=60),),
        later_jobs=(JobSettings(service="clean", timeout=5),),
    )

    assert str(plan).splitlines() == [
        "1. build Dockerfile from 1f0c2a9b, and nothing else, as shop-web:1f0c2a9b",
        "2. lock clean of shop with a volume on the Docker host: one run at a time",
        "3. lock migrate of shop with a volume on the Docker host: one run at a time",
        "4. lock web of shop with a volume on the Docker host: one run at a time",
        "5. lock worker of shop with a volume on the Docker host: one run at a time",
        "6. run the job migrate once, for 60 s at most: what it does cannot be undone",
        "7. tag the image as shop-web, by the ID that the build reports: that is what Compose runs",
        "8. recreate worker with Compose, and nothing else, if it does not run that image already",
        "9. recreate web with Compose, and nothing else, if it does not run that image already",
        "10. wait up to 60 s for a running container of worker, publishing no port",
        "11. check that the same container of worker is still healthy when it has run for 5 s",
        "12. wait up to 60 s for HTTP 2xx from /health of web, on port 8501",
        "13. run the staging check inside web, for 300 s at most",
        "14. check that the same container of web is still healthy when it has run for 5 s",
        "15. run the job clean once, for 5 s at most: how it ends is reported only",
        "16. check that the commit is still the head: only then the gate opens",
    ]


def test_a_throwaway_project_is_made_and_removed_and_no_tag_moves() -> None:
    """Fails when `_changes` tags an image of production's, or does not say what is started."""
    service = replace(WEB, target=replace(STAGING, project="shop-gate-1", port=0))
    plan = replace(
        PLAN, project="shop-gate-1", locked=("gate",), services=(service,), jobs=(JobSettings(service="migrate"),),
        needs=("db", "cache"), is_throwaway=True,
    )  # fmt: skip

    assert str(plan).splitlines()[1:6] == [
        "2. lock gate of shop-gate-1 with a volume on the Docker host: one run at a time",
        "3. make the project shop-gate-1 for this run alone, with empty volumes, with what they depend on: db, cache",
        "4. run the job migrate once, for 600 s at most: it works on what is thrown away",
        "5. start web with Compose, from the image's ID",
        "6. wait up to 60 s for HTTP 2xx from /health, on a free port of 127.0.0.1",
    ]
    assert str(plan).splitlines()[-1] == "10. remove the project shop-gate-1 with all that belongs to it"
