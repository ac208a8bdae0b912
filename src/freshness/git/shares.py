"""Shares work among processes, one for each core.

libgit2 inflates objects under Python's global lock, so that threads would take turns.
"""

import os
import pickle
import signal
import threading
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import Any, NoReturn, TypeVar

from msgspec import Struct

from freshness.errors import FreshnessError, RepositoryError

Item = TypeVar("Item")
Result = TypeVar("Result")

SMALLEST = 1_000
"""Files that are worth a process of their own: some 50 ms of work, against 5 ms to start it."""
MOST = 4


def work_in_shares(
    work: Callable[[Sequence[Item]], Result], items: Sequence[Item], sizes: Sequence[int]
) -> list[Result]:
    """The results of `work` over consecutive shares of `items`, in order; the first share is done by this process.

    `sizes` is what each item counts. Raises what `work` raises; an error ends the other shares where they are.
    """
    first, *others = split(items, sizes)
    children: list[Child] = []
    try:
        children += (start_child(work, share) for share in others)
        return [work(first), *(child.wait() for child in children)]
    finally:
        for child in children:
            child.end()


def split(items: Sequence[Item], sizes: Sequence[int]) -> list[Sequence[Item]]:
    """Consecutive shares of about one size, one for each process; a single one where more are not worth their start."""
    ends = list(accumulate(sizes))
    count = min(len(os.sched_getaffinity(0)), MOST, sum(sizes) // SMALLEST)
    if count < 2 or threading.active_count() > 1:  # noqa: PLR2004 (a fork is safe in a process with a single thread)
        return [items]
    inner = (bisect_left(ends, ends[-1] * number // count) for number in range(1, count))
    return [items[start:end] for start, end in pairwise((0, *inner, len(items)))]


class Child(Struct, frozen=True):
    """A process that does one share and writes its pickled outcome, a result or an error, to `pipe`."""

    pid: int
    pipe: int

    def wait(self) -> Any:
        with open(self.pipe, "rb", closefd=False) as pipe:
            outcome = pipe.read()
        if not outcome:
            raise RepositoryError(
                "a worker process died while it read or wrote files of the commit.",
                "Check for the kernel's out-of-memory killer, then run again.",
            )
        done, *values = pickle.loads(outcome)  # noqa: S301 (our own child wrote it)
        if done is not None:
            raise done(*values)
        return values[0]

    def end(self) -> None:
        """Ends the process where it still works; it is a child not waited for, so the id is still its own."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.pipe)


def start_child(work: Callable[[Sequence[Item]], Result], share: Sequence[Item]) -> Child:
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        do_share(work, share, write_end)
    os.close(write_end)
    return Child(pid, read_end)


def do_share(work: Callable[[Sequence[Item]], Result], share: Sequence[Item], write_end: int) -> NoReturn:
    """In the child: nothing but the share, and no way out but the last line."""
    try:
        with open(write_end, "wb") as pipe:
            pipe.write(pickle.dumps(find_outcome(work, share)))
    finally:
        os._exit(0)


def find_outcome(work: Callable[[Sequence[Item]], Result], share: Sequence[Item]) -> tuple[Any, ...]:
    """(None, result), or the class of an error and what makes it again."""
    try:
        return None, work(share)
    except FreshnessError as error:
        return type(error), error.args[0], error.remedy
    except OSError as error:
        return type(error), error.errno, error.strerror
