"""Children that only compute die with us, those that change the host come to their end."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from freshness.core.lines import LAST, LONGEST_LINE
from freshness.errors import EngineError
from freshness.process.children import Watch, finish, read, reading, stream
from tests.support.runner import eventually

SECONDS = 30
TOKEN = "0123456789abcdef"  # noqa: S105 -- a lock's, no secret
PATIENT = Watch(longest=SECONDS, seconds=SECONDS, check=print)
PARENT = """
import os, sys
from freshness.process import children as process
def tell(line):
    print(line.strip(), flush=True)
{call}
"""


def shell(script: str) -> list[str]:
    return ["sh", "-c", script]


def in_a_parent(call: str, *arguments: str) -> subprocess.Popen[str]:
    """A process of our own that runs `call`, whose children this test can watch after its death."""
    return subprocess.Popen(
        [sys.executable, "-c", PARENT.format(call=call), *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    )


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(check: object, what: str) -> None:
    assert callable(check)
    deadline = time.monotonic() + SECONDS
    while not check():
        assert time.monotonic() < deadline, f"not within {SECONDS} s: {what}"
        os.sched_yield()


def test_lines_come_as_they_are_printed() -> None:
    """Breaks when `stream` collects the output before it hands it over."""
    printed: list[str] = []
    came = threading.Event()

    def line(text: str) -> None:
        printed.append(text)
        came.set()

    fifo = Path(os.environ["HOME"], "fifo")
    os.mkfifo(fifo)
    opener = threading.Thread(target=lambda: came.wait(SECONDS) and fifo.write_text("go on\n"))
    opener.start()

    status = stream(shell(f"echo first; cat {fifo}; echo to stderr >&2; exit 7"), os.environ, line, timeout=SECONDS)

    opener.join()
    assert (status, printed) == (7, ["first\n", "go on\n", "to stderr\n"])


def test_what_is_not_utf8_and_never_ends_comes_in_pieces() -> None:
    """Breaks when one line without an end may fill the memory, or a byte raises."""
    pieces: list[str] = []

    stream(
        shell(f"printf '\\377'; head -c {2 * LONGEST_LINE} /dev/zero | tr '\\0' x"),
        os.environ,
        pieces.append,
        timeout=SECONDS,
    )

    assert len(pieces) > 2
    assert max(map(len, pieces)) == LONGEST_LINE
    assert "".join(pieces) == "\ufffd" + "x" * 2 * LONGEST_LINE


def test_a_child_that_takes_too_long_is_killed() -> None:
    started = time.monotonic()

    status = stream(["sleep", "3600"], os.environ, print, timeout=0.2)

    assert status is None
    assert time.monotonic() - started < SECONDS


def test_a_child_ends_when_its_reader_fails() -> None:
    """Breaks when `_killed_after` no longer kills as it is left: an interrupt would leave buildx running."""
    pids: list[int] = []

    def fail(text: str) -> None:
        pids.append(int(text))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stream(shell("echo $$; exec sleep 3600"), os.environ, fail, timeout=SECONDS)

    assert not is_alive(pids[0])


def test_what_only_computes_is_killed_with_us() -> None:
    """I8. Breaks when `_die_with` no longer asks the kernel for it."""
    with in_a_parent(
        "process.stream(['sh', '-c', 'echo $$; exec sleep 3600'], os.environ, tell, timeout=60)"
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.kill()

    wait_until(lambda: not is_alive(child), "the child's death")


def test_a_child_finds_its_standard_input_open_until_we_are_gone() -> None:
    """Breaks when `stream` gives /dev/null: the check's WRAPPER would take it for our end."""
    with in_a_parent(
        "process.stream(['sh', '-c', 'timeout 0.3 cat; echo $?'], os.environ, tell, timeout=60)"
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline().strip() == "124", "cat ended before its time"


def test_what_changes_the_host_comes_to_its_end_without_us(tmp_path: Path) -> None:
    """I8. Breaks when `finish` gives its child a pipe of ours, our session, or a death signal."""
    os.mkfifo(tmp_path / "go-on")
    script = f"echo $$ > {tmp_path}/pid; cat {tmp_path}/go-on; echo more; echo more >&2; echo done > {tmp_path}/end"
    call = "process.finish(['sh', '-c', sys.argv[1]], os.environ, "
    watch = "process.Watch(longest=60, seconds=60, check=print), tokens=['t'])"
    with in_a_parent(call + watch, script) as parent:
        go_on = (tmp_path / "go-on").open("w")  # waits for the child to read it
        child = int((tmp_path / "pid").read_text())
        assert os.getsid(child) == child
        parent.kill()
        parent.wait()
    with go_on:
        go_on.write("go on\n")

    wait_until(lambda: not is_alive(child), "the child's end")
    assert (tmp_path / "end").read_text() == "done\n"


@pytest.mark.parametrize(("number", "name"), [(9, "SIGKILL"), (64, "SIGRTMAX"), (50, "the signal 50")])
def test_what_something_ended_has_not_answered(number: int, name: str) -> None:
    """Breaks when `end` of Reading takes a death for an answer: the settings were said to be wrong."""
    with pytest.raises(EngineError, match=f"was ended by {name}"):
        read(shell(f"kill -{number} $$"), os.environ, 60)


def test_what_changes_the_host_tells_its_status_and_all_that_it_printed() -> None:
    status, output = finish(shell("echo one; echo two >&2; exit 3"), os.environ, PATIENT, tokens=[TOKEN])

    assert (status, output) == (3, "one\ntwo\n")


def test_of_what_changes_the_host_only_the_end_is_read() -> None:
    """Breaks when `finish` reads into memory all that its child printed."""
    status, output = finish(shell(f"head -c {3 * LAST} /dev/zero; echo end"), os.environ, PATIENT, tokens=[TOKEN])

    assert (status, len(output), output[-4:]) == (0, LAST, "end\n")


def test_githubs_cleaner_does_not_find_what_changes_the_host() -> None:
    """I8. Breaks when the child inherits RUNNER_TRACKING_ID, by which GitHub's runner kills what a job left."""
    env = {**os.environ, "RUNNER_TRACKING_ID": "github_1", "OTHER": "kept"}

    assert finish(shell("echo $RUNNER_TRACKING_ID/$OTHER"), env, PATIENT, tokens=[TOKEN]) == (0, "/kept\n")


def test_what_changes_the_host_bears_the_token_of_the_lock() -> None:
    """Breaks when `finish` does not name its child so: the next run would not see that it is still at work."""
    status, output = finish(shell("tr '\\0' ' ' < /proc/$$/cmdline"), os.environ, PATIENT, tokens=[TOKEN])

    assert status == 0
    assert output.startswith(f"sh@{TOKEN} ")


def no_answer() -> None:
    raise EngineError("looking: the Engine did not answer within 1 s.", "Look at it.")


@pytest.mark.parametrize(
    ("watch", "said"),
    [
        (Watch(longest=0.2, seconds=60, check=print), "did not finish within 0.2 s and was stopped"),
        (Watch(longest=60, seconds=0.1, check=no_answer), "the Engine did not answer"),
    ],
)
def test_what_hangs_with_the_engine_is_ended_with_all_that_it_started(watch: Watch, said: str, tmp_path: Path) -> None:
    """Breaks when `finish` leaves it running: it would change the host when the Engine comes back, behind our back."""
    script = f"trap '' TERM; sleep 3600 & echo $$ $! > {tmp_path}/pids; wait"

    with pytest.raises(EngineError, match=said):
        finish(shell(script), os.environ, watch, tokens=[TOKEN])

    pids = (tmp_path / "pids").read_text().split()
    eventually(lambda: not any(is_alive(int(pid)) for pid in pids), "the end of both", seconds=SECONDS)


def test_what_changes_the_host_may_take_longer_than_one_look() -> None:
    """Breaks when `_attend` ends its child at the first look, or does not look again and again."""
    looks: list[float] = []
    watch = Watch(longest=SECONDS, seconds=0.05, check=lambda: looks.append(time.monotonic()))

    assert finish(shell("sleep 0.5; echo done"), os.environ, watch, tokens=[TOKEN]) == (0, "done\n")
    assert len(looks) > 2


def test_what_only_reads_tells_status_output_and_errors() -> None:
    assert read(shell("echo one; echo two >&2; exit 3"), os.environ, SECONDS) == (3, "one\n", "two\n")


def test_what_only_reads_and_does_not_answer_is_an_error() -> None:
    with pytest.raises(EngineError, match=r"sleep 3600 did not finish within 0\.2 s"):
        read(["sleep", "3600"], os.environ, 0.2)


def test_a_child_that_reads_is_ended_when_nobody_waits_for_it() -> None:
    """Breaks when `reading` waits for what it started, or leaves it behind."""
    began = time.monotonic()
    with reading(["sleep", "3600"], os.environ, SECONDS) as begun:
        assert is_alive(begun.child.pid)

    assert time.monotonic() - began < SECONDS
    assert not is_alive(begun.child.pid)
