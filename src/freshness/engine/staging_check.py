"""Runs the staging check inside the staging container, and lets it live no longer than our own connection to it."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from freshness.engine.client import Engine, insist_reachable
from freshness.engine.containers import Container
from freshness.engine.orphan import no_orphan
from freshness.engine.process import stream

# Docker has no way to end a command that `exec` started, and it outlives its client. It does close the command's
# standard input when the client is gone: this small program waits for that, and takes the check with it.
LEASH = """
import os, signal, subprocess, sys, threading
try:
    check = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
except OSError as error:
    sys.exit("%s: %s" % (sys.argv[1], error.strerror))
def follow():
    while os.read(0, 4096):
        pass
    os.killpg(check.pid, signal.SIGKILL)
threading.Thread(target=follow, daemon=True).start()
status = check.wait()
sys.stdout.flush()
os._exit(status if status >= 0 else 128 - status)
"""

NO_PYTHON = 'exec: "python3": executable file not found'  # runc's words
SHOWN = 200  # characters of the last line

Line = Callable[[str], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRun:
    """How the check ended: its exit status, or None where it did not end in time; `last_line` is foreign text."""

    status: int | None
    last_line: str

    @property
    def got(self) -> str:
        """How it ended, in words."""
        if self.status is None:
            return "the check did not end in time and was killed"
        said = f"; its last line: {self.last_line[:SHOWN]}" if self.last_line and self.status else ""
        return f"exit status {self.status}{said}"

    @property
    def remedy(self) -> str:
        """What to do where the image lacks what the check needs; else nothing is known."""
        if "executable file not found" in self.last_line:
            return "The image lacks that program: add it, or set `check-command` to one that it has."
        if "can't open file" in self.last_line:
            return "The image lacks the check script: copy it in, or set `check-path`."
        return ""

    @property
    def lacked_python(self) -> bool:
        """Whether nothing ran, since the image has no `python3`."""
        return self.status in {126, 127} and NO_PYTHON in self.last_line


def run_staging_check(
    engine: Engine,
    container: Container,
    command: Sequence[str],
    variables: Mapping[str, str],
    timeout: float,
    line: Line,
) -> CheckRun:
    """Runs the command in the container with `variables` in its environment; `line` gets its output as it comes.

    The check never outlives us: see LEASH, and `orphan` for an image that has no `python3`. Raises EngineError where
    it was the Engine that went.
    """
    docker = shutil.which("docker", path=engine.env.get("PATH")) or "docker"
    settings = [part for name, value in variables.items() for part in ("--env", f"{name}={value}")]
    argv = [docker, "exec", "--interactive", *settings, container.id]
    is_python = command[0] == "python3"

    def unless_fruitless(text: str) -> None:
        if is_python or NO_PYTHON not in text:
            line(text)

    run = _run([*argv, "python3", "-I", "-c", LEASH, *command], engine.env, timeout, unless_fruitless)
    if not is_python and run.lacked_python:
        with no_orphan(engine, container):
            run = _run([*argv, *command], engine.env, timeout, line)
    if run.status != 0:
        insist_reachable(engine, "running the staging check")
    return run


def _run(argv: Sequence[str], env: Mapping[str, str], timeout: float, line: Line) -> CheckRun:
    last_line = ""

    def keep(text: str) -> None:
        nonlocal last_line
        last_line = text.strip() or last_line
        line(text)

    return CheckRun(status=stream(argv, env, keep, timeout=timeout), last_line=last_line)
