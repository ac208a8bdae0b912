"""Runs the staging check inside the staging container, and lets it live no longer than our own connection to it.

It passed only if the Engine says that it has ended, with exit status 0. That its connection ended says nothing.
"""

import time
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from freshness.core.lines import excerpt
from freshness.engine.check_wrapper import CUT, CheckOutput, wrap_check
from freshness.engine.client import Engine
from freshness.engine.containers import Container
from freshness.engine.execution import END_SECONDS, ContainerEnded, ExecState, Execution
from freshness.engine.orphan import no_orphan
from freshness.errors import EngineError

SHOWN = 200  # characters of the last line
NOT_IN_TIME = "the check timed out and was killed"
LIVES_ON = "the check timed out and is still running in the container: it cannot be stopped from here"
NOTHING_RAN = "the image's `python3` exited without running the check"
NO_PROGRAM = frozenset({126, 127})

Line = Callable[[str], object]


class CheckRun(Struct, frozen=True, kw_only=True):
    """How the check ended: its exit status, or None and `why` there is none; `last_line` is untrusted text.

    `lacked_python` says that nothing ran, since the image has no `python3`.
    """

    status: int | None
    why: str = NOT_IN_TIME
    last_line: str = ""
    lacked_python: bool = False

    @property
    def got(self) -> str:
        """How it ended, in words."""
        if self.status is None:
            return self.why
        said = f"; its last line: {self.last_line[:SHOWN]}" if self.last_line and self.status else ""
        return f"exit status {self.status}{said}"

    @property
    def remedy(self) -> str:
        """What to do where the image lacks what the check needs; else nothing is known."""
        if self.lacked_python:
            return "The image has no `python3` that runs: add it, or set `check-command` to one that it has."
        if self.status in NO_PROGRAM:
            return "The image lacks that program: add it, or set `check-command` to one that it has."
        if self.status and "can't open file" in self.last_line:
            return "The image lacks the check script: copy it in, or set `check-path`."
        if self.why == LIVES_ON:
            return "Restart the container; where the image has a `python3`, a check ends with its gate."
        return ""


class Check(Struct, frozen=True, kw_only=True):
    """What to run where, with `variables` in its environment; given up after `timeout` seconds, at `deadline`."""

    engine: Engine
    container: Container
    command: tuple[str, ...]
    variables: Mapping[str, str]
    timeout: float
    deadline: float

    def prepare(self, command: Sequence[str], *, with_input: bool) -> Execution:
        """An execution in the container that is not yet started. Raises ContainerEnded."""
        return Execution.of(self.engine, self.container, command, self.variables, with_input=with_input)


def run_staging_check(
    engine: Engine,
    container: Container,
    command: Sequence[str],
    variables: Mapping[str, str],
    timeout: float,
    line: Line,
) -> CheckRun:
    """Runs the command in the container with `variables` in its environment; `line` gets its output as it comes.

    The check never outlives us: see WRAPPER, and `orphan` for an image that has no `python3`. Raises EngineError where
    it was the Engine that went, or the way to it: then nobody can tell how the check ended.
    """
    check = Check(
        engine=engine,
        container=container,
        command=tuple(command),
        variables=variables,
        timeout=timeout,
        deadline=time.monotonic() + timeout,
    )
    try:
        with excerpt(line) as shown:
            run = _run_wrapped(check, shown)
            return _run_directly(check, shown) if run.lacked_python and command[0] != "python3" else run
    except ContainerEnded as ended:
        return CheckRun(status=None, why=f"the container did not run until the check ended: {ended}")


def _run_wrapped(check: Check, line: Line) -> CheckRun:
    output, began = CheckOutput(show=line, is_wrapped=True), time.monotonic()
    execution = check.prepare(wrap_check(check.command), with_input=True)
    is_in_time = _listen(execution, output, check.deadline)
    took = time.monotonic() - began
    ended = execution.wait(_soon())
    if ended.runs:
        ended = _end(check, execution, output)
    if not is_in_time:
        return CheckRun(status=None, why=LIVES_ON if ended.runs else NOT_IN_TIME)
    lost = {None, CUT} if output.wrapper_pid is None else {None, CUT, 0}
    if ended.runs or (not output.has_ended and ended.status in lost):
        raise _cut_off(took, check.timeout)
    if output.wrapper_pid is None:
        status = ended.status or None
        return CheckRun(status=status, why=NOTHING_RAN, last_line=output.last_line, lacked_python=True)
    return CheckRun(status=ended.status, last_line=output.last_line)


def _end(check: Check, execution: Execution, output: CheckOutput) -> ExecState:
    """Ends a check whose WRAPPER does not see that we are gone, as behind a proxy that keeps its own end open."""
    if output.wrapper_pid is not None:
        killer = ("python3", "-I", "-c", f"import os, signal; os.kill({output.wrapper_pid}, signal.SIGTERM)")
        check.prepare(killer, with_input=False).start_detached()
    return execution.wait(_soon())


def _run_directly(check: Check, line: Line) -> CheckRun:
    """Runs it as it is. The end of our connection does not end it then: the Engine is asked until the deadline."""
    output, began = CheckOutput(show=line, is_wrapped=False), time.monotonic()
    with no_orphan(check.engine, check.container):
        execution = check.prepare(check.command, with_input=False)
        _listen(execution, output, check.deadline)
        ended = execution.wait(min(_soon(), check.deadline))
        if ended.runs and time.monotonic() < check.deadline:
            line(
                f"The connection to the check was lost after {time.monotonic() - began:.0f} s. The check goes on"
                " without its output."
            )
            ended = execution.wait(check.deadline)
    if ended.runs:
        return CheckRun(status=None, why=LIVES_ON if execution.wait(_soon()).runs else NOT_IN_TIME)
    if ended.status is None:
        raise EngineError(
            "The Docker Engine does not say how the staging check ended.", ("Check the Docker daemon, then run again.")
        )
    return CheckRun(status=ended.status, last_line=output.last_line)


def _listen(execution: Execution, output: CheckOutput, deadline: float) -> bool:
    """Starts it, and takes all that it says. False where the deadline came before its end."""
    connection = execution.start()
    if connection is None:
        return True
    try:
        return connection.listen(deadline, output.take, lambda: output.has_ended)
    finally:
        connection.close()
        output.end()


def _soon() -> float:
    return time.monotonic() + END_SECONDS


def _cut_off(took: float, timeout: float) -> EngineError:
    return EngineError(
        f"the staging check was cut off after {took:.0f} s: its connection to the Docker Engine ended before the"
        f" check did. Expected one that stays open for up to {timeout:g} s (`check-timeout`).",
        "Check the network to the Engine: raise the idle timeout of the proxy, firewall or SSH server above"
        " `check-timeout`, then run again.",
    )
