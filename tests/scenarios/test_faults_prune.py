"""`docker system prune -af --volumes` between two steps: images live on by their IDs, lost tags are put back."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.applications import python_application
from tests.support.docker_proxy import docker_proxy
from tests.support.engines import BASE_IMAGE, Sandbox
from tests.support.faults import WHILE_PRODUCTION_CHANGES, Moment, parametrize
from tests.support.promotions import FIRST, SECOND, SHORT, THIRD, Production, make_history
from tests.support.runner import Runner

FRAGILE = {"containerd": "fragile", "classic": "fragile_classic"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    parametrize(metafunc, "which", FRAGILE, *(FRAGILE if "moment" in metafunc.fixturenames else ["classic"]))
    parametrize(metafunc, "moment", WHILE_PRODUCTION_CHANGES, "production's tag was set")


@pytest.fixture
def production_there(
    which: str, request: pytest.FixtureRequest, tmp_path: Path, record_property: Callable[[str, object], None]
) -> Production:
    """On an Engine that is the test's own: a prune takes what belongs to all others on it."""
    sandbox: Sandbox = request.getfixturevalue(which)
    app = python_application(tmp_path / "app", sandbox)
    make_history(app.repo)
    return Production(runner=Runner(sandbox=sandbox, app=app, folder=tmp_path), record=record_property)


def prune(production: Production) -> None:
    """What people type. The base image stays for the next test: a container of its own runs it."""
    sandbox, keeper = production.sandbox, f"{production.sandbox.name}-keeper"
    base = str(sandbox.image_id(BASE_IMAGE))
    sandbox.cli("run", "--detach", "--name", keeper, base, "sleep", "infinity")
    sandbox.cli("system", "prune", "--all", "--force", "--volumes")
    sandbox.cli("tag", base, BASE_IMAGE)


def test_after_a_prune_the_gates_image_is_promoted_by_its_id(production_there: Production) -> None:
    """I7. Fails when promote looks for the image by a tag, which a prune takes also while its image runs."""
    production, running = production_there, production_there.build(FIRST)
    production.deploy(running)
    gate = production.runner.gate()
    assert gate.decision == ("open", "fresh", 0), gate.log

    prune(production)
    ended = production.promote(SOURCE_IMAGE=gate.outputs["image-id"], EXPECTED_REVISION=gate.outputs["revision"])

    assert ended.end == (0, "promoted"), ended.log
    production.assert_serves(production.built(gate.outputs["image-id"], gate.outputs["revision"]))
    assert production.kept() == running.id
    back = production.run("rollback")
    assert back.end == (0, "promoted"), back.log
    production.assert_serves(running)


@pytest.mark.under_fire
def test_a_gate_after_a_prune_finds_staging_running_and_names_its_image_again(production_there: Production) -> None:
    """I3. Fails when the gate takes a tag that a prune took for a container that is not there."""
    runner = production_there.runner
    assert runner.gate().decision == ("open", "fresh", 0)

    prune(production_there)
    ended = runner.gate()

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert runner.staging().attrs["Image"] == runner.built() == runner.sandbox.image_id(runner.app.staging_image)


def test_a_prune_between_promote_and_rollback_takes_the_older_images_and_that_is_said(
    production_there: Production,
) -> None:
    """Fails when a rollback takes for previous what is no more, or does not put production's own tag back."""
    production = production_there
    production.deploy(production.build(FIRST))
    image = production.build(SECOND)
    assert production.promote(image).end == (0, "promoted")

    prune(production)
    back = production.run("rollback")

    assert back.end == (1, "refused"), back.log
    assert "No previous image" in back.reason
    again = production.promote(image)
    assert again.end == (0, "unchanged"), again.log
    production.assert_serves(image)


def test_a_production_whose_image_a_prune_took_is_mended_with_the_command_that_the_refusal_names(
    production_there: Production,
) -> None:
    """I9. Fails when the remedy in `_refuse_loss` in observe.py leads nowhere."""
    production, running = production_there, production_there.build(FIRST)
    production.deploy(running)
    image = production.build(SECOND)
    production.container().stop()
    for reference in (production.tag, running.id):
        production.sandbox.run(["docker", "rmi", "--force", reference])
    assert production.sandbox.image_id(running.id) is None
    ended = production.promote(image)
    assert ended.end == (1, "refused"), ended.log
    assert "no longer has" in ended.reason

    type_in(production, ended.reason)

    assert production.promote(image).end == (0, "promoted")
    production.assert_serves(image)


def type_in(production: Production, reason: str) -> None:
    """Types the command that a refusal names."""
    command = re.search(r"docker rm --force \S+", reason)
    assert command, reason
    production.sandbox.cli(*command[0].rstrip(".").split()[1:])


def test_a_prune_while_production_changes_leaves_the_old_or_the_new_image_serving(
    moment: Moment, production_there: Production
) -> None:
    """I9. Fails when the way back leads by a tag, or the identity of what serves is asked by its tag alone.

    While neither container runs a prune takes both images: then a person is needed, and it is said what is gone.
    """
    production, running = production_there, production_there.build(FIRST)
    production.deploy(running)
    image = production.build(SECOND)

    with docker_proxy(production.sandbox.engine.host) as proxy:
        moment.order(proxy, lambda _call: prune(production))
        ended = production.promote(image, DOCKER_HOST=proxy.host, **SHORT)

    if ended.status in {0, 4}:
        production.assert_serves(image if ended.outputs["image-id"] == image.id else running)
    else:
        assert ended.end == (5, "stranded"), ended.log
        assert production.sandbox.image_id(running.id) is None, "what it ran before is there, and it did not go back"
        assert "No such image" in ended.reason
    newer = production.build(THIRD)
    again = production.promote(newer)
    if again.status == 1:
        assert "no longer has" in again.reason, again.log
        type_in(production, again.reason)
        again = production.promote(newer)
    assert again.end == (0, "promoted"), again.log
    production.assert_serves(newer)
