"""The step's outputs (I5): closed first, open last, each on one line, and nothing half written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.ci.outputs import Outputs
from freshness.errors import OutputError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "output"


def parse(text: str) -> dict[str, str]:
    """As the runners do it: NAME=VALUE by line, the last one wins."""
    return dict(line.split("=", 1) for line in text.splitlines())


def test_i5_the_gate_is_closed_first_and_opened_last(path: Path) -> None:
    """Fails when `close_gate` writes nothing, or when `write` leaves the order as it got it."""
    outputs = Outputs(path=path)
    outputs.close_gate()
    assert path.read_text() == "gate=closed\n"
    outputs.write({"gate": "open", "verdict": "fresh", "reason": "all good"})
    assert path.read_text() == "gate=closed\nverdict=fresh\nreason=all good\ngate=open\n"


def test_promotes_outcome_is_an_error_until_it_is_known(path: Path) -> None:
    outputs = Outputs(path=path, decisive="outcome", closed="error")
    outputs.close_gate()
    outputs.write({"outcome": "promoted", "reason": "x"})
    assert path.read_text() == "outcome=error\nreason=x\noutcome=promoted\n"


def test_without_a_runner_nothing_is_written() -> None:
    Outputs(path=None).close_gate()


@given(st.text())
def test_no_value_can_set_another_output(value: str) -> None:
    descriptor = os.memfd_create("output")
    try:
        Outputs(path=Path(f"/proc/self/fd/{descriptor}")).write({"reason": value, "gate": "closed"})
        written = os.pread(descriptor, 100_000, 0)
    finally:
        os.close(descriptor)
    lines = written.split(b"\n")
    assert [line.partition(b"=")[0] for line in lines] == [b"reason", b"gate", b""]
    assert len(lines[0]) < 65_536  # act's scanner stops at longer lines, and would miss what follows


def test_a_line_that_another_step_left_open_is_closed(path: Path) -> None:
    path.write_text("other=value")
    Outputs(path=path).close_gate()
    assert parse(path.read_text()) == {"other": "value", "gate": "closed"}


def test_a_full_disk_leaves_the_gate_closed(path: Path) -> None:
    """A limit on the file's size cuts the write short, as a full disk does."""
    program = (
        "import resource, signal, sys; from pathlib import Path; from freshness.ci.outputs import Outputs\n"
        "from freshness.errors import OutputError\n"
        "outputs = Outputs(path=Path(sys.argv[1])); outputs.close_gate()\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "try: outputs.write({'reason': 'x' * 80, 'gate': 'open'})\n"
        "except OutputError as error: sys.exit(error.exit_status)\n"
    )
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    answer = subprocess.run([sys.executable, "-c", program, str(path)], env=environment, check=False, timeout=60)
    assert answer.returncode == 3
    assert path.read_text() == "gate=closed\n"


@pytest.mark.parametrize("bad", ["/dev/null/output", "/dev/full", "/"])
def test_a_file_that_cannot_be_written_is_one_clear_error(bad: str) -> None:
    with pytest.raises(OutputError, match=bad) as error:
        Outputs(path=Path(bad)).close_gate()
    assert error.value.exit_status == 3


def test_a_reason_that_somebody_prints_raw_commands_nothing(tmp_path: Path) -> None:
    """GitHub's runner finds `##[` anywhere in a line. Breaks when `one_line` leaves it as it is."""
    path = tmp_path / "outputs"
    Outputs(path=path).write({"reason": "got ##[set-output name=gate]open", "gate": "closed"})
    assert "##[" not in path.read_text()
