"""`freshness deploy HEAD` of an application that has production alone: gated beside it, migrated, switched together."""

from pathlib import Path

import pytest

from tests.support.applications import FILE_SERVER, Application
from tests.support.engines import Sandbox
from tests.support.runner import Ended, Runner

COMPOSE = """\
name: {project}
services:
  web:
    image: {project}-app
    build: .
    ports: ["127.0.0.1:{port}:8000"]
    depends_on: {{migrate: {{condition: service_completed_successfully}}}}
  worker:
    image: {project}-app
    command: ["sh", "-c", "[ -e breaks ] && exit 7; sleep 600"]
  migrate:
    image: {project}-app
    command: ["cat", "migration"]
    profiles: [jobs]
"""
SETTINGS = """\
[services.web]
health-path = "/migration"
[services.worker]
health = "running"
[jobs.migrate]
timeout = 60
"""


@pytest.fixture
def runner(machine_only: Sandbox, tmp_path: Path) -> Runner:
    """Nothing runs yet; the commit's own file says what its services and jobs are."""
    app = Application.new(
        tmp_path, machine_only, production="web", HOLD_TIME="1", CHECK_COMMAND="true", THROWAWAY_STAGING="true",
        HEALTH_RETRIES="20",
    )  # fmt: skip
    compose = COMPOSE.format(project=app.project, port=app.production_port)
    app.repo.commit(
        {"Dockerfile": FILE_SERVER, "compose.yaml": compose, "freshness.toml": SETTINGS, "migration": "to 1\n"}
    )
    return Runner(sandbox=machine_only, app=app, folder=tmp_path)


def deploy(runner: Runner, *words: str) -> Ended:
    return runner.start("deploy", *words).end(120)


def runs(runner: Runner) -> set[str]:
    found = [one for name in ("web", "worker") for one in runner.containers(name)]
    assert [one.status for one in found] == ["running"] * len(found)
    return {str(one.attrs["Image"]) for one in found}


def test_all_of_it_is_deployed_and_a_worker_that_fails_leaves_production_alone(runner: Runner) -> None:
    """Fails when a service or the job is left out of either half, or `deploy` names the images of one alone."""
    planned = deploy(runner, "HEAD", "--dry-run")
    assert planned.status == 0, planned.log
    first = deploy(runner, "HEAD")

    assert first.status == 0, first.log
    assert (first.outputs["gate"], first.outputs["outcome"]) == ("open", "promoted")
    assert first.log.count("│ to 1") == 2, "the migration of the gate, and production's"
    assert runs(runner) == {first.outputs["image-id"]}

    runner.app.repo.commit({"breaks": "yes", "migration": "to 2\n"})
    closed = deploy(runner, "HEAD")
    assert (closed.status, closed.outputs["gate"]) == (1, "closed"), closed.log
    assert runs(runner) == {first.outputs["image-id"]}

    runner.app.repo.git("rm", "--quiet", "breaks")
    runner.app.repo.commit({"migration": "to 3\n"})
    third = deploy(runner, "HEAD")
    assert third.status == 0, third.log
    assert runs(runner) == {third.outputs["image-id"]}
    back = runner.start("rollback").end(120)
    assert back.status == 0, back.log
    assert runs(runner) == {first.outputs["image-id"]}
