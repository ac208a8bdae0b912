"""A job before the switch: run once by image ID, never twice at a time, and judged by what the Engine says."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from freshness.core.job import JOB_LABEL, Job, JobResult
from freshness.engine.client import connect
from freshness.engine.compose_file import NO_ENV_FILE, ComposeFile
from freshness.engine.job import run_job
from freshness.engine.lock import Lease
from freshness.engine.lock_owner import new_lock
from freshness.errors import Stale
from tests.support.engines import BASE_IMAGE, Sandbox

SAYS = "import sys; print('to stdout', flush=True); print('to stderr', file=sys.stderr); raise SystemExit(STATUS)"
SLEEPS = "import time; print('under way', flush=True); time.sleep(600)"


@contextmanager
def leased(sandbox: Sandbox) -> Iterator[Lease]:
    engine = connect(os.environ, 10)
    lock = new_lock(
        engine, sandbox.name, command="freshness gate", revision=None, seconds=120, env={}, say=lambda _: None
    )
    try:
        with lock.take(1) as lease:
            yield lease
    finally:
        engine.client.close()


def run(sandbox: Sandbox, folder: Path, program: str, timeout: float = 60) -> tuple[JobResult, list[str], str]:
    """The job, with the tag in the Compose file on an image that is none of ours: the result, output and token."""
    file = write(sandbox, folder, program)
    lines: list[str] = []
    with leased(sandbox) as lease:
        image = sandbox.image_id(BASE_IMAGE)
        assert image is not None
        job = Job(project=sandbox.name, service="migrate", image_id=image, timeout=timeout)
        return run_job(lease, file, job, lines.append), lines, lease.owner.token


def write(sandbox: Sandbox, folder: Path, program: str) -> ComposeFile:
    path = folder / "compose.yaml"
    path.write_text(
        f"services:\n  migrate:\n    image: {sandbox.name}-gone\n    pull_policy: always\n    restart: always\n"
        f'    init: true\n    stop_grace_period: 1s\n    command: ["python3", "-c", "{program}"]\n'
        "    depends_on: [db]\n  db: {image: gone}\n"
    )
    return ComposeFile(
        paths=(path,), folder=folder, env_files=(NO_ENV_FILE,), project=sandbox.name, variables={}, only_inputs=True
    )


def left(sandbox: Sandbox) -> list[str]:
    label = f"com.docker.compose.project={sandbox.name}"
    return sandbox.cli("ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={label}").split()


@pytest.mark.parametrize("status", [0, 3])
def test_the_engine_says_how_it_ended_and_its_output_is_shown(
    status: int, machine_only: Sandbox, tmp_path: Path
) -> None:
    """Fails when the status of `compose run` is taken: it is 0 for each job that could be started."""
    result, lines, _ = run(machine_only, tmp_path, SAYS.replace("STATUS", str(status)))

    assert (result.status, result.ok) == (status, status == 0)
    assert sorted(lines) == ["to stderr", "to stdout"]
    assert left(machine_only) == []


def test_what_does_not_end_in_time_is_stopped_and_is_a_failure(machine_only: Sandbox, tmp_path: Path) -> None:
    """Fails when `_follow` waits for ever, or takes the status of a job that it stopped itself."""
    result, lines, _ = run(machine_only, tmp_path, SLEEPS, timeout=1)

    assert (result.ok, result.got) == (False, "it did not end within 1 s, and was stopped")
    assert lines == ["under way"]
    assert left(machine_only) == []


def test_a_program_that_is_missing_is_a_failure(machine_only: Sandbox, tmp_path: Path) -> None:
    write(machine_only, tmp_path, "")
    result, _, _ = run(machine_only, tmp_path, '"], "entrypoint": ["/no/such/program')

    assert not result.ok
    assert left(machine_only) == []


def start_by_hand(sandbox: Sandbox, file: ComposeFile, *words: str) -> str:
    """The ID of the container that `docker compose run` starts."""
    sandbox.cli("tag", BASE_IMAGE, f"{sandbox.name}-gone")
    path = file.paths[0]
    path.write_text(path.read_text().replace("pull_policy: always", "pull_policy: never"))
    done = sandbox.run([*file.command(os.environ, sandbox.name), "run", "--detach", "--no-deps", *words, "migrate"])
    (container,) = left(sandbox)
    assert done.returncode == 0
    return container


def test_a_job_that_a_killed_run_left_is_waited_for_and_never_doubled(machine_only: Sandbox, tmp_path: Path) -> None:
    """Fails when `_clear_earlier` does not look, or starts the second one beside the first."""
    file = write(machine_only, tmp_path, "import time; time.sleep(4); print('first')")
    start_by_hand(machine_only, file, "--label", f"{JOB_LABEL}=of-a-dead-run")

    result, lines, _ = run(machine_only, tmp_path, "print('second')")

    assert result.ok
    assert "An earlier run left" in lines[0]
    assert lines[1:] == ["first", "second"]
    assert left(machine_only) == []


def test_a_job_that_a_person_started_is_left_alone_and_refused(machine_only: Sandbox, tmp_path: Path) -> None:
    """Fails when `_clear_earlier` stops or removes what bears no token, or runs beside it."""
    theirs = start_by_hand(machine_only, write(machine_only, tmp_path, SLEEPS))

    with pytest.raises(Stale, match="runs already"):
        run(machine_only, tmp_path, SAYS.replace("STATUS", "0"))

    assert left(machine_only) == [theirs]
    machine_only.cli("rm", "--force", theirs)
