"""Files of the Docker host that change, or go, while a run needs them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.docker_proxy import Call, docker_proxy
from tests.support.promotions import FIRST, SECOND, SHORT, Built, Production

OVER = "\n    volumes: ['{}:/app/behaviour.json:ro']\n"
"""A mount that lies over a file of the image."""


@pytest.fixture
def lying_over(production_here: Production) -> Callable[[Call], None]:
    """Somebody writes a mount over production's image into the Compose file."""
    (hidden := production_here.runner.folder / "behaviour.json").write_text("{}")
    file = production_here.app.repo.path / "compose.yaml"

    def write(_call: Call) -> None:
        file.write_text(file.read_text().rstrip() + OVER.format(hidden))

    return write


def proven(production: Production, **behaviour: object) -> tuple[Built, Built]:
    """What production runs, with its configuration on record, and what is to be promoted."""
    running, image = production.build(FIRST), production.build(SECOND, behaviour)
    production.deploy(running)
    assert production.promote(running).status == 0
    return running, image


def mounts_of(production: Production) -> list[str]:
    return [mount["Destination"] for mount in production.container().attrs["Mounts"]]


@pytest.mark.parametrize("moment", ["POST /images/*/tag", "POST /containers/*/start"])
def test_a_compose_file_that_changes_during_a_promotion_is_not_promoted(
    moment: str, production_here: Production, lying_over: Callable[[Call], None]
) -> None:
    """I13. Fails when `serve` in switch.py does not look at the files once more, before Compose and after it."""
    production, (running, image) = production_here, proven(production_here)

    with docker_proxy(production.sandbox.engine.host) as proxy:
        proxy.before(moment, lying_over)
        ended = production.promote(image, DOCKER_HOST=proxy.host, **SHORT)

    assert ended.end == (4, "rolled-back"), ended.log
    assert "compose.yaml changed during the run" in ended.reason
    production.assert_serves(running)
    assert mounts_of(production) == []


def test_a_compose_file_that_changes_meanwhile_is_not_what_production_goes_back_to(
    production_here: Production, lying_over: Callable[[Call], None]
) -> None:
    """I9. Fails when `source_as_read` of Make in change.py gives today's files, whatever they say by now."""
    production, (running, image) = production_here, proven(production_here, health=503)

    run = production.start("promote", SOURCE_IMAGE=image.id, EXPECTED_REVISION=SECOND, **SHORT)
    run.wait_for("to be healthy")
    lying_over(Call(number=0, method="", path="", query=""))
    ended = run.end()

    assert (ended.status, ended.outputs["outcome"]) == (4, "rolled-back"), ended.log
    production.assert_serves(running)
    assert mounts_of(production) == []


def test_a_workspace_that_goes_during_a_promotion_costs_the_promotion_only(
    production_here: Production, tmp_path: Path
) -> None:
    """I9. Fails when the way back needs the working directory, or a Compose file or env file of it."""
    production = production_here
    (production.app.repo.path / ".env").write_text("UNUSED=1\n")
    running, image = proven(production, health=503)
    shutil.copytree(production.app.repo.path, tmp_path / "kept", symlinks=True)

    run = production.start("promote", SOURCE_IMAGE=image.id, EXPECTED_REVISION=SECOND, **SHORT)
    run.wait_for("to be healthy")
    shutil.rmtree(production.app.repo.path)
    ended = run.end()

    assert (ended.status, ended.outputs["outcome"]) == (4, "rolled-back"), ended.log
    production.assert_serves(running)
    (tmp_path / "kept").rename(production.app.repo.path)
    assert production.promote(running).end == (0, "unchanged")


def test_a_first_deployment_whose_workspace_goes_leaves_nothing(production_here: Production) -> None:
    """I9. Fails when `bring_back` in switch.py needs today's files to take the container away."""
    production, image = production_here, production_here.build(FIRST, {"health": 503})

    run = production.start("promote", SOURCE_IMAGE=image.id, EXPECTED_REVISION=FIRST, **SHORT)
    run.wait_for("to be healthy")
    shutil.rmtree(production.app.repo.path)
    ended = run.end()

    assert (ended.status, ended.outputs["outcome"]) == (4, "rolled-back"), ended.log
    assert production.runner.containers(production.app.production) == []


def test_a_compose_file_that_changes_while_a_gate_builds_closes_it(
    production_here: Production, lying_over: Callable[[Call], None]
) -> None:
    """I13. Fails when `recreate` in gate/switch.py does not look at the files once more."""
    runner = production_here.runner

    with docker_proxy(runner.sandbox.engine.host) as proxy:
        proxy.after("POST /session", lying_over)
        ended = runner.gate(DOCKER_HOST=proxy.host)

    assert ended.decision == ("closed", "stale", 1), ended.log
    assert "compose.yaml changed during the run" in ended.reason
    assert runner.containers(runner.app.staging) == []
    again = runner.gate()
    assert again.decision == ("open", "fresh", 0), again.log
