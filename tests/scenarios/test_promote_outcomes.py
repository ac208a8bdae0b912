"""What a promotion that succeeds leaves behind. In every scenario a client asks production."""

import pytest

from tests.support.promotions import FIRST, SECOND, THIRD, Production


def test_the_image_that_the_gate_proved_becomes_production(production: Production) -> None:
    """I3, I7. Fails when `_tag` in plan.py tags `target.image` with anything but `candidate.id`."""
    before = production.build(FIRST)
    production.deploy(before)
    gate = production.run("gate", GIT_SHA=production.app.repo.head())
    assert gate.outputs["gate"] == "open", gate.log

    ended = production.promote(SOURCE_IMAGE=gate.outputs["image-id"], EXPECTED_REVISION=gate.outputs["revision"])

    proven = production.built(gate.outputs["image-id"], gate.outputs["revision"])
    production.assert_serves(proven)
    assert ended.end == (0, "promoted"), ended.log
    assert ended.outputs["image-id"] == proven.id
    assert ended.outputs["previous-image-id"] == before.id
    assert production.kept() == before.id
    assert ended.answers.revisions == [before.revision, proven.revision]


def test_a_first_promotion_deploys(production: Production) -> None:
    """Fails when `find_change` in observe.py demands a running container."""
    image = production.build(FIRST)

    ended = production.promote(image)

    production.assert_serves(image)
    assert ended.end == (0, "promoted"), ended.log
    assert ended.outputs["previous-image-id"] == ""
    assert production.kept() is None
    assert ended.answers.revisions == [image.revision]


@pytest.mark.usefixtures("tools")
def test_what_production_runs_already_is_left_alone(production: Production) -> None:
    """I11. Fails when `recreate` in engine/compose.py always adds `--force-recreate`."""
    older, image = production.build(FIRST), production.build(SECOND)
    production.deploy(older)
    production.promote(image)
    before = production.state()

    ended = production.promote(image)

    assert ended.end == (0, "unchanged"), ended.log
    assert production.state() == before
    assert production.kept() == older.id
    assert ended.answers.revisions == [image.revision]
    assert ended.answers.failures == 0


def test_a_production_that_nobody_proved_can_be_replaced(production: Production) -> None:
    """Fails when `find_change` in observe.py demands a label of what production runs."""
    adopted, image = production.build(FIRST, label=""), production.build(SECOND)
    production.deploy(adopted)

    ended = production.promote(image)

    production.assert_serves(image)
    assert ended.end == (0, "promoted"), ended.log
    assert production.kept() == adopted.id
    assert "unproven" in ended.outputs["reason"]


def test_what_a_hand_tagged_as_production_is_not_what_production_ran(production: Production) -> None:
    """Fails when `find_change` in observe.py takes `previous` from `target.image`'s tag in place of the container."""
    running, stray, image = production.build(FIRST), production.build(SECOND), production.build(THIRD)
    production.deploy(running)
    production.sandbox.cli("tag", stray.id, production.tag)

    ended = production.promote(image)

    production.assert_serves(image)
    assert ended.outputs["previous-image-id"] == running.id
    assert production.kept() == running.id
    assert stray.revision not in ended.answers.revisions


def test_a_production_in_a_profile_that_needs_a_service_of_another_is_promoted(production_here: Production) -> None:
    """Fails when `command` in engine/compose_file.py turns the profiles on for `config` alone: `up` and `rm` fail then.

    The first image fails, and is taken away again.
    """
    production, compose = production_here, production_here.app.repo.path / "compose.yaml"
    service = "TARGET: production\n    profiles: [live]\n    depends_on: [database]\n"
    database = "  database:\n    image: python:3.13-slim\n    profiles: [data]\n"
    compose.write_text(compose.read_text().replace("TARGET: production\n", service) + database)
    bad, good = production.build(FIRST, {"exit_after": 0}), production.build(SECOND)

    assert production.promote(bad).end == (4, "rolled-back")
    assert production.runner.containers(production.app.production) == []
    ended = production.promote(good)

    assert ended.end == (0, "promoted"), ended.log
    production.assert_serves(good)
    assert production.runner.containers("database") == []


def test_a_production_that_had_stopped_is_started_and_that_is_said(production_here: Production) -> None:
    """I10. Fails when `_what_serves` in wording.py calls it healthy all along, and hides that it was down."""
    image = production_here.build(FIRST)
    production_here.deploy(image)
    production_here.container().stop(timeout=1)

    ended = production_here.start("promote", SOURCE_IMAGE=image.id, EXPECTED_REVISION=FIRST).end()

    assert (ended.status, ended.outputs["outcome"]) == (0, "unchanged"), ended.log
    assert "had stopped and was started again" in ended.reason
    production_here.assert_serves(image)
