"""Somebody moves tags, forges labels, imitates containers or replays outputs, and no unproven image becomes production.

Each is judged by the image ID of the container that runs, not by what is said.
"""

import contextlib
import itertools
import threading
from collections.abc import Iterator, Sequence

import pytest
from docker.models.containers import Container

from tests.support.engines import Sandbox
from tests.support.promotions import FIRST, LABEL, SECOND, THIRD, Built, Production

BACK_AND_FORTH = {"ALLOW_ROLLBACK": "an attack is rehearsed", "ALLOW_DIVERGED": "an attack is rehearsed"}
"""Lets two revisions take turns."""


@contextlib.contextmanager
def moving(sandbox: Sandbox, tag: str, images: Sequence[Built]) -> Iterator[list[str]]:
    """The tag goes round the images without pause for as long as the block lasts; yields the IDs that it named."""
    named: list[str] = []
    ended = threading.Event()

    def move() -> None:
        for image in itertools.cycle(images):
            sandbox.docker.api.tag(image.id, tag, force=True)
            named.append(image.id)
            if ended.is_set():
                return

    thread = threading.Thread(target=move, name="moves a tag")
    thread.start()
    try:
        yield named
    finally:
        ended.set()
        thread.join()


def serving(production: Production) -> str:
    """The ID of the image that production's container runs."""
    image: str = production.container().attrs["Image"]
    return image


@pytest.mark.timeout(1800)
def test_a_tag_that_moves_without_pause_ships_the_proven_image_or_none(
    request: pytest.FixtureRequest, production_here: Production
) -> None:
    """I7, I8. Fails when `_tag` in plan.py tags the source's name in place of the ID that the guard saw.

    Two revisions take turns; every other promotion takes the image from the moving tag itself, the rest by its ID.
    """
    production, outcomes, ids = production_here, list[str](), itertools.cycle((False, True))
    rounds = 200 if request.config.getoption("--under-fire") else 6
    first, second, unproven = production.build(FIRST), production.build(SECOND), production.build(THIRD, label="")
    production.deploy(second)
    with moving(production.sandbox, production.app.staging_image, (first, second, first, unproven, second)):
        while outcomes.count("promoted") < rounds or "refused" not in outcomes:  # the tag has named what was not wanted
            before = serving(production)
            image = second if before == first.id else first
            source = {"SOURCE_IMAGE": image.id} if next(ids) else {}

            ended = production.start("promote", EXPECTED_REVISION=image.revision, **source, **BACK_AND_FORTH).end()

            outcomes.append(ended.outputs["outcome"])
            assert serving(production) == {"promoted": image.id, "refused": before}[outcomes[-1]], ended.log


def test_a_production_tag_that_somebody_moves_is_never_called_promoted(production_here: Production) -> None:
    """I7, I9. Fails when `tag_image` in engine/images.py does not look again, nor `verify` in proof.py."""
    production = production_here
    first, second, unproven = production.build(FIRST), production.build(SECOND), production.build(THIRD, label="")
    production.deploy(first)
    with moving(production.sandbox, f"{production.tag}:latest", (unproven, first)):
        ended = production.start("promote", SOURCE_IMAGE=second.id, EXPECTED_REVISION=SECOND).end()
    assert ended.outputs["outcome"] in {"rolled-back", "stranded"}, ended.log
    assert "Something else " in ended.log, "which of the looks sees it is chance, and each says so"

    again = production.promote(second)

    assert again.end == (0, "promoted"), again.log
    production.assert_serves(second)


def test_a_prepared_image_with_the_commits_label_and_tag_is_not_what_the_gate_proves(
    production_here: Production,
) -> None:
    """I2, I3. Fails when `end` of Building in engine/build.py takes what `build.tag` names already."""
    runner, commit = production_here.runner, production_here.app.repo.head()
    forged = production_here.build(THIRD, label=commit, tag=f"{production_here.app.staging_image}:{commit}")
    production_here.sandbox.cli("tag", forged.id, production_here.app.staging_image)
    runner.compose("up", "--detach", "--no-deps", production_here.app.staging)

    ended = runner.gate()

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert forged.id != ended.outputs["image-id"] == runner.staging().attrs["Image"]
    assert production_here.sandbox.get(production_here.app.staging_port, "/version") == (200, commit)


