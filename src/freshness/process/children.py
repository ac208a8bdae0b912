"""Starts child processes: those that only compute die with us, those that change the host finish."""

import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO

from msgspec import Struct

from freshness.core.lines import LAST, LONGEST_LINE
from freshness.errors import EngineError
from freshness.process.signals import STOPPING

END_SECONDS = 5  # for a child that was asked to end
REST_SECONDS = 1  # for what a child has said that was killed
MEMORY = "Where nobody did that, the machine lacked memory (`dmesg` tells): give it more, then run again."
"""The remedy where something ended a child of ours."""
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LIBC = ctypes.CDLL(None, use_errno=True)


def stream(
    argv: Sequence[str],
    env: Mapping[str, str],
    line: Callable[[str], object],
    *,
    timeout: float,
    keepalive_fds: Sequence[int] = (),
) -> int | None:
    """Runs a child as `streaming` does, and hands over each line as it comes. Returns what `Streamed.end` returns."""
    with streaming(argv, env, timeout=timeout, keepalive_fds=keepalive_fds) as child:
        return child.end(line)


class Streamed(Struct, frozen=True, kw_only=True):
    """A child that runs; what it says is taken from it at once, and kept until `end`."""

    child: subprocess.Popen[str]
    said: SimpleQueue[str]
    expired: threading.Event

    def end(self, line: Callable[[str], object]) -> int | None:
        """Hands over each line that came and comes, and returns the exit status: None where its time was over."""
        while text := self.said.get():
            line(text)
        status = self.child.wait()
        return None if self.expired.is_set() else status


@contextmanager
def streaming(
    argv: Sequence[str], env: Mapping[str, str], *, timeout: float, keepalive_fds: Sequence[int] = ()
) -> Iterator[Streamed]:
    """Starts a child that only computes, and kills it when the block is left.

    The kernel kills it when we die, however we die: Gitea's runner cancels with a SIGKILL to us alone. After `timeout`
    seconds it is killed. Its standard input stays open until it ends, and so do the descriptors `keepalive_fds`. A line
    without an end comes in pieces.
    """
    child = subprocess.Popen(
        argv,
        env=dict(env),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        pass_fds=keepalive_fds,
        preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 -- only the main thread starts children
    )
    said: SimpleQueue[str] = SimpleQueue()
    reader = threading.Thread(target=_take, args=(child, said), daemon=True)
    try:
        with _killed_after(child, timeout) as expired:
            _start_deaf(reader)
            yield Streamed(child=child, said=said, expired=expired)
    finally:
        _close(child, reader)


def _close(child: subprocess.Popen[str], reader: threading.Thread) -> None:
    """Of a child that was killed. What it started may still have its output, and then whoever reads that gives up."""
    if child.stdin:
        child.stdin.close()
    child.wait()
    reader.join(REST_SECONDS)
    if child.stdout and not reader.is_alive():
        child.stdout.close()


def _take(child: subprocess.Popen[str], said: SimpleQueue[str]) -> None:
    while child.stdout and (text := child.stdout.readline(LONGEST_LINE)):
        said.put(text)
    said.put("")


@contextmanager
def _killed_after(child: subprocess.Popen[str], timeout: float) -> Iterator[threading.Event]:
    """Kills the child after `timeout` seconds, which sets the event, and in any case when the block is left."""
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        child.kill()

    timer = threading.Timer(timeout, expire)
    _start_deaf(timer)
    try:
        yield expired
    finally:
        timer.cancel()
        child.kill()


