"""The kill switch and the scope: each end that the table in `docs/kill-switch.md` knows, for gate and promote."""

import pytest

from tests.support.engines import BASE_IMAGE
from tests.support.jobs import GITEA, GITHUB
from tests.support.runner import Runner
from tests.support.scope_table import Row, rows

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


EACH = {row.then: row for row in rows() if row.repository}
"""One row for each end: what each row means is `tests/unit/test_scope.py`'s, that it reaches the command is ours."""
ROWS = pytest.mark.parametrize("row", EACH.values(), ids=EACH)


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
    """I10. Breaks when `expected` in request.py decides otherwise; a guard in force refuses an unlabelled image."""
    image, tag = runner.sandbox.image_id(BASE_IMAGE), f"{runner.sandbox.name}-moved:latest"
    assert image is not None

    ended = runner.start(
        "promote", **row.variables, SOURCE_IMAGE=image, EXPECTED_REVISION=NOWHERE, RECREATE="false", PROD_IMAGE=tag
    ).end()

    assert (ended.status, ended.outputs["outcome"]) == PROMOTE[row.then], ended.log
    assert runner.sandbox.image_id(tag) == (image if ended.status == 0 else None)
    assert ("The guard did not look at" in ended.summary) == (ended.status == 0)
