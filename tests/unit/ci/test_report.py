"""The JSON report: complete, private, and no secret in it."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from freshness.core.check import Check, CheckName, CheckResult
from freshness.core.revision import Candidate
from freshness.core.secret import Secret
from freshness.errors import OutputError
from freshness.report.json_report import Report, write_report

REPORT = Report(
    command="gate",
    decision="check-failed",
    reason="Exit status 1.",
    started_at=datetime(2026, 1, 1, tzinfo=UTC),
    seconds=9.5,
    checks=(Check(name=CheckName.STAGING_CHECK, result=CheckResult.FAILED, got="1", expected="0", seconds=2.5),),
    candidate=Candidate(commit="a" * 40, source="revision", event="", note="why"),
    container={
        "name": "app",
        "password": Secret("hunter2"),
        "odd": "\ud800\n",
        "when": datetime(2026, 1, 1, tzinfo=UTC),
    },
)


def test_it_holds_the_decision_the_checks_the_times_and_the_run(tmp_path: Path) -> None:
    env = {"RUNNER_TEMP": str(tmp_path), "GITHUB_RUN_ID": "7", "GITHUB_TOKEN": "hunter2"}
    text = write_report(REPORT, env).read_text(encoding="utf-8")
    content = json.loads(text)
    assert (content["command"], content["decision"], content["seconds"]) == ("gate", "check-failed", 9.5)
    assert content["started_at"] == "2026-01-01T00:00:00.000+00:00"
    assert content["checks"][0]["result"] == "failed"
    assert (content["checks"][0]["got"], content["checks"][0]["seconds"]) == ("1", 2.5)
    assert content["candidate"]["commit"] == "a" * 40
    assert content["run"] == {"GITHUB_RUN_ID": "7"}
    assert content["container"]["password"] == "[REDACTED]"  # noqa: S105 -- what is printed for it
    assert "hunter2" not in text


def test_a_check_that_has_another_name_now_says_the_former_one(tmp_path: Path) -> None:
    """Fails when `formerly` is left out of the report, or stands where nothing was renamed."""
    checks = tuple(replace(REPORT.checks[0], name=name) for name in (CheckName.ROLLBACK, CheckName.HEALTH))
    report = replace(REPORT, checks=checks)
    rollback, health = json.loads(write_report(report, {"RUNNER_TEMP": str(tmp_path)}).read_text())["checks"]
    assert (rollback["name"], rollback["formerly"]) == ("rollback", "way back")
    assert "formerly" not in health


@pytest.mark.parametrize("said", ["ann:hunter2@", "hunter2@", "ann:hun@ter2@", "ann:hunter2/@"])
def test_no_password_of_the_forges_address_is_in_it(tmp_path: Path, said: str) -> None:
    """Fails when `write_report` takes GITHUB_SERVER_URL as it is."""
    env = {"RUNNER_TEMP": str(tmp_path), "GITHUB_SERVER_URL": f"https://{said}forge.example:8443/git"}
    content = json.loads(write_report(REPORT, env).read_text(encoding="utf-8"))
    assert content["run"] == {"GITHUB_SERVER_URL": "https://forge.example:8443/git"}


def test_older_reports_go_and_nothing_else_does(tmp_path: Path) -> None:
    """Fails when `_remove_older` keeps all, or takes a folder that holds more than a report, or another's name."""
    env = {"RUNNER_TEMP": str(tmp_path)}
    reports = [write_report(REPORT, env) for _ in range(4)]
    for number, report in enumerate(reports):
        os.utime(report.parent, (number, number))
    (reports[0].parent / "more").write_text("")
    for name in ("freshness-empty", "other"):
        (tmp_path / name).mkdir(mode=0o700)
    (tmp_path / "other/report.json").write_text("{}")
    (tmp_path / "freshness-open").mkdir(mode=0o755)
    (tmp_path / "freshness-open/report.json").write_text("{}")
    (tmp_path / "freshness-link").symlink_to(tmp_path / "other")

    newest = write_report(REPORT, env, keep=2)

    assert [report.exists() for report in (*reports, newest)] == [True, False, False, True, True]
    assert len([*tmp_path.iterdir()]) == 7


def test_only_we_can_read_it_and_each_run_has_its_own(tmp_path: Path) -> None:
    first, second = (write_report(REPORT, {"RUNNER_TEMP": str(tmp_path)}) for _ in range(2))
    assert first != second
    assert first.parent.parent == tmp_path
    assert (first.parent.stat().st_mode & 0o777, first.stat().st_mode & 0o777) == (0o700, 0o600)


@pytest.mark.parametrize("folder", ["", "relative", "/dev/null/none"])
def test_without_a_usable_runner_folder_it_is_written_to_the_systems(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert write_report(REPORT, {"RUNNER_TEMP": folder}).is_relative_to(tmp_path)


def test_a_folder_that_cannot_be_written_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/dev/null/none")
    with pytest.raises(OutputError, match="report"):
        write_report(replace(REPORT, checks=()), {})
