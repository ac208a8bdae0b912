"""Whether a process that once held a lock still runs, by what the kernel says of it."""

import os
import subprocess
import sys

import pytest

from freshness.engine.presence import _is_running, _started, left_running
from tests.runner import eventually


def test_a_process_is_itself_only_with_the_time_of_its_start() -> None:
    """Breaks when a process that got a dead one's number is taken for it."""
    started = _started(os.getpid())

    assert started
    assert _is_running(os.getpid(), started)
    assert not _is_running(os.getpid(), started + 1)


def test_a_process_that_only_waits_to_be_buried_has_ended() -> None:
    """Breaks when a zombie counts: a runner may keep the shell of a killed step for as long as the job takes."""
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as child:
        started = _started(child.pid) or 0
        assert _is_running(child.pid, started)
        assert child.stdin
        child.stdin.close()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

        assert not _is_running(child.pid, started)


@pytest.mark.parametrize("pid", [2**22 + 1, 10**17])
def test_a_number_that_no_process_has_is_no_process(pid: int) -> None:
    assert not _is_running(pid, 1)


def test_what_a_dead_holder_left_running_is_found_by_its_token() -> None:
    """I8. Breaks when the next run begins while Compose still recreates."""
    token = os.urandom(16).hex()
    with subprocess.Popen([f"sleep@{token}", "60"], executable="sleep") as child:
        try:
            assert eventually(lambda: list(left_running(token)), "the child's own name") == [child.pid]
        finally:
            child.kill()
    assert not list(left_running(token))
