"""What `freshness status` tells a person: whole paragraphs, at 80 columns, for each state that a target can be in."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from freshness.report.age import age
from freshness.report.target_status import Locked, Previous, TargetStatus, in_words

NOW = datetime(2026, 11, 29, 12, 0, 0, tzinfo=UTC)
COMMIT, OLD, IMAGE = "6eb9e20336a1" + "0" * 28, "0ecf39eeda76" + "0" * 28, "sha256:2ca2543ddd84" + "0" * 52
NOTHING = TargetStatus(target="staging", service="web-preview", project="shop", status="nothing")
BEFORE = Previous(
    number=1, revision=OLD, subject="Sell shoes", replaced="2026-11-29T10:00:00Z", image_id=IMAGE, left=False
)
RUNNING = TargetStatus(
    target="production",
    service="web",
    project="shop",
    status="healthy",
    health="healthy",
    container="shop-web-1",
    image_id=IMAGE,
    revision=COMMIT,
    subject="Sell boots",
    branch="origin/main",
    behind=3,
    created="2026-11-29T10:00:00.123456789Z",
    since="2026-11-29T11:58:30.5Z",
    restarts=2,
    deployed_by="ada",
    run="https://git.example.org/team/shop/actions/runs/31",
    previous=(BEFORE, replace(BEFORE, number=2, subject=None, replaced=None, left=True)),
)


def test_a_target_that_runs_is_told_whole() -> None:
    assert (
        in_words([NOTHING, RUNNING], NOW)
        == """\
staging     web-preview of shop: nothing runs
  locked    by nobody

production  web of shop: healthy, 2 restarts
  commit    6eb9e20336a1 Sell boots (3 commits behind origin/main)
  deployed  2 hours ago (2026-11-29 10:00:00 UTC) by ada
            run https://git.example.org/team/shop/actions/runs/31
  up since  90 seconds ago (2026-11-29 11:58:30 UTC)
  image     sha256:2ca2543ddd84 in shop-web-1
  locked    by nobody
  back to   1: 0ecf39eeda76 Sell shoes, replaced 2 hours ago
            2: 0ecf39eeda76 (not in this clone), rolled back from"""
    )


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"behind": 0}, "  commit    6eb9e20336a1 Sell boots (as new as origin/main)"),
        ({"behind": None}, "  commit    6eb9e20336a1 Sell boots (not compared with origin/main)"),
        ({"branch": None}, "  commit    6eb9e20336a1 Sell boots"),
        ({"subject": "a" * 99, "branch": None}, f"  commit    6eb9e20336a1 {'a' * 43}…"),
        ({"revision": None, "branch": None}, "  commit    none: the image has no commit label"),
        ({"deployed_by": None}, "  deployed  2 hours ago (2026-11-29 10:00:00 UTC), by whom was not recorded"),
        ({"status": "exited", "restarts": 0}, "  started   90 seconds ago (2026-11-29 11:58:30 UTC)"),
        ({"status": "running", "health": None, "restarts": 0}, "production  web of shop: running, no HEALTHCHECK"),
        ({"interrupted": True}, "  begun     a promotion; the next one finishes or undoes it"),
        ({"previous": (BEFORE,) * 5}, "            and 2 more: `freshness rollback --list`"),
    ],
)
def test_each_state_has_its_words(changed: dict[str, object], line: str) -> None:
    assert line in in_words([replace(RUNNING, **changed)], NOW).splitlines()


def test_who_is_at_work_is_told_and_commands_no_terminal() -> None:
    """Fails when what others wrote is shown as it is."""
    lock = Locked(
        who="grace\x1b[31m\nproduction", host="build-7", command="freshness promote", revision=COMMIT, run=None,
        since="2026-11-29T11:59:48Z", dead="its process 7 has ended",
    )  # fmt: skip

    told = in_words([replace(NOTHING, locked=lock)], NOW).splitlines()[1:]

    assert told == [
        "  locked    by grace production on build-7, 12 seconds ago",
        "            for `freshness promote` of 6eb9e20336a1",
        "            but its process 7 has ended: the next run takes over",
    ]


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2026-11-29T12:00:05Z", "0 seconds"),
        ("2026-11-29T11:59:59Z", "1 second"),
        ("2026-11-29T11:58:01+00:00", "119 seconds"),
        ("2026-11-29T11:58:00", "2 minutes"),
        ("2026-11-28T13:00:00+02:00", "25 hours"),
        ("2026-11-20T12:00:00Z", "9 days"),
        ("2025-11-29T12:00:00Z", "52 weeks"),
    ],
)
def test_ages_are_in_the_one_unit_that_tells_enough(moment: str, said: str) -> None:
    assert age(moment, NOW) == said


def test_services_on_two_commits_are_named() -> None:
    """Fails when a person has to compare the paragraphs."""
    worker = replace(RUNNING, service="worker", revision=OLD)
    assert in_words([NOTHING, RUNNING, worker], NOW).splitlines()[-1] == (
        "production runs more than one commit: web 6eb9e20336a1, worker 0ecf39eeda76"
    )
    assert "more than one" not in in_words([RUNNING, replace(RUNNING, service="worker")], NOW)
