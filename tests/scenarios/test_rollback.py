"""`freshness rollback`: production back to the image that it ran before, by the same mechanism as a promotion."""

import pytest

from tests.support.engines import free_port
from tests.support.promotions import FIRST, SECOND, SHORT, THIRD, Built, Production


def promoted_twice(production: Production, *labels: str | None) -> tuple[Built, Built]:
    """Two images that production ran one after the other, and the label of the first if it is not its revision."""
    first, second = production.build(FIRST, label=labels[0] if labels else None), production.build(SECOND)
    production.deploy(first)
    assert production.promote(second).end == (0, "promoted")
    return first, second


def test_rollback_brings_the_previous_image_back(production: Production) -> None:
    """I9. Fails when `_previous` in candidate.py is not asked in a rollback."""
    first, second = promoted_twice(production)

    ended = production.run("rollback")

    production.assert_serves(first)
    assert ended.end == (0, "promoted"), ended.log
    assert ended.outputs["previous-image-id"] == second.id
    assert ended.answers.revisions == [second.revision, first.revision]


def test_a_second_rollback_goes_further_back_and_never_to_what_was_left(production: Production) -> None:
    """I9. Fails when `left` in change.py marks nothing: the second rollback would go forward to the bad image.

    Nothing but a kept tag names the first image: it must live through the moment in which that tag moves away.
    """
    first, second = promoted_twice(production)
    third = production.build(THIRD)
    assert production.promote(third).end == (0, "promoted")
    production.sandbox.cli("rmi", f"{production.sandbox.name}-built:0")
    assert production.run("rollback").end == (0, "promoted")
    production.assert_serves(second)

    ended = production.run("rollback")
    production.assert_serves(first)
    assert ended.end == (0, "promoted"), ended.log
    no_further = production.run("rollback")

    assert no_further.end == (1, "refused"), no_further.log
    assert f"was rolled back from {SECOND} and {THIRD}" in no_further.reason
    production.assert_serves(first)
    assert production.run("rollback", "--to", THIRD[:7]).end == (0, "promoted")
    production.assert_serves(third)
    assert production.run("rollback").end == (0, "promoted")
    production.assert_serves(first)


def test_after_the_next_promotion_a_rollback_goes_to_what_ran_before_it(production_here: Production) -> None:
    """I9. Fails when `left_by` in core/retained.py marks what was left alone, and not what a rollback jumped over."""
    production = production_here
    first, _ = promoted_twice(production)
    assert production.promote(production.build(THIRD)).end == (0, "promoted")
    assert production.run("rollback", "--to", "2").end == (0, "promoted")
    production.assert_serves(first)
    assert production.promote(production.build(THIRD, {"log": "corrected"})).end == (0, "promoted")

    assert production.run("rollback").end == (0, "promoted")
    production.assert_serves(first)
    assert production.run("rollback").end == (1, "refused")


def test_the_list_names_what_can_be_gone_back_to_and_each_of_its_names_is_taken(production_here: Production) -> None:
    """Fails when `find_retained` in rollback.py asks no record, or `is_meant` in retained.py knows one name."""
    production = production_here
    first, second = promoted_twice(production)
    before = production.state()

    listed = production.run("rollback", "--list")

    assert listed.status == 0, listed.log
    header, now, kept, note = listed.log.splitlines()
    assert header.split() == ["number", "commit", "image", "ID", "replaced"]
    assert now.split() == ["-", SECOND[:12], second.id[:19], "runs", "now"]
    assert kept.startswith(f"1       {FIRST[:12]}  {first.id[:19]}  20")
    assert kept.endswith(" *"), "it was deployed by hand"
    assert "with today's Compose file" in note
    assert max(map(len, listed.log.splitlines())) <= 80
    assert production.state() == before
    for name in ("1", FIRST[:7], first.id, first.id[:19]):
        production.run("rollback", "--to", name)
        production.assert_serves(first)
        assert production.run("rollback", "--to", second.id[:14]).end == (0, "promoted")
    wrong = production.run("rollback", "--to", FIRST[:6])
    assert wrong.end == (2, "error"), wrong.log
    assert "expected a number, or at least 7 digits" in wrong.reason


def test_where_only_a_tag_is_moved_a_second_rollback_does_not_go_forward_either(production_here: Production) -> None:
    """I9. Fails when `retag_plan` in plan.py does not write down what a rollback has left."""
    production = production_here
    only_tag = {"RECREATE": "false", "PROD_IMAGE": f"{production.sandbox.name}-only:live"}
    for revision in (FIRST, SECOND):
        assert production.promote(production.build(revision), **only_tag).end == (0, "promoted")
    assert production.run("rollback", **only_tag).end == (0, "promoted")

    ended = production.run("rollback", **only_tag)

    assert ended.end == (1, "refused"), ended.log
    assert f"was rolled back from {SECOND}" in ended.reason
    listed = production.run("rollback", "--list", **only_tag)
    assert "rolled back from" in listed.log


