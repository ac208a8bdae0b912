"""An application of several services of one commit: built once, proven together, after its migration."""

import json
import os
from pathlib import Path

import pytest

from freshness.core.deployment import Deployment, Role
from freshness.engine.client import connect
from freshness.engine.deployments import write_deployment
from freshness.engine.lock_owner import new_lock
from tests.support import plugins
from tests.support.applications import FILE_SERVER, Application
from tests.support.engines import BASE_IMAGE, Sandbox, free_port
from tests.support.runner import Ended, Runner

DOCKERFILE = FILE_SERVER.replace("WORKDIR", "ARG NAME=nobody\nENV NAME=$NAME\nWORKDIR")
COMPOSE = """\
name: {project}
services:
  web:
    image: {project}-app
    build: .
    ports: ["127.0.0.1:{port}:8000"]
    depends_on: {{worker: {{condition: service_started}}, migrate: {{condition: service_completed_successfully}}}}
  worker:
    image: {project}-app
    command: ["sh", "-c", "sleep 600"]
  scheduler:
    build: .
    command: ["sh", "-c", "sleep 600"]
  migrate:
    image: {project}-app
    command: ["sh", "-c", "cat migration; exit $$(cat status)"]
    profiles: [jobs]
"""
SETTINGS = """\
[services.worker]
health = "running"
[services.scheduler]
health = "running"
check-command = "grep -q . /app/migration"
[jobs.migrate]
timeout = 60
"""
FILES = {"Dockerfile": DOCKERFILE, "migration": "to 2\n", "status": "0\n", "ready": "yes\n", "freshness.toml": SETTINGS}


def new_runner(sandbox: Sandbox, folder: Path) -> Runner:
    """Web, worker, scheduler and migration of one image."""
    app = Application.new(
        folder, sandbox, staging="web", TARGET_SERVICE="web, worker scheduler", HEALTH_PATH="/ready", HOLD_TIME="1",
        CHECK_COMMAND="grep -q to /app/migration",
    )  # fmt: skip
    compose = COMPOSE.format(project=app.project, port=app.staging_port)
    app.repo.commit({**FILES, "compose.yaml": compose})
    return Runner(sandbox=sandbox, app=app, folder=folder)


@pytest.fixture
def runner(machine_only: Sandbox, tmp_path: Path) -> Runner:
    """On the machine's own Engine."""
    return new_runner(machine_only, tmp_path)


def images(runner: Runner) -> dict[str, str]:
    """The image of each service's one container."""
    found = {}
    for name in ("web", "worker", "scheduler"):
        (container,) = runner.containers(name)
        assert container.status == "running"
        found[name] = str(container.attrs["Image"])
    return found


def one_offs(runner: Runner) -> list[str]:
    return [str(container.name) for container in runner.containers("migrate")]


def test_services_of_one_image_are_built_once_migrated_and_proven_together(runner: Runner) -> None:
    """I3. Fails when one of them is left on its old image, the job runs after the switch, or stays behind."""
    ended = runner.gate()

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert "│ to 2" in ended.log
    proven = json.loads(ended.outputs["images"])
    assert proven == dict.fromkeys(("web", "worker", "scheduler", "migrate"), ended.outputs["image-id"])
    assert images(runner) == {name: proven[name] for name in ("web", "worker", "scheduler")}
    assert one_offs(runner) == []
    assert sum("Proven to be *running*" in note for note in ended.report["notes"]) == len(("worker", "scheduler"))
    names = [check["name"] for check in ended.report["checks"]]
    assert names.count("build") == 1
    assert names.index("job") < names.index("recreation") < names.index("health")
    assert names.count("health") == names.count("hold") == len(proven) - 1
    assert names.count("staging check") == len(("web", "scheduler"))


def build_another(runner: Runner) -> None:
    """The scheduler from a Dockerfile of its own."""
    compose = (runner.app.repo.path / "compose.yaml").read_text()
    compose = compose.replace("build: .\n    command", "build: {context: ., dockerfile: Other}\n    command")
    runner.app.repo.commit({"compose.yaml": compose, "Other": f"{DOCKERFILE}LABEL other=yes\n"})


def test_services_that_do_not_need_each_other_are_recreated_in_one_call(runner: Runner, tmp_path: Path) -> None:
    """Worker and scheduler, and then web, which needs the worker. Breaks when `switch` takes them one by one."""
    build_another(runner)
    record = tmp_path / "children"
    for name in plugins.NAMES:
        plugins.replace(name, f'echo "$*" >> {record}\nexec "$PLUGIN" "$@"')

    ended = runner.gate()

    assert ended.decision == ("open", "fresh", 0), ended.log
    ups = [line.split()[-2:] for line in record.read_text().splitlines() if " up " in line]
    assert ups == [["worker", "scheduler"], ["--detach", "web"]]
    assert [check["name"] for check in ended.report["checks"]].count("build") == len(("Dockerfile", "Other"))