def test_an_image_upon_the_proven_one_has_its_label_and_is_not_promoted_in_its_place(
    production_here: Production,
) -> None:
    """I2, I7. Fails when `require_staged` in candidate.py believes the tag, or a given `source-image` is not taken."""
    production, staging_tag = production_here, production_here.app.staging_image
    gate = production.runner.gate()
    upon = production.build_from(f"FROM {staging_tag}\nENV REVISION=tampered\n", revision="tampered")
    production.sandbox.cli("tag", upon.id, staging_tag)
    proven = production.built(gate.outputs["image-id"], gate.outputs["revision"])
    assert production.sandbox.docker.images.get(staging_tag).labels[LABEL] == proven.revision

    for order in ({}, {"RECREATE": "false", "PROD_IMAGE": production.tag}):
        by_tag = production.start("promote", EXPECTED_REVISION=proven.revision, **order).end()
        assert (by_tag.status, by_tag.outputs["outcome"]) == (1, "refused"), by_tag.log
        assert f"staging runs {proven.id}" in by_tag.reason
    by_id = production.promote(proven)

    assert by_id.end == (0, "promoted"), by_id.log
    production.assert_serves(proven)


def imitate(production: Production, real: Container, image: Built, port: int) -> None:
    """In place of the container, one of another image that has its name, its port and every label of it."""
    real.remove(force=True)
    labels = (word for name, value in real.labels.items() for word in ("--label", f"{name}={value}"))
    where = ("--publish", f"127.0.0.1:{port}:8000", "--env", "TARGET=staging", "--name", str(real.name))
    production.sandbox.cli("run", "--detach", *where, *labels, image.id)
    production.sandbox.wait_for(port, "/health")


def test_a_container_that_imitates_composes_labels_is_not_taken_for_staging(production_here: Production) -> None:
    """I3. Fails when `recreate` in gate/switch.py compares no image ID of the container: Compose believes labels."""
    production, runner = production_here, production_here.runner
    assert runner.gate().decision == ("open", "fresh", 0)
    impostor = production.build(THIRD, label=production.app.repo.head())
    imitate(production, runner.staging(), impostor, production.app.staging_port)

    ended = runner.gate()

    assert ended.decision == ("closed", "stale", 1), ended.log
    assert impostor.id in ended.reason


def test_a_container_that_imitates_composes_labels_is_not_taken_for_promoted(production_here: Production) -> None:
    """I9. Fails when `recreate_in_place` in stop_first.py believes Compose, and so the labels, that nothing changed."""
    production, image = production_here, production_here.build(SECOND)
    production.deploy(image)
    impostor = production.build(THIRD, label="")
    imitate(production, production.container(), impostor, production.app.production_port)

    ended = production.promote(image)

    assert ended.end == (0, "promoted"), ended.log
    assert ended.outputs["previous-image-id"] == impostor.id
    production.assert_serves(image)


def test_a_one_off_container_on_productions_port_is_refused(production_here: Production) -> None:
    """I8. Fails when `find_conflicts` in conflicts.py takes what `docker compose run` started for the service's."""
    production, image = production_here, production_here.build(SECOND)
    production.sandbox.cli("tag", production.build(FIRST).id, production.tag)
    production.runner.compose("run", "--detach", "--no-deps", "--service-ports", production.app.production)
    before = production.state()

    ended = production.promote(image)

    assert ended.end == (1, "refused"), ended.log
    assert f"port {production.app.production_port} belongs to" in ended.reason
    assert production.state() == before


def test_a_tag_that_is_the_beginning_of_an_image_id_leads_nowhere(production_here: Production) -> None:
    """I7. Fails when `tag_image` in engine/images.py shortens the ID that it is given."""
    production, image = production_here, production_here.build(FIRST)
    unproven, beginning = production.build(THIRD, label=""), image.id.removeprefix("sha256:")[:20]
    production.sandbox.cli("tag", unproven.id, beginning)
    try:
        refused = production.promote(SOURCE_IMAGE=beginning, EXPECTED_REVISION=FIRST)
        promoted = production.promote(image)
    finally:
        production.sandbox.cli("rmi", beginning)

    assert refused.end == (1, "refused"), refused.log
    assert unproven.id in refused.reason
    assert promoted.end == (0, "promoted"), promoted.log
    production.assert_serves(image)
