"""Outputs that cannot be written, and what stands in them before and after: nothing opens by accident."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engines import Sandbox
from tests.support.runner import Runner

PAGE = 4096
"""A tmpfs hands out whole pages; this one has a single page for files."""


@pytest.fixture
def small_disk(tmp_path: Path, machine_only: Sandbox) -> Iterator[Path]:
    """A file system that is full after one page."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={PAGE}", "none", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_full_at_the_end_leaves_the_gate_closed(runner: Runner, small_disk: Path) -> None:
    """I5. Breaks when `_append_whole` takes a short write for a whole one, or does not take it back."""
    output = small_disk / "output"
    earlier = f"earlier={'x' * (PAGE - 100)}\n"
    output.write_text(earlier)

    ended = runner.gate(GITHUB_OUTPUT=str(output))

    assert ended.status == 3, ended.log
    assert output.read_text() == f"{earlier}gate=closed\n"
    assert "same container" in ended.log, "the gate ended before its end: this test looks at nothing"
    assert "outputs cannot be written" in ended.log


def test_a_disk_that_is_full_at_the_start_ends_the_gate_before_anything_is_read(
    runner: Runner, small_disk: Path
) -> None:
    """I5. Breaks when `open_run` reads or prints before `close_gate`, or goes on where that failed."""
    output = small_disk / "output"
    output.write_bytes(b"x" * (PAGE - 1) + b"\n")

    ended = runner.gate(GITHUB_OUTPUT=str(output))

    assert ended.status == 3
    assert len(ended.log.splitlines()) == 1
    assert "outputs cannot be written" in ended.log
    assert output.stat().st_size == PAGE
    assert runner.built() is None


def test_a_summary_or_a_report_that_cannot_be_written_leaves_the_gate_closed(runner: Runner, small_disk: Path) -> None:
    """I5. Breaks when `Publisher.tell` writes the outputs before the report and the summary."""
    switched_off = {"ORCH_IMAGE_FRESHNESS_ENABLED": "false"}  # the shortest way to a gate that would open
    assert runner.gate(**switched_off).decision == ("open", "disabled", 0)

    (small_disk / "full").write_bytes(b"x" * PAGE)
    for variable, place in (("GITHUB_STEP_SUMMARY", "/dev/full"), ("RUNNER_TEMP", str(small_disk))):
        ended = runner.gate(**switched_off, **{variable: place})

        assert ended.status == 3, ended.log
        assert ended.written == "gate=closed\n"


def test_the_last_line_of_an_earlier_step_is_not_ours(runner: Runner, tmp_path: Path) -> None:
    """I5. Breaks when `_append_whole` no longer ends a line that another step left open."""
    output = tmp_path / "shared-output"
    output.write_text("earlier=open")

    ended = runner.gate(GITHUB_OUTPUT=str(output), TARGET_PORT="none")

    assert ended.status == 2, ended.log
    assert output.read_text().startswith("earlier=open\ngate=closed\nverdict=error\n")


def test_a_gate_in_a_shell_needs_no_runner(runner: Runner) -> None:
    """Breaks when a missing GITHUB_OUTPUT, GITHUB_STEP_SUMMARY, GITHUB_WORKSPACE or RUNNER_TEMP is an error."""
    nothing = dict.fromkeys(
        ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "RUNNER_TEMP", "GITHUB_REPOSITORY"), ""
    )

    ended = runner.gate(**nothing)

    assert ended.status == 0, ended.log
    assert "freshness gate: fresh" in ended.log
    assert runner.built() == runner.staging().attrs["Image"]


def test_nothing_of_a_run_stays_but_its_report(runner: Runner) -> None:
    """Breaks when `private_folder` no longer removes the build context."""
    running = runner.start_gate()
    ended = running.end()

    assert ended.decision == ("open", "fresh", 0), ended.log
    left = [path for path in (running.folder / "temp").rglob("*") if path.is_file()]
    assert left == [Path(ended.outputs["report-path"])]
    assert left[0].stat().st_mode & 0o777 == 0o600
