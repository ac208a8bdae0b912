"""Starts child processes: those that only compute die with us, those that change the host come to their end."""

import ctypes
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from freshness.errors import EngineError

LONGEST_LINE = 16_000  # characters
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LIBC = ctypes.CDLL(None, use_errno=True)


def stream(
    argv: Sequence[str], env: Mapping[str, str], line: Callable[[str], object], *, timeout: float | None = None
) -> int:
    """Runs a child that only computes, hands over each line as it comes, and returns its exit status.

    The kernel kills it when we die, however we die: Gitea's runner cancels with a SIGKILL to us alone. After `timeout`
    seconds it is killed. Its standard input stays open until it ends. A line without an end comes in pieces.
    """
    child = subprocess.Popen(
        argv,
        env=dict(env),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 -- only the main thread starts children
    )
    with child, _killed_after(child, timeout):
        while child.stdout and (text := child.stdout.readline(LONGEST_LINE)):
            line(text)
        return child.wait()


@contextmanager
def _killed_after(child: subprocess.Popen[str], timeout: float | None) -> Iterator[None]:
    """Kills the child after `timeout` seconds, and in any case when the block is left."""
    timer = threading.Timer(timeout, child.kill) if timeout else None
    if timer:
        _start_deaf(timer)
    try:
        yield
    finally:
        if timer:
            timer.cancel()
        child.kill()


def _start_deaf(timer: threading.Timer) -> None:
    """Starts a thread that takes no signals: one that the kernel gives to it does not wake us from reading."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    timer.start()
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _die_with(parent: int) -> Callable[[], None]:
    """What the child does before it becomes its program; the second look closes the gap in which the parent died."""

    def arrange() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return arrange


def finish(
    argv: Sequence[str], env: Mapping[str, str], timeout: float, *, token: str, lifelines: Sequence[int] = ()
) -> tuple[int, str]:
    """Runs a child that changes the host, in a session of its own, and returns its exit status and what it printed.

    It bears the token of our lock in its name, where `ps` and the next run see it: it may outlive us. So may what the
    descriptors `lifelines` keep alive.

    Its output goes to a file, not to a pipe of ours: a child that loses its reader would be cut in the middle. An
    interrupt leaves it running. GitHub's runner kills what carries RUNNER_TRACKING_ID when the job ends.
    Raises EngineError after `timeout` seconds.
    """
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(
            [f"{argv[0]}@{token}", *argv[1:]],
            executable=argv[0],
            env={name: value for name, value in env.items() if name != "RUNNER_TRACKING_ID"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=lifelines,
        )
        try:
            status = child.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise EngineError(
                f"{' '.join(argv[:2])} did not end within {timeout:g} s; it still runs as process {child.pid}.",
                "Look at the Docker daemon and at that process, then run again.",
            ) from error
        output.seek(0)
        return status, output.read().decode(errors="replace")


def read(argv: Sequence[str], env: Mapping[str, str], timeout: float) -> tuple[int, str, str]:
    """Runs a child that only reads: its exit status, standard output and standard error."""
    try:
        child = subprocess.run(
            argv, env=dict(env), stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            timeout=timeout, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise EngineError(
            f"{' '.join(argv[:2])} did not answer within {timeout:g} s.", "Look at the Docker daemon, then run again."
        ) from error
    return child.returncode, child.stdout, child.stderr
