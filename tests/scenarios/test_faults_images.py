"""Images that somebody deletes between two steps."""

import pytest

from tests.support.docker_proxy import docker_proxy
from tests.support.promotions import FIRST, SECOND, SHORT, THIRD, Production
from tests.support.runner import Runner


def test_an_image_that_is_deleted_after_the_gate_is_refused(production_here: Production) -> None:
    """I8. Fails when `_find` in candidate.py takes a tag in place of an ID that is gone."""
    production, running = production_here, production_here.build(FIRST)
    production.deploy(running)
    gate = production.runner.gate()
    assert gate.decision == ("open", "fresh", 0), gate.log
    production.runner.compose("rm", "--stop", "--force", production.app.staging)
    production.sandbox.cli("rmi", "--force", gate.outputs["image-id"])
    before = production.state()

    ended = production.promote(SOURCE_IMAGE=gate.outputs["image-id"], EXPECTED_REVISION=gate.outputs["revision"])

    assert ended.end == (1, "refused"), ended.log
    assert f"has no image {gate.outputs['image-id']}" in ended.reason
    assert production.state() == before
    production.assert_serves(running)


def test_an_image_that_is_deleted_before_compose_runs_it_costs_the_promotion_only(production_here: Production) -> None:
    """I9. Fails when `recreate` in engine/compose.py lets Compose pull or build what is not there."""
    production, running = production_here, production_here.build(FIRST)
    production.deploy(running)
    image = production.build(SECOND)

    with docker_proxy(production.sandbox.engine.host) as proxy:
        proxy.before("GET /networks/*", lambda _call: production.sandbox.cli("rmi", "--force", image.id))
        ended = production.promote(image, DOCKER_HOST=proxy.host, **SHORT)

    assert ended.end == (4, "rolled-back"), ended.log
    production.assert_serves(running)
    assert ended.answers.failures == 0


def test_an_image_that_a_prune_takes_behind_its_build_is_not_blamed_on_the_commit(runner: Runner) -> None:
    """I5. Fails when `end` of Building in engine/build.py calls that a build that failed."""
    with docker_proxy(runner.sandbox.engine.host) as proxy:
        proxy.before("GET /images/sha256:*/json", lambda _call: runner.sandbox.cli("rmi", str(runner.built())))
        ended = runner.gate(DOCKER_HOST=proxy.host)

    assert ended.decision == ("closed", "error", 3), ended.log
    assert "the Engine does not have it" in ended.reason
    assert runner.containers(runner.app.staging) == []


def test_stagings_image_that_is_deleted_before_compose_runs_it_closes_the_gate(production_here: Production) -> None:
    """I5. Fails when `recreate` in engine/compose.py lets Compose pull or build what is not there."""
    runner = production_here.runner

    with docker_proxy(runner.sandbox.engine.host) as proxy:
        proxy.before("GET /networks/*", lambda _call: runner.sandbox.cli("rmi", "--force", str(runner.built())))
        ended = runner.gate(DOCKER_HOST=proxy.host)

    assert ended.outputs["gate"] == "closed", ended.log
    assert ended.outputs["verdict"] == "error"
    again = runner.gate()
    assert again.decision == ("open", "fresh", 0), again.log


@pytest.mark.parametrize("user", ["staging", ""])
def test_a_first_deployment_that_fails_keeps_its_image_whose_other_names_are_gone(
    user: str, production: Production
) -> None:
    """I9. Fails when `restore_tag` in engine/images.py takes the last name away: Docker refuses, or deletes the image.

    Staging's tag moves on, or a prune takes it, while production's is on the image.
    """
    name = f"{production.sandbox.name}-staged:1"
    image = production.build(FIRST, {"unhealthy_on": "production"}, tag=name)
    if user:
        production.sandbox.cli("create", "--name", f"{production.sandbox.name}-{user}", image.id)

    with docker_proxy(production.sandbox.engine.host) as proxy:
        proxy.after("POST /images/*/tag", lambda _call: production.sandbox.cli("rmi", name))
        ended = production.promote(image, DOCKER_HOST=proxy.host, **SHORT)

    assert ended.end == (4, "rolled-back"), ended.log
    assert production.state().tags == {f"{production.tag}:{FIRST}": image.id}
    assert production.sandbox.image_id(image.id) == image.id


def test_a_first_deployment_that_fails_leaves_a_tag_that_docker_does_not_let_go(production: Production) -> None:
    """I9. Fails when `untag_image` in engine/images.py takes Docker's 409 for a failed way back: it would never end."""
    name = f"{production.sandbox.name}-staged:1"
    image = production.build(FIRST, {"unhealthy_on": "production"}, label="", tag=name)
    production.sandbox.cli("create", "--name", f"{production.sandbox.name}-staging", image.id)

    with docker_proxy(production.sandbox.engine.host) as proxy:
        proxy.after("POST /images/*/tag", lambda _call: production.sandbox.cli("rmi", name))
        ended = production.promote(image, ORCH_IMAGE_FRESHNESS_ENABLED="false", DOCKER_HOST=proxy.host, **SHORT)

    assert ended.end == (4, "rolled-back"), ended.log
    assert production.state().tags == {f"{production.tag}:latest": image.id}
    good = production.build(SECOND)
    assert production.promote(good).end == (0, "promoted")
    production.assert_serves(good)


def test_a_kept_image_that_a_container_was_made_from_is_no_reason_to_fail(production_here: Production) -> None:
    """I9. Fails when `untag_image` in engine/images.py takes Docker's 409 for a failure: what serves was "undone".

    The promotion is cut, and what the next one finishes would let that image go.
    """
    production, oldest = production_here, production_here.build(FIRST)
    middle, newest = production.build(SECOND), production.build(THIRD, {"start_seconds": 2})
    production.deploy(oldest)
    assert production.promote(middle).end == (0, "promoted")
    production.sandbox.cli("rmi", f"{production.sandbox.name}-built:0")
    production.sandbox.cli("create", "--name", f"{production.sandbox.name}-look", oldest.id)
    run = production.start("promote", SOURCE_IMAGE=newest.id, EXPECTED_REVISION=THIRD, KEEP_IMAGES="1")
    run.wait_for("to be healthy")
    run.process.kill()
    run.process.wait()

    ended = production.promote(newest, KEEP_IMAGES="1")

    assert ended.end == (0, "unchanged"), ended.log
    production.assert_serves(newest)
    assert production.kept() == middle.id
    assert production.sandbox.image_id(oldest.id) == oldest.id


def test_a_tag_that_is_no_more_is_not_taken_for_another_images_id(production: Production) -> None:
    """I9. Fails when `find_tagged` in engine/images.py believes the Engine, which takes it for an ID's beginning."""
    foreign = production.build(SECOND, tag=f"{production.sandbox.name}-foreign:1")
    tag = foreign.id.removeprefix("sha256:")[:12]
    compose = production.app.repo.path / "compose.yaml"
    was = f"image: {production.tag}\n"
    assert was in compose.read_text()
    compose.write_text(compose.read_text().replace(was, f'image: "{tag}"\n'))
    image = production.build(FIRST, {"exit_after": 0})

    ended = production.promote(image)

    assert ended.end == (4, "rolled-back"), ended.log
    assert production.sandbox.docker.api.images(name=tag) == []
    assert production.sandbox.image_id(foreign.id) == foreign.id