def test_two_builds_of_one_gate_run_at_once(runner: Runner, tmp_path: Path) -> None:
    """Breaks when the second one begins after the first has ended."""
    build_another(runner)
    record = tmp_path / "children"
    plugins.replace("buildx", f'echo begun >> {record}\n"$PLUGIN" "$@" || exit\nsleep 2\necho ended >> {record}')

    ended = runner.gate()

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert record.read_text().split() == ["begun", "begun", "ended", "ended"]


def test_a_migration_that_fails_leaves_every_service_as_it_was(runner: Runner) -> None:
    """Fails when a tag moves or a container is recreated before the last job has ended well."""
    assert runner.gate().status == 0
    before, tag = images(runner), runner.sandbox.image_id(f"{runner.app.project}-app")
    runner.app.repo.commit({"status": "3\n"})

    ended = runner.gate()

    assert ended.decision == ("closed", "check-failed", 1), ended.log
    assert "Job: exit status 3" in ended.reason
    assert images(runner) == before
    assert runner.sandbox.image_id(f"{runner.app.project}-app") == tag
    assert one_offs(runner) == []


def test_a_worker_that_ends_closes_the_gate_for_all(runner: Runner) -> None:
    """I12. Fails when a service that publishes nothing is not looked at."""
    compose = (runner.app.repo.path / "compose.yaml").read_text().replace("sleep 600", "sleep 0.5; exit 7", 1)
    runner.app.repo.commit({"compose.yaml": compose})

    ended = runner.gate()

    assert ended.decision == ("closed", "unhealthy", 1), ended.log
    assert "exit status 7" in ended.reason


@pytest.mark.parametrize("change", ["another argument", "not committed", "included and changed"])
def test_compose_files_that_are_not_the_commits_are_refused(change: str, runner: Runner) -> None:
    """I1. Fails when `require_same_files` is not asked: the image would be built as the work tree says."""
    path = runner.app.repo.path / "compose.yaml"
    if change == "included and changed":
        runner.app.repo.commit(
            {"compose.yaml": f"include: [more.yaml]\n{path.read_text()}", "more.yaml": "services: {}\n"}
        )
        path = runner.app.repo.path / "more.yaml"
        path.write_text("services: {other: {image: x}}\n")
    elif change == "another argument":
        path.write_text(path.read_text().replace("build: .", "build: {context: ., args: {NAME: work-tree}}"))
    else:
        (runner.app.repo.path / "compose.override.yaml").write_text("services: {}\n")
        path = runner.app.repo.path / "compose.override.yaml"

    ended = runner.gate()

    assert ended.decision == ("closed", "refused", 1), ended.log
    assert f"The Compose file {path.name}" in ended.reason
    assert runner.containers("web") == []


def test_services_of_one_image_that_no_file_builds_are_built_by_the_inputs(runner: Runner) -> None:
    """I1. Fails when `_is_one_image` is not asked: as where a registry had the image until now."""
    compose = (runner.app.repo.path / "compose.yaml").read_text().replace("    build: .\n", "")
    scheduler = compose.replace("  scheduler:\n", f"  scheduler:\n    image: {runner.app.project}-app\n")
    dockerfile = {"docker/Dockerfile": DOCKERFILE, "Dockerfile": "FROM scratch\n"}
    runner.app.repo.commit({"compose.yaml": scheduler, **dockerfile})

    ended = runner.gate(DOCKERFILE="docker/Dockerfile")

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert set(json.loads(ended.outputs["images"]).values()) == {ended.outputs["image-id"]}
    assert set(images(runner).values()) == {ended.outputs["image-id"]}


def monorepo(runner: Runner, **of_api: object) -> None:
    """Commits two services of two Dockerfiles; `of_api` is more of the first one's `build:`."""
    repo, port = runner.app.repo, runner.app.staging_port
    arguments = {"NAME": "a$$pi", "VITE_X": "1"}
    api = {"context": "services/api", "dockerfile": "../../docker/api.Dockerfile", "args": arguments, **of_api}
    services = {
        "api": {"build": api, "expose": ["8000"]},
        "web": {"build": {"context": "services/web", "target": "run"}, "ports": [f"127.0.0.1:{port}:8000"]},
    }
    copied = "COPY . .\nCOPY --from=lib . lib" if of_api else "COPY . ."
    repo.commit(
        {
            "compose.yaml": json.dumps({"name": runner.app.project, "services": services}),
            "freshness.toml": '[services.api]\nhealth-path = "/ready"\n',
            "docker/api.Dockerfile": DOCKERFILE.replace("COPY . .", copied),
            "services/web/Dockerfile": DOCKERFILE.replace(f"FROM {BASE_IMAGE}", f"FROM {BASE_IMAGE} AS run")
            + f"FROM {BASE_IMAGE} AS last\n",
            "services/api/ready": "", "services/web/ready": "", "lib/word": "",
        }
    )  # fmt: skip


