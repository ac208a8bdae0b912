"""Runs a workflow through act, offline, with a home of its own, and reads what act itself recorded of it."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.command import DemoError
from demo.places import ACTION, HOME, LOGS, PROJECT, REPOSITORY, ROOT

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
    """One run. `outputs` and `results` are by job: what a job that needs it sees; a skipped job is in neither."""

    log: Path
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)
    status: int = 0

    def output(self, job: str, name: str) -> str:
        return self.outputs.get(job, {}).get(name, "")

    def take(self, record: Mapping[str, Any]) -> None:
        """Keeps what the record says of outputs and results.

        The outputs of a job's own steps, not of the steps inside a composite action: those have two ids.
        """
        job = record.get("jobID", "")
        if record.get("command") == "set-output" and len(record.get("stepID", ())) == 1:
            self.outputs.setdefault(job, {})[record["name"]] = record["arg"]
        if "jobResult" in record:
            self.results[job] = record["jobResult"]


def run_workflow(
    log: str, event: str, *arguments: str, workflow: Path = DEPLOY, once_gated: Callable[[], None] | None = None
) -> ActRun:
    """Runs the workflow on the project's checkout. `once_gated` is called between its two jobs, while act stands still."""
    run = ActRun(log=LOGS / f"{log}.log")
    LOGS.mkdir(parents=True, exist_ok=True)
    with run.log.open("w", encoding="utf-8") as file, _act(event, "--workflows", str(workflow), *arguments) as process:
        for record in _records(process):
            file.write(_line(record))
            run.take(record)
            if once_gated and run.results.get("gate") == "success":
                _stand_still(process, once_gated)
                once_gated = None
        run.status = process.wait()
    return run


@contextmanager
def _act(event: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [str(ROOT / ".venv/bin/act"), event, "--json", *_OFFLINE, *arguments]
    try:
        process = subprocess.Popen(
            command, cwd=PROJECT, env=_environment(os.environ), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
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
    """act's own home, and Docker's and pip's configuration from where the user's home has them."""
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
    """act's log, record by record; a line that is none is one that only has a message."""
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