def test_a_rollback_without_a_previous_image_is_refused(production_here: Production) -> None:
    """I12. Fails when `_find` in candidate.py takes a missing kept image for nothing to do."""
    production_here.deploy(production_here.build(FIRST))
    before = production_here.state()

    ended = production_here.run("rollback")

    assert ended.end == (1, "refused"), ended.log
    assert "No previous image" in ended.reason
    assert production_here.state() == before


def test_a_rollback_to_an_unproven_image_is_refused(production_here: Production) -> None:
    """I8. Fails when `expected` in request.py guards nothing in a rollback."""
    promoted_twice(production_here, "")
    before = production_here.state()

    ended = production_here.run("rollback")

    assert ended.end == (1, "refused"), ended.log
    assert "`freshness rollback --allow-unverified`" in ended.reason
    assert production_here.state() == before


@pytest.mark.parametrize("expected", ["", SECOND])
def test_a_person_may_roll_back_to_an_unproven_image_aloud(expected: str, production_here: Production) -> None:
    """Fails when `expected` in request.py takes a promotion's `expected-revision` in a rollback."""
    first, _ = promoted_twice(production_here, "")

    ended = production_here.run("rollback", "--allow-unverified", EXPECTED_REVISION=expected)

    production_here.assert_serves(first)
    assert ended.end == (0, "promoted"), ended.log
    assert "The guard did not look" in ended.log


def test_the_last_images_are_kept_and_older_ones_are_let_go(production: Production) -> None:
    """I9. Fails when `_finish` in plan.py keeps all, or `keep_images` in engine/images.py loses one on its way."""
    images = [production.build(revision) for revision in (FIRST, SECOND, THIRD)] + [
        production.build(THIRD, {"log": "once more"})
    ]
    production.deploy(images[0])
    for image in images[1:]:
        assert production.promote(image, KEEP_IMAGES="2").end == (0, "promoted")

    assert [production.sandbox.image_id(f"{production.kept_tag}{nth}") for nth in ("", ".2", ".3")] == [
        images[2].id,
        images[1].id,
        None,
    ]


@pytest.mark.usefixtures("tools")
def test_a_rollback_may_name_the_commit_to_go_back_to(production_here: Production) -> None:
    """I9. Fails when `_previous` in candidate.py takes the newest whatever `--to` says, or one that is not kept."""
    production = production_here
    first, second = promoted_twice(production)
    third = production.build(THIRD)
    assert production.promote(third).end == (0, "promoted")

    assert production.run("rollback", "--to", "0" * 40).end == (1, "refused")
    production.assert_serves(third)
    ended = production.run("rollback", "--to", FIRST)

    production.assert_serves(first)
    assert ended.end == (0, "promoted"), ended.log
    assert production.kept() == third.id
    assert production.sandbox.image_id(f"{production.kept_tag}.2") == second.id


def test_a_way_back_that_fails_too_loses_nothing_that_was_kept(production_here: Production) -> None:
    """I9. Fails when `_retain_all` in plan.py has an undo that comes behind the proof of what ran before."""
    first, second = promoted_twice(production_here)

    ended = production_here.run("rollback", HEALTH_PATH="/nowhere", **SHORT)

    assert ended.end == (5, "stranded"), ended.log
    production_here.assert_serves(second)
    assert production_here.kept() == first.id
    assert production_here.run("rollback").end == (0, "promoted")
    production_here.assert_serves(first)


def test_a_rollback_that_fails_leaves_what_ran_and_what_was_kept(production_here: Production) -> None:
    """I9. Fails when `_retain_all` in plan.py has no undo."""
    production, running = production_here, production_here.build(SECOND)
    broken = production.build(FIRST, {"exit_after": 0})
    production.deploy(running)
    production.sandbox.cli("tag", broken.id, production.kept_tag)

    ended = production.run("rollback")

    production.assert_serves(running)
    assert ended.end == (4, "rolled-back"), ended.log
    assert production.kept() == broken.id