def test_two_dockerfiles_of_one_repository_are_two_images(runner: Runner) -> None:
    """I1. Fails when one build stands for both, or a context is taken from the work tree; `find_baked` is asked."""
    monorepo(runner)
    (runner.app.repo.path / "services/api/uncommitted").write_text("")

    ended = runner.gate(TARGET_SERVICE="web api", CHECK_COMMAND="test -e ready")

    assert ended.decision == ("open", "fresh", 0), ended.log
    found = json.loads(ended.outputs["images"])
    assert found["web"] == ended.outputs["image-id"] != found["api"]
    (container,) = runner.containers("api")
    said = runner.sandbox.cli("exec", str(container.id), "sh", "-c", "ls; echo $NAME $REVISION")
    assert said.split() == ["ready", "a$pi", runner.app.repo.head()]
    assert any(note.startswith("What is given as VITE_X to the build of api ") for note in ended.report["notes"])
    assert runner.in_staging("sh", "-c", "echo $NAME").strip() == "nobody"


def test_an_additional_context_is_a_folder_of_the_commit_where_the_engine_has_them(
    engine: Sandbox, tmp_path: Path
) -> None:
    """I1. Fails when the folder of the work tree is sent, or an Engine without them ends in BuildKit's own words."""
    runner = new_runner(engine, tmp_path)
    monorepo(runner, additional_contexts={"lib": "lib"})
    (runner.app.repo.path / "lib/uncommitted").write_text("")

    ended = runner.gate(TARGET_SERVICE="web api", CHECK_COMMAND="test -e ready")

    if ended.status:
        assert engine.engine.label == "machine", ended.log
        assert "The Docker Engine builds with no additional contexts" in ended.reason
        return
    (container,) = runner.containers("api")
    assert runner.sandbox.cli("exec", str(container.id), "ls", "lib") == "word"


def refused(runner: Runner, **variables: str) -> Ended:
    ended = runner.gate(**variables)
    assert ended.decision == ("closed", "error", 2) or ended.decision[:2] == ("closed", "refused"), ended.log
    assert runner.containers("web") == []
    return ended


def test_a_service_that_nobody_builds_and_a_missing_job_are_refused_together(runner: Runner) -> None:
    repo = runner.app.repo
    compose = (repo.path / "compose.yaml").read_text() + "  cache: {image: redis}\n"
    repo.commit({"compose.yaml": compose, "freshness.toml": SETTINGS.replace("jobs.migrate", "jobs.migrations")})

    ended = refused(runner, TARGET_SERVICE="web worker cache")

    assert "The Compose file has no service 'migrations'" in ended.log


def test_a_job_that_is_productions_is_refused_before_anything_is_built(runner: Runner) -> None:
    """Fails when `refuse_job` is not asked: staging's migration would work on production's data."""
    engine = connect(os.environ, 10)
    lock = new_lock(engine, runner.app.project, command="", revision=None, seconds=60, env={}, say=lambda _: None)
    with lock.take(1) as lease:
        write_deployment(lease, Deployment(project=runner.app.project, service="migrate", role=Role.PRODUCTION))
    engine.client.close()

    ended = runner.gate()

    assert ended.decision == ("closed", "refused", 1), ended.log
    assert "the job migrate of the project" in ended.reason
    assert "is production's" in ended.reason
    assert runner.sandbox.image_id(f"{runner.app.project}-app:{runner.app.repo.head()}") is None


def test_a_job_of_both_is_refused_where_production_stands_in_the_project(runner: Runner) -> None:
    """Fails when staging's migration is run where production's data is; its remedy leads out."""
    repo, port = runner.app.repo, free_port()
    compose = (repo.path / "compose.yaml").read_text()
    production = f'  shop:\n    image: {runner.app.project}-shop\n    ports: ["127.0.0.1:{port}:8000"]\n'
    repo.commit({"compose.yaml": compose.replace("  migrate:\n", f"{production}  migrate:\n")})

    ended = runner.gate(PROD_PORT=str(port))

    assert ended.decision == ("closed", "error", 2), ended.log
    assert "The job 'migrate' is production's too, and 'shop'" in ended.reason
    own = SETTINGS.replace("[jobs.migrate]", "[environments.staging.jobs.migrate]")
    repo.commit({"freshness.toml": own})
    assert runner.gate(PROD_PORT=str(port)).decision == ("open", "fresh", 0)
