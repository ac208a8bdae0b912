"""What the doctor makes of what it read: versions, space, clocks, mounts, labels and rights."""

import json
from pathlib import Path

import pytest

from freshness.core.diagnosis import (
    LEAST_FREE,
    find_labels,
    judge_clock,
    judge_labels,
    judge_mounts,
    judge_rights,
    judge_space,
    judge_version,
)
from freshness.core.finding import Area, Finding, Level, exit_status, summary
from freshness.core.mounts import Kind, Mount, Process

SCHEMA = Path(__file__).parents[2] / "docs/schema/output.json"


def finding(level: Level) -> Finding:
    return Finding(area=Area.MACHINE, level=level, got="it is so.")


@pytest.mark.parametrize(
    ("said", "least", "level"),
    [
        ("github.com/docker/buildx v0.13.1+ds1 1:0.13", "0.13", Level.OK),
        ("github.com/docker/buildx 0.9.1", "0.13", Level.PROBLEM),
        ("Docker Compose version v5.0.1", "2.0", Level.OK),
        ("docker-compose version 1.29.2, build unknown", "2.0", Level.PROBLEM),
        ("20.10.24+dfsg1", "20.10", Level.OK),
        ("19.03.15", "20.10", Level.PROBLEM),
        ("Usage: docker [OPTIONS]", "0.13", Level.PROBLEM),
    ],
)
def test_a_version_is_compared_by_its_numbers(said: str, least: str, level: Level) -> None:
    """Fails when versions are compared as text: 0.9 would be newer than 0.13."""
    assert judge_version(Area.PLUGINS, "it", said, least, "Install a newer one.").level is level


@pytest.mark.parametrize(("free", "level"), [(LEAST_FREE, Level.OK), (LEAST_FREE - 1, Level.NOTE)])
def test_little_space_is_a_note_since_a_gate_would_try(free: int, level: Level) -> None:
    assert judge_space(free, 100 << 30, "/var/lib/docker").level is level


@pytest.mark.parametrize(("skew", "level"), [(4.9, Level.OK), (-4.9, Level.OK), (61, Level.NOTE), (-61, Level.NOTE)])
def test_a_clock_may_differ_by_little(skew: float, level: Level) -> None:
    found = judge_clock(skew)
    assert found.level is level
    assert ("ahead of" in found.got) == (skew > 5)


def test_a_mount_over_what_the_container_starts_is_told_unless_it_is_allowed() -> None:
    """Fails when a mount inside the working directory counts, or one that `allow-mounts` lists."""
    process = Process(words=("python3", "/srv/run.py"), folder="/app")
    mounts = [Mount(kind=Kind.BIND, target=target) for target in ("/app", "/app/data", "/srv", "/etc/localtime")]
    scratch = Mount(kind=Kind.TMPFS, target="/tmp")  # noqa: S108 -- a path in a container

    told = list(judge_mounts([*mounts, scratch], {"/srv"}, process))

    assert told == ["the bind mount at /app covers /app, which the container starts"]


def test_the_labels_of_each_job_are_found_and_expressions_are_not() -> None:
    text = """
jobs:
  gate:
    runs-on: deploy-host # the machine
  other:
    runs-on: [self-hosted, "linux"]
  third:
    runs-on: ${{ matrix.os }}
"""
    assert list(find_labels(text)) == ["deploy-host", "self-hosted", "linux"]


@pytest.mark.parametrize(
    ("labels", "levels"),
    [
        (["deploy-host:host"], [Level.OK]),
        (["deploy-host:docker://debian:13"], [Level.NOTE]),
        (["deploy-host"], [Level.OK]),
        (["ubuntu-latest:docker://node:20"], [Level.PROBLEM]),
        ([], [Level.PROBLEM]),
    ],
)
def test_a_runner_needs_a_label_that_the_workflow_asks_for(labels: list[str], levels: list[Level]) -> None:
    assert [one.level for one in judge_labels(labels, ["deploy-host"], "/srv")] == levels


def test_another_job_of_the_workflow_may_run_elsewhere() -> None:
    found = list(judge_labels(["deploy-host:host"], ["ubuntu-latest", "deploy-host"], "/srv"))
    assert [one.level for one in found] == [Level.OK]


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_token_that_reads_nothing_is_a_problem(status: int) -> None:
    assert judge_rights(status, None, "org/app").level is Level.PROBLEM


def test_the_rights_of_a_token_are_told() -> None:
    found = judge_rights(200, {"permissions": {"admin": False, "push": True, "pull": True}}, "org/app")
    assert (found.level, found.got) == (Level.OK, "the token reads org/app; it may pull, push.")


def test_only_a_problem_makes_the_exit_status_1() -> None:
    """Fails when what cannot be seen from here counts, so that a remote Engine is never fine."""
    others = [finding(level) for level in Level if level is not Level.PROBLEM]
    assert exit_status(others) == 0
    assert summary(others) == "no problem found (1 note, 1 not checked)."
    assert exit_status([*others, finding(Level.PROBLEM)]) == 1
    assert summary([finding(Level.PROBLEM)] * 2) == "2 problems: a gate or a promotion would refuse."


def test_the_schema_knows_each_area_and_level() -> None:
    kind = json.loads(SCHEMA.read_text(encoding="utf-8"))["$defs"]["examination"]
    known = kind["properties"]["findings"]["items"]["properties"]
    assert known["area"]["enum"] == list(Area)
    assert known["level"]["enum"] == list(Level)
