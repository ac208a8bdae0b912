"""What may switch the guard off switches off nothing else, and says so aloud."""

import pytest

from tests.support.promotions import FIRST, SECOND, Production

OFF = {
    "disabled": {"ORCH_IMAGE_FRESHNESS_ENABLED": "false"},
    "out of scope": {"ORCH_IMAGE_FRESHNESS_REPOS": "org/other", "GITHUB_REPOSITORY": "org/app"},
}


@pytest.mark.parametrize("switch", OFF.values(), ids=OFF)
def test_switched_off_an_unproven_image_is_promoted_loudly(switch: dict[str, str], production_here: Production) -> None:
    """I10. Fails when `expected` in request.py ignores the switch, or `prove` does not say so."""
    production, running = production_here, production_here.build(FIRST)
    production.deploy(running)
    image = production.build(SECOND, label="")

    ended = production.promote(SOURCE_IMAGE=image.id, **switch)

    production.assert_serves(image)
    assert ended.end == (0, "promoted"), ended.log
    for told in (ended.log, ended.summary):
        assert f"The guard did not look at {image.id[:19]}" in told


@pytest.mark.parametrize("switch", OFF.values(), ids=OFF)
def test_switched_off_the_way_back_stays(switch: dict[str, str], production_here: Production) -> None:
    """I9, I10. Fails when `_prove` in plan.py skips health where the guard is off."""
    production, running = production_here, production_here.build(FIRST)
    production.deploy(running)
    image = production.build(SECOND, {"exit_after": 0}, label="")

    ended = production.promote(SOURCE_IMAGE=image.id, **switch)

    production.assert_serves(running)
    assert ended.end == (4, "rolled-back"), ended.log


def test_a_repository_in_scope_is_guarded(production_here: Production) -> None:
    """I10. Fails when `expected` in request.py reads the scope the other way round."""
    image = production_here.build(FIRST, label="")

    ended = production_here.promote(image, ORCH_IMAGE_FRESHNESS_REPOS="org/*")

    assert ended.end == (1, "refused"), ended.log


def test_a_person_may_promote_without_a_revision_aloud(production_here: Production) -> None:
    """Fails when `expected` in request.py ignores `allow_unverified`."""
    image = production_here.build(FIRST, label="")

    ended = production_here.promote(None, "--allow-unverified", SOURCE_IMAGE=image.id)

    production_here.assert_serves(image)
    assert ended.end == (0, "promoted"), ended.log
    assert "--allow-unverified was given" in ended.log


def test_a_revision_that_is_given_is_proven_all_the_same(production_here: Production) -> None:
    """I8. Fails when `expected` in request.py asks `allow_unverified` first."""
    image = production_here.build(FIRST, label="")

    ended = production_here.promote(image, "--allow-unverified")

    assert ended.end == (1, "refused"), ended.log