def _start_deaf(thread: threading.Thread) -> None:
    """Starts a thread that takes no signals: one that the kernel gives to it does not wake us from reading."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    thread.start()
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _die_with(parent: int) -> Callable[[], None]:
    """What the child does before it becomes its program; the second look closes the gap in which the parent died."""

    def arrange() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return arrange


class Watch(Struct, frozen=True, kw_only=True):
    """When a child that changes the host is stopped: after `longest` seconds, or when `look` raises an EngineError.

    `look` is called every `seconds`.
    """

    longest: float
    seconds: float
    check: Callable[[], object]


def finish(
    argv: Sequence[str],
    env: Mapping[str, str],
    watch: Watch,
    *,
    tokens: Sequence[str],
    keepalive_fds: Sequence[int] = (),
    given: str | None = None,
) -> tuple[int, str]:
    """Runs a child that changes the host, in a session of its own, and returns its exit status and what it said last.

    Its name has the tokens of our locks, where `ps` and the next run see it: it may outlive us. So may what the
    descriptors `keepalive_fds` keep alive. It reads `given` from its standard input, all of which is in memory before
    it starts.

    Its output goes into memory: not to a pipe of ours, since a child that loses its reader would be interrupted, and
    not to a disk, which may be full. An interrupt leaves it running. GitHub's runner kills what carries
    RUNNER_TRACKING_ID when the job ends.
    Raises EngineError where the watch stops it: what we gave up on must not change the host later.
    """
    with _memory("output") as output, _input(given) as standard_input:
        child = subprocess.Popen(
            ["@".join([argv[0], *tokens]), *argv[1:]],
            executable=argv[0],
            env={name: value for name, value in env.items() if name != "RUNNER_TRACKING_ID"},
            stdin=standard_input,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=keepalive_fds,
        )
        status = _attend(child, watch)
        output.seek(max(output.seek(0, os.SEEK_END) - LAST, 0))
        return status, output.read().decode(errors="replace")


def _input(given: str | None) -> BinaryIO:
    if given is None:
        return Path(os.devnull).open("rb")
    memory = _memory("given")
    memory.write(given.encode())
    memory.seek(0)  # which flushes
    return memory


def _memory(name: str) -> BinaryIO:
    return os.fdopen(os.memfd_create(name), "w+b")


def _attend(child: subprocess.Popen[bytes], watch: Watch) -> int:
    deadline = time.monotonic() + watch.longest
    waiter = threading.Thread(target=child.wait, daemon=True)  # with a time limit it looks every 50 ms and no sooner
    _start_deaf(waiter)
    while (left := deadline - time.monotonic()) > 0:
        waiter.join(min(watch.seconds, left))
        if child.returncode is not None:
            return child.returncode
        try:
            watch.check()
        except EngineError:
            _end(child)
            raise
    _end(child)
    raise EngineError(
        f"Compose did not finish within {watch.longest:g} s and was stopped.",
        "Check the Docker daemon, then run again.",
    )


def _end(child: subprocess.Popen[bytes]) -> None:
    """Asks it to end, then ends it, with all that it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        with suppress(subprocess.TimeoutExpired):
            child.wait(END_SECONDS)


class Reading(Struct, frozen=True, kw_only=True):
    """A child that only reads, and runs."""

    child: subprocess.Popen[str]
    argv: Sequence[str]
    timeout: float

    def end(self, given: str = "") -> tuple[int, str, str]:
        """Its exit status, standard output and standard error. `given` is its input.

        Raises EngineError, also where something ended it: it has said nothing of what it was asked then.
        """
        try:
            out, err = self.child.communicate(given, self.timeout)
        except subprocess.TimeoutExpired as error:
            raise EngineError(
                f"{' '.join(self.argv[:2])} did not finish within {self.timeout:g} s.",
                "Check the Docker daemon, then run again.",
            ) from error
        if signal_name := ended_by(self.child.returncode):
            raise EngineError(f"{' '.join(self.argv[:2])} was ended by {signal_name}.", MEMORY)
        return self.child.returncode, out, err


def ended_by(status: int) -> str:
    """The name of the signal that ended a child with this exit status; empty where it ended by itself."""
    if status >= 0:
        return ""
    return next((known.name for known in signal.Signals if known == -status), f"the signal {-status}")


@contextmanager
def reading(argv: Sequence[str], env: Mapping[str, str], timeout: float) -> Iterator[Reading]:
    """Starts a child that only reads, and kills it when the block is left before its end."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        argv, env=dict(env), stdin=pipe, stdout=pipe, stderr=pipe, text=True, errors="replace"
    ) as child:
        try:
            yield Reading(child=child, argv=argv, timeout=timeout)
        finally:
            child.kill()


def read(argv: Sequence[str], env: Mapping[str, str], timeout: float, given: str | None = None) -> tuple[int, str, str]:
    """Runs such a child to its end, with `given` as its input, and returns what `Reading.end` returns."""
    with reading(argv, env, timeout) as child:
        return child.end(given or "")
