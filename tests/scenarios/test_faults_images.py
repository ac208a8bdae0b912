"""Images that somebody deletes between two steps."""

from tests.docker_proxy import docker_proxy
from tests.promotions import FIRST, SECOND, SHORT, Production


def test_an_image_that_is_deleted_after_the_gate_is_refused(production_here: Production) -> None:
    """I8. Fails when `find_candidate` in candidacy.py takes a tag in place of an ID that is gone."""
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
