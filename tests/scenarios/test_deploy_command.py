"""`freshness deploy`: gate and promotion in one, of a commit that a person names."""

import json

from freshness.git.resolve_commit import NOT_ASKED
from tests.support.applications import behave
from tests.support.promotions import LONG, SECOND, Production
from tests.support.runner import Ended


def deploy(production: Production, *words: str, **variables: str) -> Ended:
    return production.runner.start("deploy", *words, **{**LONG, **variables}).end()


def test_a_branch_is_gated_and_promoted_and_a_closed_gate_leaves_production_alone(production_here: Production) -> None:
    """Fails when `deploy` goes on after a gate that closed, or `_proven` lets one pass that was switched off.

    Also fails when the promotion says a note that the gate has said already.
    """
    app, runner = production_here.app, production_here.runner
    production_here.deploy(production_here.build(SECOND))
    app.repo.branch("feature")
    good = app.repo.commit({"feature.txt": "1"}, "Sell shoes")
    app.repo.switch("main")

    foreseen = deploy(production_here, "feature", "--dry-run")
    assert foreseen.status == 0, foreseen.log
    assert runner.built(good) is None
    assert "known once it is built" in foreseen.log

    file = runner.folder / "report.json"
    ended = deploy(production_here, "feature", "--report", str(file))

    assert ended.status == 0, ended.log
    gated, _, promoted = file.read_text().partition("\n}\n")
    reports = [json.loads(gated + "}"), json.loads(promoted)]
    assert [one["decision"] for one in reports] == ["fresh", "promoted"]
    assert all(NOT_ASKED in one["notes"] for one in reports)
    assert ended.log.count(f"note: {NOT_ASKED}") == 1, ended.log
    assert f"Deploying feature: {good} 'Sell shoes'" in ended.log.splitlines()[0]
    assert (ended.outputs["gate"], ended.outputs["outcome"]) == ("open", "promoted")
    assert production_here.container().attrs["Image"] == runner.built(good) == ended.outputs["image-id"]

    planned = deploy(production_here, good[:8], "--dry-run")
    assert planned.status == 0, planned.log
    assert f"from {good[:12]}" in planned.log
    assert planned.log.count("Nothing speaks against it") == 2

    app.repo.commit(behave(check="fail"), "Break the check")
    before = production_here.container().id
    closed = deploy(production_here)

    assert closed.status == 1, closed.log
    assert (closed.outputs["verdict"], closed.outputs["outcome"]) == ("check-failed", "error")
    assert "Nothing was promoted" not in closed.log, "the gate's own end is the last word"
    assert production_here.container().id == before

    off = deploy(production_here, ORCH_IMAGE_FRESHNESS_ENABLED="false")
    assert (off.status, off.outputs["outcome"]) == (1, "error"), off.log
    assert production_here.container().id == before


def test_a_name_means_nothing_in_a_workflow_and_wrong_settings_of_production_come_first(
    production_here: Production,
) -> None:
    """Fails when `_find` resolves names in an action, or `deploy` leaves it to the promotion to read its settings."""
    before = production_here.state()

    in_action = deploy(production_here, "main", GITHUB_ACTIONS="true")
    wrong = deploy(production_here, KEEP_IMAGES="none")

    assert (in_action.status, wrong.status) == (2, 2)
    assert "expected a full commit id" in in_action.log
    assert "keep-images" in wrong.log
    assert in_action.outputs == wrong.outputs == {"gate": "closed", "outcome": "error"}
    assert production_here.state() == before
