"""Wrong settings of a promotion: one clear sentence, exit status 2, and nothing is touched."""

import pytest

from tests.support.promotions import FIRST, Production

CASES = [
    ("EXPECTED_REVISION", ""),
    ("EXPECTED_REVISION", "1" * 12),
    ("SOURCE_IMAGE", "-rm"),
    ("TARGET_SERVICE", "-x"),
    ("COMPOSE_FILE", "missing.yaml"),
    ("PROD_SERVICE", "nobody"),
    ("PROD_PORT", "http"),
    ("PROD_PORT", "1"),  # well-formed, but not what the service publishes
    ("HEALTH_PATH", "health"),
    ("HEALTH_RETRIES", "0"),
    ("HEALTH_INTERVAL", "nan"),
    ("COMPOSE_PROJECT_NAME", "Upper"),
    ("REVISION_LABEL", "a b"),
    ("PROD_IMAGE", "other/image"),  # well-formed, but not what Compose runs
    ("PROD_CONTAINER", "other"),  # as above
    ("RECREATE", "yes"),
    ("ORCH_IMAGE_FRESHNESS_ENABLED", "no"),
    ("ORCH_IMAGE_FRESHNESS_REPOS", "https://host/org/app"),
]


@pytest.mark.parametrize(("variable", "value"), CASES)
def test_a_wrong_setting_is_named_and_nothing_is_touched(
    variable: str, value: str, production_here: Production
) -> None:
    """I8. Fails when the setting is read without a check; `Runner` fails every run that prints a traceback."""
    before = production_here.state()
    given = {"SOURCE_IMAGE": "python:3.13-slim", "EXPECTED_REVISION": FIRST, variable: value}

    ended = production_here.runner.start("promote", **given).end()

    assert (ended.status, ended.outputs["outcome"]) == (2, "error"), ended.log
    assert ended.log.count("::error::") + ended.log.count("freshness promote: error") == 1, ended.log
    assert production_here.state() == before


def test_a_staging_service_that_does_not_exist_is_named(production_here: Production) -> None:
    """Fails when `staging_tag` in staging.py looks the service up without asking whether it is there."""
    ended = production_here.promote(EXPECTED_REVISION=FIRST, TARGET_SERVICE="nobody")

    assert ended.end == (2, "error"), ended.log
    assert "`staging-service`" in ended.reason


def test_every_problem_is_told_at_once(production_here: Production) -> None:
    """Fails when `read_promote` in settings/read.py raises at the first problem."""
    ended = production_here.promote(PROD_PORT="http", HEALTH_RETRIES="0", RECREATE="yes")

    for variable in ("EXPECTED_REVISION", "PROD_PORT", "HEALTH_RETRIES", "RECREATE"):
        assert f"({variable})" in ended.reason
