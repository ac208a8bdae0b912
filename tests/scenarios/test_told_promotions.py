"""A promotion and a rollback at the forge: comment, status and deployment, on a real HTTP server."""

from collections.abc import Iterator

import pytest

from tests.support.forge_api import Api, served
from tests.support.promotions import FIRST, SECOND, Production

TOLD = {
    "PULL_REQUEST_COMMENT": "true",
    "COMMIT_STATUS": "freshness/promote",
    "GITHUB_DEPLOYMENT": "production",
    "PR": "7",
    "RECHECK_HEAD": "false",
}


@pytest.fixture
def api() -> Iterator[Api]:
    with served(Api()) as found:
        yield found


def told(api: Api, run: str) -> dict[str, str]:
    forge = {"GITHUB_API_URL": api.url, "GITHUB_SERVER_URL": api.url, "GITHUB_REPOSITORY": "o/n"}
    return {**TOLD, **forge, "GITHUB_RUN_ID": run, "GITHUB_TOKEN": "job-token"}


def test_a_promotion_and_its_rollback_are_told_of_the_commit_that_each_put_into_production(
    production_here: Production, api: Api
) -> None:
    """Fails when the promotion is not told at its beginning, or when the rollback does not know its commit."""
    production = production_here
    production.deploy(production.build(FIRST))
    api.head = SECOND

    promoted = production.promote(production.build(SECOND), **told(api, "1"))
    assert promoted.end == (0, "promoted"), promoted.log
    assert "was not written" not in promoted.log
    assert [(commit, one["state"]) for commit, one in api.statuses] == [(SECOND, "pending"), (SECOND, "success")]
    assert "Promoted: production runs this commit" in api.comments[0]["body"]

    api.merged = True
    rolled_back = production.run("rollback", **told(api, "2"))
    assert rolled_back.end == (0, "promoted"), rolled_back.log
    assert [(commit, one["state"]) for commit, one in api.statuses[2:]] == [(FIRST, "success")]
    assert len(api.comments) == 1
    assert "Rolled back: production runs this earlier commit again" in api.comments[0]["body"]
    assert [(one["ref"], one["environment"]) for one in api.deployments] == [
        (SECOND, "production"),
        (FIRST, "production"),
    ]
    assert [one["state"] for _, one in api.deployment_states] == ["in_progress", "success", "success"]


def test_a_forge_that_refuses_everything_keeps_no_promotion(production_here: Production, api: Api) -> None:
    """Fails when what the forge answers ends a promotion, or nobody hears which right is missing."""
    production = production_here
    first, second = production.build(FIRST), production.build(SECOND)
    production.deploy(first)
    api.failing = [403] * 20

    ended = production.promote(second, **told(api, "1"))

    assert ended.end == (0, "promoted"), ended.log
    production.assert_serves(second)
    for right in ("`pull-requests: write`", "`statuses: write`", "`deployments: write`"):
        assert right in ended.log
