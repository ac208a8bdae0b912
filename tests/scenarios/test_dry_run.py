"""`--dry-run`: every refusal, then the plan with its reasons, and nothing is written."""

import pytest

from tests.support.promotions import FIRST, SECOND, THIRD, Production
from tests.support.runner import Ended


def dry(production: Production, *words: str, **variables: str) -> Ended:
    """The command with `--dry-run`. Whatever it said, it wrote nothing."""
    before, volumes = production.state(), volumes_of(production)
    ended = production.runner.start(*words, "--dry-run", **variables).end()
    assert production.state() == before, ended.log
    assert volumes_of(production) == volumes
    assert ended.summary == ""
    return ended


def volumes_of(production: Production) -> set[str]:
    found = production.sandbox.docker.volumes.list(filters={"name": production.sandbox.name})
    return {volume.name for volume in found}


def test_a_promotion_says_what_it_would_do_and_does_it_then(production: Production) -> None:
    """Fails when `promote` in promote.py goes on to the writes in a dry run, or a plan leaves out what is retained."""
    running, image = production.build(FIRST), production.build(SECOND)
    production.deploy(running)
    given = {"SOURCE_IMAGE": image.id, "EXPECTED_REVISION": SECOND}

    ended = dry(production, "promote", **given)

    assert ended.status == 0, ended.log
    assert ended.written == "outcome=error\n"
    steps = [line for line in ended.log.splitlines() if line[:1].isdigit()]
    assert f"tag {image.id[:19]} as {production.tag}" in steps[0]
    assert f"retain {running.id[:19]} as {production.kept_tag}" in steps[1]
    assert all(": " in step for step in steps), steps
    assert production.promote(image).end == (0, "promoted")
    assert production.kept() == running.id


@pytest.mark.parametrize("given", [{"EXPECTED_REVISION": THIRD}, {"PROD_SERVICE": "nothing"}])
def test_what_would_be_refused_is_refused(given: dict[str, str], production_here: Production) -> None:
    """Fails when `foresee` in foresee.py plans without a preflight."""
    image = production_here.build(SECOND)
    production_here.deploy(production_here.build(FIRST))
    given = {"SOURCE_IMAGE": image.id, "EXPECTED_REVISION": SECOND, **given}

    ended = dry(production_here, "promote", **given)

    assert ended.status == production_here.promote(**given).status != 0
    assert "It would end here." in ended.log


def test_a_rollback_says_to_which_image(production_here: Production) -> None:
    """Fails when a dry rollback looks at staging's image."""
    first, second = production_here.build(FIRST), production_here.build(SECOND)
    production_here.deploy(first)
    assert production_here.promote(second).end == (0, "promoted")

    ended = dry(production_here, "rollback")

    assert ended.status == 0, ended.log
    assert f"tag {first.id[:19]} as {production_here.tag}" in ended.log


def test_a_retag_says_what_it_would_move(production_here: Production) -> None:
    image, tag = production_here.build(SECOND), f"{production_here.sandbox.name}-live:now"

    ended = dry(
        production_here, "promote", RECREATE="false", PROD_IMAGE=tag, SOURCE_IMAGE=image.id, EXPECTED_REVISION=SECOND
    )

    assert ended.status == 0, ended.log
    assert f"tag {image.id[:19]} as {tag}" in ended.log


def test_a_gate_says_what_it_would_build_and_stays_closed(production_here: Production) -> None:
    """I5. Fails when `gate` in gate.py goes on after the plan, or a dry run writes an output that opens."""
    runner = production_here.runner
    commit = runner.app.repo.head()

    ended = dry(production_here, "gate", GIT_SHA=commit)

    assert ended.status == 0, ended.log
    assert ended.written == "gate=closed\n"
    assert f"from {commit[:12]}" in ended.log
    assert runner.built() is None
    assert dry(production_here, "gate", GIT_SHA="0" * 40).status == 1