def edit(production: Production, *changes: tuple[str, str], name: str = "compose.yaml") -> None:
    """Writes the application's Compose file, with each text replaced by the other, as the file `name`."""
    folder = production.app.repo.path
    text = (folder / "compose.yaml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / name).write_text(text)


def test_a_rollback_finds_the_image_however_the_compose_file_writes_its_repository(production: Production) -> None:
    """I9. Fails when `retained_images` in engine/images.py asks the Engine for anything but the familiar name."""
    edit(production, (f"image: {production.tag}\n", f"image: docker.io/acme/{production.sandbox.name}-shop:prod\n"))
    first, second = production.build(FIRST), production.build(SECOND)
    for image in (first, second):
        assert production.promote(image).end == (0, "promoted")

    ended = production.run("rollback")

    assert ended.end == (0, "promoted"), ended.log
    assert production.container().attrs["Image"] == first.id
    assert ended.answers.revisions == [second.revision, first.revision]


@pytest.mark.parametrize(("words", "named"), [((), THIRD), (("--to", FIRST), SECOND)])
def test_a_rollback_is_refused_where_another_project_keeps_its_images_under_the_same_tags(
    words: tuple[str, ...], named: str, production_here: Production
) -> None:
    """I9, I12. Fails when `_previous` in candidate.py does not look who else has this repository.

    What is kept is the other production's: this one has never run anything but the second image. Where the other's tag
    names something else by now, the Engine lists its container by the image's ID alone.
    """
    production, app, other = production_here, production_here.app, f"{production_here.app.project}-us"
    repository, port = f"{production.sandbox.name}-shared", free_port()
    to_us = [(app.project, other), (str(app.production_port), str(port)), (f"image: {other}-orchestrator\n", "@\n")]
    edit(production, *to_us, ("@", f"image: docker.io/library/{repository}:us"), name="us.yaml")
    edit(production, (f"image: {production.tag}\n", f"image: {repository}:eu\n"))
    images = {revision: production.build(revision) for revision in (FIRST, SECOND, THIRD)}
    assert production.promote(images[SECOND]).end == (0, "promoted")
    for revision in (FIRST, THIRD):
        given = {"SOURCE_IMAGE": images[revision].id, "EXPECTED_REVISION": revision}
        run = production.start("promote", COMPOSE_FILE="us.yaml", PROD_PORT=str(port), **given)
        assert run.end().status == 0, run.log
    production.sandbox.cli("tag", images[named].id, f"{repository}:us")
    before = production.state()

    ended = production.run("rollback", *words)
    only_the_tag = production.run("rollback", *words, RECREATE="false", PROD_IMAGE=f"{repository}:eu")

    for each, projects in ((ended, other), (only_the_tag, f"{app.project} and to {other}")):
        assert each.end == (1, "refused"), each.log
        assert f"containers of {repository} on this Engine belong to the Compose project {projects}" in each.reason
    assert production.state() == before
    assert ended.answers.revisions == [SECOND]
    again = production.promote(images[FIRST], ALLOW_ROLLBACK="the remedy that it names")
    assert again.end == (0, "promoted"), again.log


def test_a_rollback_needs_nothing_of_todays_compose_file(production_here: Production) -> None:
    """I9. Fails when `reach_hosts` in host.py raises in a rollback what today's file says."""
    production, compose = production_here, production_here.app.repo.path / "compose.yaml"
    first, second = production.build(FIRST), production.build(SECOND)
    for image in (first, second):
        assert production.promote(image).end == (0, "promoted")
    compose.write_text(f"{compose.read_text()}\nservices: [")

    listed = production.run("rollback", "--list")
    ended = production.run("rollback")

    assert first.id[:19] in listed.log, listed.log
    assert ended.end == (0, "promoted"), ended.log
    assert "it goes back by the record alone: Compose cannot read" in ended.log
    production.assert_serves(first)
    compose.unlink()  # and with it the project's name
    named = {"COMPOSE_PROJECT_NAME": production.app.project}
    assert production.run("rollback", "--to", SECOND, **named).end == (0, "promoted")
    production.assert_serves(second)


def test_what_ran_last_before_production_was_taken_down_can_be_gone_back_to(production_here: Production) -> None:
    """I9. Fails when `replaced` in change.py knows containers alone, or `find_now` in rollback.py no record."""
    production = production_here
    first, second, third = (production.build(revision) for revision in (FIRST, SECOND, THIRD))
    for image in (first, second):
        assert production.promote(image).end == (0, "promoted")
    production.runner.compose("rm", "--stop", "--force", production.app.production)

    listed = production.run("rollback", "--list")
    ended = production.promote(third)

    assert SECOND[:12] in listed.log, listed.log
    assert "down; ran last" in listed.log
    assert ended.end == (0, "promoted"), ended.log
    assert f"{THIRD[:12]} is 1 commit ahead of {SECOND[:12]}, the commit that ran last" in ended.log
    assert "the commit in production" not in ended.log
    assert production.kept() == second.id
    assert production.run("rollback").end == (0, "promoted")
    production.assert_serves(second)


def test_after_a_down_a_rollback_starts_what_ran_last(production_here: Production) -> None:
    """I9. Fails when `_previous` in candidate.py does not look for what ran last where nothing runs."""
    production = production_here
    first, second = production.build(FIRST), production.build(SECOND)
    for image in (first, second):
        assert production.promote(image).end == (0, "promoted")
    production.runner.compose("rm", "--stop", "--force", production.app.production)

    assert production.run("rollback").end == (0, "promoted")
    production.assert_serves(second)
    assert production.run("rollback").end == (0, "promoted")
    production.assert_serves(first)


def test_a_settings_file_that_is_wrong_keeps_nobody_from_a_way_back(production_here: Production) -> None:
    """I9. Fails when what the commit that is checked out says wrongly ends a rollback, or is passed over in silence."""
    first, _ = promoted_twice(production_here)
    production_here.app.repo.commit({"freshness.toml": "[services.web\n"})

    ended = production_here.run("rollback")

    assert ended.end == (0, "promoted"), ended.log
    assert "Not read, since it is a rollback: the commit's freshness.toml cannot be read" in ended.log
    production_here.assert_serves(first)
