"""`--json`: what a program reads on standard output is the report that the run keeps."""

import json
from dataclasses import replace
from typing import Any

from tests.support.promotions import FIRST, LONG, SECOND, Production
from tests.support.runner import Ended

TO_A_FILE = ("sh", "-c", 'exec "$@" >"$RUNNER_TEMP/answer"', "sh")


def told(production: Production, *words: str, **variables: str) -> tuple[Any, Ended]:
    """What the command prints to standard output, and how it ended; its log is standard error's alone."""
    running = replace(production.runner, wrapper=TO_A_FILE).start(*words, "--json", **{**LONG, **variables})
    ended = running.end()
    return json.loads((running.folder / "temp/answer").read_text()), ended


def test_promotion_and_rollback_print_their_reports_and_a_dry_run_its_plan(production_here: Production) -> None:
    """Fails when `tell` prints another report than it writes, `tell_ahead` prints none, or `--list` prints a table."""
    first, second = production_here.build(FIRST), production_here.build(SECOND)
    production_here.deploy(first)
    given = {"SOURCE_IMAGE": second.id, "EXPECTED_REVISION": SECOND}

    ahead, _ = told(production_here, "promote", "--dry-run", **given)
    report, ended = told(production_here, "promote", **given)
    listed, _ = told(production_here, "rollback", "--list")
    back, undone = told(production_here, "rollback")

    assert any(f"tag {second.id}" in line for line in ahead["ahead"])
    assert (report["decision"], report["image_id"]) == ("promoted", second.id)
    assert (report, back) == (ended.report, undone.report)
    assert "freshness promote: promoted" in ended.log
    assert [(one["image_id"], one["runs"]) for one in listed] == [(second.id, True), (first.id, False)]
    assert back["image_id"] == first.id
