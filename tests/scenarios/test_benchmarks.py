"""The benchmarks run: a target that nobody measures any more is none."""

import sys

import pytest

from tests.support.engines import ROOT, Sandbox

MEASURED = (
    "export of ",
    "gate of one changed file ",
    "first gate of a machine",
    "memory, ",
    "ancestor, ",
    "freshness ",
    "action: ",
    "gate: ",
    "promote: ",
    "health: ",
    "promote: without an answer",
    "promote in the registry, ",
    "carry ",
    "gate on a host of ",
    "promote on a host of ",
    "status on a host of ",
    "gate of 20 services ",
    "promote: beside Swarm's own rollout",
    "promote: after 3 promotions of 2 services",
)


@pytest.mark.timeout(600)
def test_the_gates_own_time_is_measured_against_its_peer(machine_only: Sandbox) -> None:
    """The short form of two groups, which judges no speed. Breaks when a part that the stopwatch times is renamed."""
    ended = machine_only.run(
        [sys.executable, "-m", "benchmarks.run", "--short", "change", "deploys"], cwd=ROOT, timeout=590
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "| gate of one changed file of 130: own time " in ended.stdout
    assert "| promote: its own work " in ended.stdout


@pytest.mark.timeout(900)  # it installs the action's dependencies, and deploys some thirty times, on Engines of its own
def test_each_benchmark_comes_to_its_end(machine_only: Sandbox) -> None:
    """In its short form, which judges no speed. Breaks when a part that the stopwatch takes has another name."""
    ended = machine_only.run([sys.executable, "-m", "benchmarks.run", "--short"], cwd=ROOT, timeout=890)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    rows = [line for line in ended.stdout.splitlines() if line.endswith((" met    |", " MISSED |"))]
    assert [name for name in MEASURED if not any(row.startswith(f"| {name}") for row in rows)] == [], ended.stdout
