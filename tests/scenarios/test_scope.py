"""The kill switch and the scope: every row of the table in `docs/kill-switch.md`, for gate and promote."""

from typing import NamedTuple

import pytest

from tests.support.engines import BASE_IMAGE, ROOT
from tests.support.jobs import GITEA, GITHUB
from tests.support.runner import Runner

NOWHERE = "f" * 40
GATE = {
    "enforced": ("closed", "refused", 1),
    "out of scope": ("open", "out-of-scope", 0),
    "disabled": ("open", "disabled", 0),
    "an error": ("closed", "error", 2),
}
PROMOTE = {
    "enforced": (1, "refused"),
    "out of scope": (0, "promoted"),
    "disabled": (0, "promoted"),
    "an error": (2, "error"),
}


class Row(NamedTuple):
    """One row's cells, as they are written without their backticks."""

    enabled: str
    repos: str
    repository: str
    then: str
    since: str

    @property
    def variables(self) -> dict[str, str]:
        return {
            "ORCH_IMAGE_FRESHNESS_ENABLED": self.enabled,
            "ORCH_IMAGE_FRESHNESS_REPOS": self.repos,
            "GITHUB_REPOSITORY": self.repository,
        }


def rows() -> list[Row]:
    text = (ROOT / "docs/kill-switch.md").read_text(encoding="utf-8")
    table = text.partition("<!-- scope -->")[2].partition("<!-- /scope -->")[0]
    lines = [line.strip("|").split("|") for line in table.strip().splitlines()[2:]]
    return [
        Row(*(cell.strip() if index == 4 else cell.strip(" `") for index, cell in enumerate(line))) for line in lines
    ]


ROWS = pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.enabled}|{row.repos}|{row.repository}")


@pytest.mark.parametrize("forge", [GITEA, GITHUB], ids=["Gitea", "GitHub"])
@ROWS
def test_the_gate_is_in_force_where_the_table_says_so(row: Row, forge: dict[str, str], runner: Runner) -> None:
    """I10. Breaks when `in_scope` or `_why_off` decides otherwise; a gate in force refuses a commit that is nowhere."""
    ended = runner.gate(**forge, **row.variables, GIT_SHA=NOWHERE, RECHECK_HEAD="false")

    assert ended.decision == GATE[row.then], ended.log
    assert ended.outputs.get("image-id", "") == ""
    assert runner.containers(runner.app.staging) == []
    if row.then in {"out of scope", "disabled"}:
        assert "nothing was built, recreated, checked or proven" in ended.summary
        assert "::warning title=The freshness gate is" in ended.log


@ROWS
def test_the_guard_is_in_force_where_the_table_says_so(row: Row, runner: Runner) -> None:
    """I10. Breaks when `_expected` in preflight.py decides otherwise; a guard in force refuses an unlabelled image."""
    image, tag = runner.sandbox.image_id(BASE_IMAGE), f"{runner.sandbox.name}-moved:latest"
    assert image is not None

    ended = runner.start(
        "promote", **row.variables, SOURCE_IMAGE=image, EXPECTED_REVISION=NOWHERE, RECREATE="false", PROD_IMAGE=tag
    ).end()

    assert (ended.status, ended.outputs["outcome"]) == PROMOTE[row.then], ended.log
    assert runner.sandbox.image_id(tag) == (image if ended.status == 0 else None)
    assert ("The guard did not look at" in ended.summary) == (ended.status == 0)
