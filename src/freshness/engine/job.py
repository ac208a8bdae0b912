"""Runs a Compose service once, by its image's ID, and asks the Engine how it ended: no child's word is taken for that.

What it did cannot be undone. Its container stays until its status was read, and never do two run at a time.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import docker
from msgspec import Struct

from freshness.core.job import JOB_LABEL, Job, JobResult
from freshness.core.lines import excerpt
from freshness.engine.client import Engine, engine_call
from freshness.engine.compose import Source, finish_compose
from freshness.engine.compose_config import last_line
from freshness.engine.containers import ONE_OFF_LABEL, PROJECT_LABEL, SERVICE_LABEL
from freshness.engine.lock import Lease
from freshness.errors import Stale
from freshness.process.private_folder import private_folder

PAUSE_SECONDS = 0.25
_ENDED = frozenset({"exited", "dead"})
_UNDER_WAY = frozenset({"running", "paused", "restarting"})
Line = Callable[[str], object]
Found = Mapping[str, Any]


def run_job(
    lease: Lease, source: Source, job: Job, line: Line, *, with_needs: bool = False, elsewhere: Sequence[Lease] = ()
) -> JobResult:
    """Waits for an earlier one, starts it, shows its output line by line, and waits for its end.

    `with_needs`: Compose starts what it depends on before. `elsewhere` are its leases on the run's other Docker hosts,
    where an earlier run may have started it. Raises Stale where somebody else's runs, LockLost, EngineError.
    """
    engine = lease.engine
    for one in (lease, *elsewhere):
        _clear_earlier(one, job, line)
    said = _start(lease, source, job, with_needs=with_needs)
    found = _containers(engine, job, f"{JOB_LABEL}={lease.owner.token}")
    if len(found) != 1:
        return JobResult(status=None, why=f"Compose did not start it: {said}")
    with excerpt(line) as shown:
        result = _follow(engine, found[0]["Id"], job.timeout, shown)
    _remove(engine, found[0]["Id"])
    return result


def _start(lease: Lease, source: Source, job: Job, *, with_needs: bool) -> str:
    """Lets Compose start it, and returns what it said last; whether it did, the Engine says."""
    lease.require()
    service = {"image": job.image_id, "pull_policy": "never"}
    with private_folder(lease.engine.env) as folder:
        override = Path(folder, "job.json")
        override.write_text(json.dumps({"services": {job.service: service}}), encoding="utf-8")
        argv = [*source.command(lease.engine.env, job.project), "--file", str(override), "--ansi", "never", "run"]
        argv += ["--detach", *([] if with_needs else ["--no-deps"]), "--no-TTY"]
        argv += ["--label", f"{JOB_LABEL}={lease.owner.token}", job.service]
        return last_line(finish_compose(lease, source, argv)[1])


def _clear_earlier(lease: Lease, job: Job, line: Line) -> None:
    """Never two: what a run left that was cut is waited for, and stopped when its time is over."""
    engine = lease.engine
    on = "" if engine.is_local else f" on {engine.endpoint}"
    for entry in _containers(engine, job):
        name, is_ours = entry["Names"][0].removeprefix("/"), JOB_LABEL in (entry.get("Labels") or {})
        if entry.get("State") in _UNDER_WAY and not is_ours:
            raise Stale(
                f"the job {job.service} runs already{on}, in the container {name}, which no run of this tool started.",
                f"Wait for its end, or stop it there: `docker stop {name}`.",
            )
        if entry.get("State") in _UNDER_WAY:
            line(f"An earlier run left {name} running{on}: waiting for its end, up to {job.timeout:g} s.")
            _follow(engine, entry["Id"], job.timeout, line)
        if is_ours:
            lease.require()
            _remove(engine, entry["Id"])


def _containers(engine: Engine, job: Job, *labels: str) -> list[dict[str, Any]]:
    """The one-off containers of the service, running or not."""
    of_job = [f"{PROJECT_LABEL}={job.project}", f"{SERVICE_LABEL}={job.service}", f"{ONE_OFF_LABEL}=True"]
    with engine_call(f"listing the containers of the job {job.service}"):
        listed: list[dict[str, Any]] = engine.client.api.containers(all=True, filters={"label": [*of_job, *labels]})
    return listed


def _follow(engine: Engine, container: str, seconds: float, line: Line) -> JobResult:
    """Shows what it says until its end, or until the time is over: then it is stopped."""
    deadline, output = time.monotonic() + seconds, _Output(engine=engine, container=container, line=line)
    while True:
        found = _inspect(engine, container)
        output.show()
        if found is None:
            return JobResult(status=None, why="its container is gone: something removed it")
        if found["State"]["Status"] in _ENDED:
            return _ended(found)
        if time.monotonic() > deadline:
            return _stop(engine, container, seconds)
        time.sleep(PAUSE_SECONDS)


def _ended(found: Found) -> JobResult:
    state = found["State"]
    why = "its memory ran out" if state.get("OOMKilled") else str(state.get("Error") or "")
    return JobResult(status=state["ExitCode"], why=why)


def _stop(engine: Engine, container: str, seconds: float) -> JobResult:
    with engine_call("stopping the job"), suppress(docker.errors.NotFound):
        engine.client.api.stop(container)
    return JobResult(status=None, why=f"it did not end within {seconds:g} s, and was stopped")


def _inspect(engine: Engine, container: str) -> Found | None:
    with engine_call("looking at the job"):
        try:
            found: Found = engine.client.api.inspect_container(container)
        except docker.errors.NotFound:
            return None
    return found


class _Output(Struct, kw_only=True):
    """What a container says, read again and again. `recent` are the lines of the last second that were shown."""

    engine: Engine
    container: str
    line: Line
    since: int = 1
    recent: frozenset[str] = frozenset()

    def show(self) -> None:
        """Shows what came since: the Engine's clock has seconds here, so the last one's lines come again."""
        with engine_call("reading the job's output"):
            try:
                text = self.engine.client.api.logs(self.container, timestamps=True, since=self.since)
            except docker.errors.APIError:  # it is gone, or its log driver keeps nothing
                return
        lines = text.decode(errors="replace").splitlines()
        for each in lines:
            if each not in self.recent:
                self.line(each.partition(" ")[2])
        if lines:
            self.since, self.recent = _seconds(lines[-1]), frozenset(lines)


def _seconds(line: str) -> int:
    return int(datetime.fromisoformat(f"{line[:19]}+00:00").timestamp()) - 1


def _remove(engine: Engine, container: str) -> None:
    with engine_call("removing the job's container"), suppress(docker.errors.NotFound):
        engine.client.api.remove_container(container, v=True, force=True)
