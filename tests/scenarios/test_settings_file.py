"""The file of settings in a commit counts as it is in the commit, and never says where anything runs.

No Engine is reachable here: whatever asked one would end with status 3.
"""

import pytest

from tests.support.runner import Runner

NO_ENGINE = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}


def test_the_gate_takes_the_commits_file_and_not_the_work_trees(runner: Runner) -> None:
    """Fails when the file is opened in the checkout: an edit, or a merge commit, would say what is proven how."""
    repo = runner.app.repo
    commit = repo.commit({"freshness.toml": "[services.of-the-commit]\n"})
    repo.commit({"freshness.toml": "[services.of-a-later-commit]\n"})
    repo.write({"freshness.toml": "[services.of-the-work-tree]\n"})
    ended = runner.gate(**NO_ENGINE, GIT_SHA=commit)
    assert ended.decision == ("closed", "error", 2), ended.log
    assert "'of-the-commit'" in ended.reason


@pytest.mark.parametrize("where", ["", "[environments.staging]\n"], ids=["top", "environment"])
def test_a_commit_cannot_name_where_staging_runs(runner: Runner, where: str) -> None:
    """Fails when the reader takes any key of a run from a commit: a pull request would call production staging."""
    commit = runner.app.repo.commit({"freshness.toml": f'{where}project = "live"\n'})
    gate = runner.gate(**NO_ENGINE, GIT_SHA=commit)
    assert gate.decision == ("closed", "error", 2), gate.log
    promotion = runner.start("promote", EXPECTED_REVISION=commit, SOURCE_IMAGE="app", **NO_ENGINE).end()
    assert (promotion.status, promotion.outputs["outcome"]) == (2, "error")
    for reason in (gate.reason, promotion.reason):
        assert "project` may not come from a commit" in reason
        assert "in the host's own file /etc/freshness/org/app.toml" in reason
