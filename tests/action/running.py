"""A workflow that act runs while the test looks on: its log so far, and the process of the tool inside it."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.action.gating import Job
from tests.support.act import Act, ActRun, read_needs, write_workflow
from tests.support.applications import Application
from tests.support.runner import command_of, eventually


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningAct:
    process: subprocess.Popen[bytes]
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def wait_for(self, text: str) -> None:
        """Waits until the log holds `text`; a run that ends before fails the test."""
        eventually(lambda: text in self.log or self.process.poll() is not None, f"{text!r} in the log")
        assert text in self.log, f"act ended without {text!r}:\n{self.log}"

    def step(self) -> int:
        """The process of the step that gates, which act started itself; it is the tool, not a shell around it."""
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        pids = [int(pid) for file in children for pid in file.read_text().split()]
        (pid,) = [pid for pid in pids if command_of(pid).endswith("/src gate ")]
        return pid

    def send(self, *signals: signal.Signals) -> None:
        """Sends the signals to the step, which ends of them."""
        step = self.step()
        for number in signals:
            os.kill(step, number)
        eventually(lambda: not command_of(step), "the end of the step")

    def end(self, seconds: float = 120) -> ActRun:
        status = self.process.wait(seconds)
        return ActRun(status=status, log=self.log, needs=read_needs(self.log))


@contextlib.contextmanager
def running(act: Act, app: Application, folder: Path, jobs: dict[str, Job]) -> Iterator[RunningAct]:
    """A dispatched workflow under way inside the block; whatever is left of it ends with the block."""
    workflow = write_workflow(folder / "workflow.yml", on="workflow_dispatch", jobs=jobs)
    command = act.command(workflow, event_name="workflow_dispatch", event={}, env={})
    with (folder / "act.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=app.repo.path, env=act.environment(), stdin=subprocess.DEVNULL, stdout=log,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        yield RunningAct(process=process, log_file=folder / "act.log")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)
