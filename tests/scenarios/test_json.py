"""`--json`: what a program reads on standard output is the report that the run keeps."""

import json
from dataclasses import replace
from typing import Any

from tests.support.output_schema import require_documented
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
    file = production_here.runner.folder / "report.json"
    file.write_text("of an earlier run")
    back, undone = told(production_here, "rollback", "--report", str(file))

    for value, kind in ((ahead, "plan"), (report, "report"), (listed, "retained"), (back, "report")):
        require_documented(value, kind)
    assert json.loads(file.read_text()) == back
    assert any(f"tag {second.id}" in line for line in ahead["ahead"])
    assert (report["decision"], report["image_id"]) == ("promoted", second.id)
    assert (report, back) == (ended.report, undone.report)
    assert "freshness promote: promoted" in ended.log
    assert [(one["image_id"], one["runs"]) for one in listed] == [(second.id, True), (first.id, False)]
    assert back["image_id"] == first.id


def test_every_command_prints_what_the_schema_describes(production_here: Production) -> None:
    """Fails when a command has no `--json`, prints words with it, or another exit status than without."""
    image = production_here.build(FIRST)
    folder = production_here.runner.folder / "exported"
    commit = production_here.app.repo.head()

    proven, good = told(production_here, "verify", image.id, "--revision", FIRST)
    doubted, bad = told(production_here, "verify", image.id, "--revision", SECOND)
    exported, _ = told(production_here, "export", str(folder), GIT_SHA=commit)
    resolved, _ = told(production_here, "resolve", GIT_SHA=commit)
    free, _ = told(production_here, "unlock")

    told_of = ((proven, "verified"), (doubted, "verified"), (exported, "exported"), (resolved, "resolved"))
    for value, kind in (*told_of, (free, "unlocked")):
        require_documented(value, kind)
    assert (proven["proven"], good.status, doubted["proven"], bad.status) == (True, 0, False, 1)
    assert exported["files"] == sum(path.is_file() for path in folder.rglob("*"))
    assert (free["free"], free["owner"]) == (True, None)


def test_a_report_that_cannot_be_written_is_refused_before_anything_is_done(production_here: Production) -> None:
    """Fails when `open_run` leaves it to the end of the run to write it."""
    image = production_here.build(FIRST)

    ended = production_here.promote(image, "--report", str(production_here.runner.folder / "nowhere/report.json"))

    assert ended.status == 3, ended.log
    assert "Give `--report` a file that can be written." in ended.log
    assert production_here.runner.containers(production_here.app.production) == []
