"""A service that publishes no port: asked at its container's own address, by its HEALTHCHECK, or seen to run."""

import pytest

from tests.support.applications import behave
from tests.support.runner import Runner

SHORT = {"HEALTH_RETRIES": "4", "HEALTH_INTERVAL": "0.5"}
RUNNING = {"HEALTH_PATH": "running", "HOLD_TIME": "2", "CHECK_COMMAND": "python3 -c ''"}
CHECK = 'healthcheck: {test: [CMD, python3, "-c", ""], interval: 1s}'


@pytest.fixture
def portless(runner: Runner) -> Runner:
    """The application's two services without `ports:`, and no port in the settings."""
    compose = (runner.app.repo.path / "compose.yaml").read_text()
    lines = [line for line in compose.splitlines() if "ports:" not in line]
    runner.app.repo.commit({"compose.yaml": "\n".join(lines) + "\n"})
    del runner.app.settings["TARGET_PORT"], runner.app.settings["PROD_PORT"]
    return runner


@pytest.mark.parametrize("health", [200, 503])
def test_health_is_asked_at_the_containers_own_address(health: int, portless: Runner) -> None:
    """Breaks when `settle_health` forgets that a port was given, or `address_of` asks the host."""
    portless.app.repo.commit(behave(health=health))

    ended = portless.gate(TARGET_PORT="8000", PROD_PORT="8000", **SHORT)

    expected = ("open", "fresh", 0) if health == 200 else ("closed", "unhealthy", 1)
    assert ended.decision == expected, ended.log
    assert portless.staging().ports == {}


def test_a_healthcheck_decides_where_nothing_names_a_port(portless: Runner) -> None:
    """Breaks when `settle_health` leaves the default path in force."""
    compose = (portless.app.repo.path / "compose.yaml").read_text()
    service = "  orchestrator-staging:\n"
    portless.app.repo.commit(
        {"compose.yaml": compose.replace(service, f"{service}    {CHECK}\n"), **behave(health=503)}
    )

    ended = portless.gate(CHECK_COMMAND="python3 -c ''")

    assert ended.decision == ("open", "fresh", 0), ended.log


def test_what_nothing_could_prove_is_refused_with_three_ways_out(portless: Runner) -> None:
    """I12. Breaks when `require_health_source` takes silence for health."""
    ended = portless.gate()

    assert ended.decision == ("closed", "refused", 1), ended.log
    for way in ("HEALTHCHECK", "`port` to the one inside", "`health-path: running`"):
        assert way in ended.reason
    assert portless.containers(portless.app.staging) == []


@pytest.mark.parametrize(("ends", "end"), [({}, ("open", "fresh", 0)), ({"exit_after": 1}, ("closed", "unhealthy", 1))])
def test_where_running_is_enough_it_runs_for_the_hold_time(
    ends: dict[str, object], end: tuple[str, str, int], portless: Runner
) -> None:
    """Breaks when `wait_hold_time` is not asked, or the report does not say how little was proven."""
    portless.app.repo.commit(behave(health=503, **ends))

    ended = portless.gate(**RUNNING)

    assert ended.decision == end, ended.log
    assert "Proven to be *running* for 2 s, and no more." in ended.report["notes"]


def test_a_promotion_proves_at_the_containers_own_address_and_goes_back(portless: Runner) -> None:
    """I9. Breaks when promote asks production at the host's port, forward or on the way back."""
    gated = portless.gate(TARGET_PORT="8000").outputs
    given = {"PROD_PORT": "8000", **SHORT}
    first = portless.start(
        "promote", SOURCE_IMAGE=gated["image-id"], EXPECTED_REVISION=gated["revision"], **given
    ).end()
    portless.app.repo.commit(behave(unhealthy_on="production"))
    bad = portless.gate(TARGET_PORT="8000").outputs

    second = portless.start("promote", SOURCE_IMAGE=bad["image-id"], EXPECTED_REVISION=bad["revision"], **given).end()

    assert (first.status, first.outputs["outcome"]) == (0, "promoted"), first.log
    assert (second.status, second.outputs["outcome"]) == (4, "rolled-back"), second.log
    (serving,) = portless.containers(portless.app.production)
    assert serving.attrs["Image"] == gated["image-id"]


def test_what_ended_before_it_was_asked_is_unhealthy(portless: Runner) -> None:
    """I12. Fails when `_wait` in health.py asks for the address of what has ended: it has none."""
    compose = (portless.app.repo.path / "compose.yaml").read_text()
    ends = compose.replace("    image:", '    entrypoint: ["sh", "-c", "exit 7"]\n    image:', 1)
    portless.app.repo.commit({"compose.yaml": ends})

    ended = portless.gate(TARGET_PORT="8000", PROD_PORT="8000", **SHORT)

    assert ended.decision == ("closed", "unhealthy", 1), ended.log
    assert "exit status 7" in ended.reason
