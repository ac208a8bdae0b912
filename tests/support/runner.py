"""Runs the command line as a runner runs a step: a child process with a workspace and file commands of its own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from docker.models.containers import Container

from tests.support.applications import Application
from tests.support.engines import ROOT, Sandbox, pause

T = TypeVar("T")
ANY_SECONDS = 60
"""For what only must happen at all; a test that fails waits this long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A run that ended: its exit status, what it printed, and what it wrote to GITHUB_OUTPUT and the step summary."""

    status: int
    log: str
    written: str
    summary: str

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs as a runner reads them: the last line of each name wins."""
        return dict(line.split("=", 1) for line in self.written.splitlines())

    @property
    def decision(self) -> tuple[str | None, str | None, int]:
        """The gate, the verdict and the exit status."""
        return self.outputs.get("gate"), self.outputs.get("verdict"), self.status

    @property
    def reason(self) -> str:
        return self.outputs["reason"]

    @property
    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(Path(self.outputs["report-path"]).read_text())
        return report

    def checks(self) -> dict[str, str]:
        """How each check of the report ended, by its name."""
        return {check["name"]: check["result"] for check in self.report["checks"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A run that goes on; `end` waits for it."""

    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def wait_for(self, text: str) -> None:
        """Waits until the log holds `text`; a run that ends before fails the test."""
        eventually(lambda: text in self.log or self.process.poll() is not None, f"{text!r} in the log")
        assert text in self.log, f"the run ended without {text!r}:\n{self.log}"

    def wait_for_child(self, *words: str) -> int:
        """Waits for a child process whose command line holds all `words`, and returns its process id."""
        return eventually(lambda: self._child(words), f"a child process with {words}: {self.log}")

    def _child(self, words: tuple[str, ...]) -> int | None:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return next((int(pid) for pid in children if all(word in command_of(int(pid)) for word in words)), None)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Within the block the run's own process stands still; its children go on."""
        self.process.send_signal(signal.SIGSTOP)
        yield
        self.process.send_signal(signal.SIGCONT)

    def end(self, seconds: float = ANY_SECONDS) -> Ended:
        status = self.process.wait(seconds)
        ended = Ended(status=status, log=self.log, written=self._read("output"), summary=self._read("summary"))
        assert "Traceback" not in ended.log, ended.log
        return ended

    def _read(self, name: str) -> str:
        file = self.folder / name
        return file.read_text() if file.is_file() else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Where an application's runs take place; `folder` holds what belongs to the runner, outside the workspace.

    `wrapper` is a command that becomes the run's process after it has changed what the run finds.
    """

    sandbox: Sandbox
    app: Application
    folder: Path
    wrapper: tuple[str, ...] = ()

    def start(self, *words: str, **variables: str) -> Running:
        """Starts `freshness WORDS` with the application's settings, and `variables` on top of them."""
        folder = self.folder / str(time.monotonic_ns())
        (folder / "temp").mkdir(parents=True)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*self.wrapper, sys.executable, "-I", str(ROOT / "src"), *words],
                cwd=self.app.repo.path,
                env={**os.environ, **self._environment(folder), **self.app.settings, **variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return Running(process=process, folder=folder)

    def _environment(self, folder: Path) -> Mapping[str, str]:
        return {
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
            "GITHUB_WORKSPACE": str(self.app.repo.path),
            "GITHUB_REPOSITORY": "org/app",
            "RUNNER_TEMP": str(folder / "temp"),
        }

    def start_gate(self, **variables: str) -> Running:
        """Starts a gate of the commit that is checked out, if `variables` say nothing else."""
        if "GIT_SHA" not in variables:
            variables["GIT_SHA"] = self.app.repo.head()
        return self.start("gate", **variables)

    def gate(self, **variables: str) -> Ended:
        """A gate of the commit that is checked out, from its start to its end."""
        return self.start_gate(**variables).end()

    def containers(self, service: str) -> list[Container]:
        labels = [f"com.docker.compose.project={self.app.project}", f"com.docker.compose.service={service}"]
        return self.sandbox.docker.containers.list(all=True, filters={"label": labels}, ignore_removed=True)

    def staging(self) -> Container:
        """Staging's one container as it is now."""
        (container,) = self.containers(self.app.staging)
        container.reload()
        return container

    def in_staging(self, *words: str) -> str:
        """What the command prints in staging's container."""
        return self.sandbox.cli("exec", str(self.staging().id), *words)

    def processes(self) -> int:
        """How many processes run in staging's container."""
        return len(self.staging().top()["Processes"])

    def built(self, commit: str | None = None) -> str | None:
        """The ID of the image that was built from the commit (the one that is checked out), or None."""
        return self.sandbox.image_id(f"{self.app.staging_image}:{commit or self.app.repo.head()}")

    def compose(self, *words: str) -> None:
        """What anybody may do on the Docker host with the application's Compose file."""
        file = self.app.repo.path / self.app.settings.get("COMPOSE_FILE", "compose.yaml")
        self.sandbox.cli("compose", "--file", str(file), *words)


def identity(container: Container) -> tuple[str | None, str]:
    """What changes when a container is replaced or restarted."""
    container.reload()
    return container.id, container.attrs["State"]["StartedAt"]


def command_of(process: int) -> str:
    """The command line of a process; empty where it is gone or dead."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def eventually(look: Callable[[], T | None], what: str, *, seconds: float = ANY_SECONDS) -> T:
    """What `look` returns as soon as it is something; fails the test where that never happens."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        pause()
    raise AssertionError(f"not within {seconds} s: {what}")


def pull_request(path: Path, head: str, *, repository: str = "org/app") -> dict[str, str]:
    """The variables of a pull request event from `repository`, whose payload is written to `path`."""
    side = {"sha": head, "ref": "feature", "repo": {"full_name": repository, "id": len(repository)}}
    base = {"full_name": "org/app", "id": len("org/app")}
    pull = {"number": 7, "state": "open", "merged": False, "head": side, "base": {"ref": "main", "repo": base}}
    path.write_text(json.dumps({"action": "opened", "number": 7, "pull_request": pull, "repository": base}))
    return {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(path), "GIT_SHA": ""}
