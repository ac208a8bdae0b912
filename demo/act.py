"""Runs a workflow through act, offline, with a home of its own, and reads what act itself recorded of it."""

import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.command import DemoError
from demo.places import ACTION, HOME, LOGS, PROJECT, REPOSITORY, ROOT
from demo.screen import screen

DEPLOY = PROJECT / ".gitea/workflows/deploy.yml"
_SECONDS = 900  # the first run of all installs packages, twice
# What a run may know of the user's shell: how to reach Docker, packages and programs, and nothing that sets anything.
_KEPT = {
    "PATH",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "USER",
    "LOGNAME",
    "XDG_RUNTIME_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
}
_KEPT_FAMILIES = ("DOCKER_", "BUILDX_", "PIP_", "SSL_CERT_")


@dataclass(slots=True, kw_only=True)
class ActRun:
    """One run, by job: the outputs that its steps leave for others, its result, and the status of the step that failed.

    A skipped job is in none of them. What a step prints is not looked at.
    """

    log: Path
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)
    exit_statuses: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def output(self, job: str, name: str) -> str:
        return self.outputs.get(job, {}).get(name, "")

    def take(self, record: Mapping[str, Any]) -> None:
        """Keeps what act says of the job and of its own steps. The steps inside a composite action have two ids."""
        job = record.get("jobID", "")
        if "jobResult" in record:
            self.results[job] = record["jobResult"]
        if record.get("raw_output") or len(record.get("stepID", ())) != 1:
            return
        if record.get("command") == "set-output":
            self.outputs.setdefault(job, {})[record["name"]] = record["arg"]
        if ended := re.fullmatch(r"exit status (\d+)", record.get("msg", "")):
            self.exit_statuses[job] = int(ended[1])


def run_workflow(
    log: str,
    event: str,
    *arguments: str,
    workflow: Path = DEPLOY,
    checkout: Path = PROJECT,
    once_gated: Callable[[], None] | None = None,
) -> ActRun:
    """Runs the workflow on the checkout. `once_gated` is called between its jobs, while act stands still."""
    started = time.monotonic()
    run = ActRun(log=LOGS / f"{log}.log")
    LOGS.mkdir(parents=True, exist_ok=True)
    words = (event, "--workflows", str(workflow), *arguments)
    with (
        run.log.open("w", encoding="utf-8") as file,
        _act(checkout, *words) as process,
        screen().working(f"act runs {workflow.name}"),
    ):
        for record in _records(process):
            file.write(_line(record))
            run.take(record)
            screen().follow(record)
            if once_gated and run.results.get("gate") == "success":
                _stand_still(process, once_gated)
                once_gated = None
    run.seconds = time.monotonic() - started
    return run


@contextmanager
def _act(checkout: Path, event: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [str(ROOT / ".venv/bin/act"), event, "--json", *_OFFLINE, *arguments]
    try:
        process = subprocess.Popen(
            command, cwd=checkout, env=_environment(os.environ), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except OSError as error:
        raise DemoError(f"act cannot be run: {error}. Run `make setup` again.") from error
    watch = threading.Timer(_SECONDS, process.terminate)
    watch.start()
    try:
        with process:
            yield process
    finally:
        watch.cancel()


_OFFLINE: Sequence[str] = (
    *("--platform", "deploy-host=-self-hosted"),
    *("--local-repository", f"{REPOSITORY}@v1={ACTION}"),
    *("--action-offline-mode", "--pull=false", "--no-cache-server"),
)


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    """A home of act's own, and Docker's and pip's configuration from where the user's home has them."""
    home = Path(env.get("HOME", "/"))
    kept = {
        name: value
        for name, value in env.items()
        if name in _KEPT or name.startswith(_KEPT_FAMILIES) or name.lower().endswith("_proxy")
    }
    kept.setdefault("DOCKER_CONFIG", str(home / ".docker"))
    for pip in (home / ".config/pip/pip.conf", home / ".pip/pip.conf"):
        if pip.is_file():
            kept.setdefault("PIP_CONFIG_FILE", str(pip))
    return {**kept, "HOME": str(HOME), "XDG_CACHE_HOME": str(HOME / "cache"), "XDG_CONFIG_HOME": str(HOME / "config")}


def _records(process: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    """The log of act, record by record; a line that is none is one that only has a message."""
    for line in process.stdout or ():
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        yield record if isinstance(record, dict) else {"msg": line.decode(errors="replace")}


def _line(record: Mapping[str, Any]) -> str:
    job, message = record.get("job", ""), str(record.get("msg", "")).rstrip()
    return f"[{job}] {message}\n" if job else f"{message}\n"


def _stand_still(process: subprocess.Popen[bytes], call: Callable[[], None]) -> None:
    process.send_signal(signal.SIGSTOP)
    try:
        call()
    finally:
        process.send_signal(signal.SIGCONT)
