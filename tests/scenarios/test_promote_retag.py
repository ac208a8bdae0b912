"""`recreate: false`: production's tag moves by image ID, and nothing else does."""

from tests.support.promotions import FIRST, SECOND, THIRD, Production


def test_without_recreation_only_the_tag_moves(production: Production) -> None:
    """I7. Fails when `read_subject` in subject.py ignores `recreate`, or `retag_plan` retains nothing."""
    running, image = production.build(FIRST), production.build(SECOND)
    production.deploy(running)
    before = production.state()

    ended = production.promote(image, RECREATE="false", PROD_IMAGE=production.tag)

    after = production.state()
    assert ended.end == (0, "promoted"), ended.log
    assert ended.outputs["image-id"] == image.id
    assert ended.outputs["previous-image-id"] == running.id
    assert after.containers == before.containers
    assert after.tags == {**before.tags, f"{production.tag}:latest": image.id, production.kept_tag: running.id}
    assert ended.answers.revisions == [running.revision]
    assert ended.answers.failures == 0


def test_without_recreation_no_compose_file_is_needed(production_here: Production) -> None:
    """Fails when `read_subject` in subject.py reads the Compose file although `source-image` is given."""
    image = production_here.build(FIRST)
    (production_here.app.repo.path / "compose.yaml").unlink()

    ended = production_here.promote(image, RECREATE="false", PROD_IMAGE=production_here.tag)

    assert ended.status == 0, ended.log
    assert production_here.sandbox.image_id(production_here.tag) == image.id


def test_without_recreation_the_guard_holds(production_here: Production) -> None:
    """I8. Fails when `_plan_tag` in preflight.py does not call `prove`."""
    image = production_here.build(FIRST, label=SECOND)
    before = production_here.state()

    ended = production_here.promote(image, RECREATE="false", PROD_IMAGE=production_here.tag)

    assert ended.end == (1, "refused")
    assert production_here.state() == before


def test_a_tag_that_names_the_image_already_is_left_alone(production_here: Production) -> None:
    """Fails when `retag_plan` in plan.py keeps the image that stays: freshness-previous would be lost."""
    older, image = production_here.build(FIRST), production_here.build(SECOND)
    production_here.sandbox.cli("tag", older.id, production_here.kept_tag)
    production_here.sandbox.cli("tag", image.id, production_here.tag)

    ended = production_here.promote(image, RECREATE="false", PROD_IMAGE=production_here.tag)

    assert ended.end == (0, "unchanged")
    assert production_here.kept() == older.id


def test_a_rollback_without_recreation_moves_the_tag_back(production: Production) -> None:
    """Fails when `_plan_tag` in preflight.py does not look for the kept image in a rollback."""
    first, second = production.build(FIRST), production.build(SECOND)
    for image in (first, second):
        production.promote(image, RECREATE="false", PROD_IMAGE=production.tag)

    ended = production.run("rollback", RECREATE="false", PROD_IMAGE=production.tag)

    assert ended.end == (0, "promoted"), ended.log
    assert production.sandbox.image_id(production.tag) == first.id
    assert production.kept() == second.id


def test_without_recreation_the_tag_must_be_named(production_here: Production) -> None:
    """Fails when `read_promote` in settings/read.py does not ask for `image` where `recreate` is false."""
    image = production_here.build(THIRD)

    ended = production_here.promote(image, RECREATE="false")

    assert ended.status == 2
    assert "`image` (PROD_IMAGE) is empty" in ended.log
