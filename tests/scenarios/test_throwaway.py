"""A gate for who has only production: in a project of its own, from production's Compose file, and thrown away."""

import json
import signal
from pathlib import Path

import pytest

from freshness.core.lock import LOCK_LABEL
from freshness.core.throwaway import LABEL
from tests.support.applications import FILE_SERVER, Application
from tests.support.engines import BASE_IMAGE, Sandbox, free_port
from tests.support.runner import Runner, eventually, identity

DOCKERFILE = FILE_SERVER.replace(
    'CMD ["python3", "-m", "http.server", "8000"]',
    'CMD ["sh", "-c", "python3 ask.py && exec python3 -m http.server 8000"]',
)
ASK = 'import urllib.request; urllib.request.urlopen("http://shop-db:9000/migrated")'
COMPOSE = """\
name: {project}
services:
  web:
    image: {project}-web
    build: .
    container_name: {project}-web
    restart: always
    labels: {{traefik.enable: "true"}}
    environment: {{DATABASE_URL: "postgres://u:p@shop-db:9000/shop", VIRTUAL_HOST: shop.example}}
    ports: ["127.0.0.1:{port}:8000"]
    volumes: ["data:/data", "{folder}/uploads:/uploads"]
    networks: [default, proxy]
    depends_on: {{db: {{condition: service_healthy}}}}
  migrate:
    build: .
    profiles: [jobs]
    environment: {{DATA: /db}}
    command: ["sh", "-c", "cd $$DATA && test -z \\"$$(ls -A)\\" && echo yes > migrated"]
    volumes: ["db:/db"]
    depends_on: {{db: {{condition: service_healthy}}}}
  db:
    image: {base}
    container_name: shop-db-{project}
    networks: {{default: {{aliases: [shop-db]}}}}
    command: ["python3", "-m", "http.server", "9000", "--directory", "/db"]
    ports: ["127.0.0.1:{db_port}:9000"]
    volumes: ["db:/db"]
    healthcheck:
      test: ["CMD", "python3", "-c", "import socket; socket.create_connection(('localhost', 9000))"]
      interval: 1s
volumes:
  data:
  db: {{name: {project}-database}}
networks:
  proxy: {{external: true, name: {project}-proxy}}
"""


def new_runner(sandbox: Sandbox, folder: Path) -> Runner:
    """A web service with a database of which only production exists, and a migration."""
    app = Application.new(
        folder, sandbox, staging="web", production="web", TARGET_SERVICE="web", THROWAWAY_STAGING="true",
        HEALTH_PATH="/ready", HOLD_TIME="1", CHECK_COMMAND="test -e /app/ready", PROD_SERVICE="web",
    )  # fmt: skip
    app.settings["PROD_PORT"] = str(app.production_port)
    compose = COMPOSE.format(
        project=app.project, port=app.production_port, db_port=free_port(), folder=folder, base=BASE_IMAGE
    )
    files = {"Dockerfile": DOCKERFILE, "compose.yaml": compose, "ready": "yes\n", "ask.py": ASK}
    app.repo.commit({**files, "freshness.toml": "[environments.staging.jobs.migrate]\n"})
    (folder / "uploads").mkdir()
    return Runner(sandbox=sandbox, app=app, folder=folder)


@pytest.fixture
def runner(machine_only: Sandbox, tmp_path: Path) -> Runner:
    return new_runner(machine_only, tmp_path)


@pytest.fixture
def shop(runner: Runner) -> Runner:
    """With its production, on the machine's own Engine."""
    return with_production(runner)


@pytest.fixture
def any_shop(engine: Sandbox, tools: None, tmp_path: Path) -> Runner:
    """With its production, on each Engine and with both sets of Docker's plugins."""
    return with_production(new_runner(engine, tmp_path))


def with_production(runner: Runner) -> Runner:
    """Somebody started it by hand, and its database and uploads hold something."""
    runner.sandbox.cli("network", "create", f"{runner.app.project}-proxy")
    runner.sandbox.cli("build", "--quiet", "--tag", f"{runner.app.project}-web", str(runner.app.repo.path))
    runner.compose("up", "--detach", "db")
    runner.compose("exec", "--no-TTY", "db", "sh", "-c", "echo production > /db/migrated")
    runner.compose("up", "--detach", "web")
    (runner.folder / "uploads/picture").write_text("production's")
    runner.app.repo.commit({"ready": "again\n"})
    return runner


def production(runner: Runner) -> list[object]:
    """All of production that a gate could have changed."""
    (web,), (db,) = runner.containers("web"), runner.containers("db")
    said = runner.sandbox.cli("exec", str(db.id), "sh", "-c", "cat /db/*; ls /db")
    tag = runner.sandbox.image_id(f"{runner.app.project}-web")
    members = runner.sandbox.docker.networks.get(f"{runner.app.project}-proxy").attrs["Containers"]
    return [
        identity(web),
        identity(db),
        said,
        tag,
        list(members),
        [one.name for one in runner.folder.glob("uploads/*")],
    ]


def remains(runner: Runner) -> list[str]:
    """What is left of throwaway projects of this test."""
    api = runner.sandbox.docker.api
    found = [entry["Names"][0] for entry in api.containers(all=True, filters={"label": LABEL}) if entry["Names"]]
    found += [entry["Name"] for entry in api.networks(filters={"label": LABEL})]
    for label in (LABEL, LOCK_LABEL):
        found += [entry["Name"] for entry in api.volumes(filters={"label": label})["Volumes"] or ()]
    return [name for name in found if f"{runner.app.project}-gate-" in name]


def test_who_has_only_production_is_gated_beside_it_and_promotes_that_image(any_shop: Runner) -> None:
    """I6. Fails when `throw_away` keeps a port, name, volume, network or label of production's."""
    shop = any_shop
    before = production(shop)

    ended = shop.gate()

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert production(shop) == before
    assert remains(shop) == []
    assert ended.outputs["image"] == f"{shop.app.project}-web:{shop.app.repo.head()}"
    assert shop.built() == ended.outputs["image-id"]
    notes = " ".join(ended.report["notes"])
    assert "uploads at /uploads, which begins empty here" in notes
    assert "the external network proxy is a new one here" in notes

    settings = {"EXPECTED_REVISION": shop.app.repo.head(), "SOURCE_IMAGE": ended.outputs["image-id"]}
    promoted = shop.start("promote", TARGET_SERVICE="none", **settings).end()

    assert promoted.outputs["outcome"] == "promoted", promoted.log
    (web,) = shop.containers("web")
    assert web.attrs["Image"] == ended.outputs["image-id"]


def test_what_does_not_get_healthy_is_shown_and_removed_too(shop: Runner) -> None:
    """Fails when `open_project` removes only what went well, or its container's log is lost with it."""
    before = production(shop)
    shop.app.repo.commit({"ready": "x", "Dockerfile": DOCKERFILE.replace("exec python3", "echo it ends here; exit 3")})

    ended = shop.gate()

    assert ended.decision == ("closed", "unhealthy", 1), ended.log
    assert "│ it ends here" in ended.log
    assert production(shop) == before
    assert remains(shop) == []


@pytest.mark.parametrize(("file", "verdict"), [("none", "unhealthy"), ("freshness.toml", "check-failed")])
def test_a_dependency_that_does_not_come_up_closes_the_gate_with_its_log(
    file: str, verdict: str, runner: Runner
) -> None:
    """Fails when `_compose_up` takes what Compose says for an error of the Engine, or `show_needs` is not called."""
    compose = (runner.app.repo.path / "compose.yaml").read_text()
    broken = compose.replace('["python3", "-m", "http.server", "9000"', '["sh", "-c", "echo no database; exit 1"')
    runner.app.repo.commit({"compose.yaml": broken})

    ended = runner.gate(SETTINGS_FILE=file)

    assert ended.decision == ("closed", verdict, 1), ended.log
    assert "│ no database" in ended.log
    assert remains(runner) == []


def test_a_killed_gate_leaves_nothing_after_the_next_one(runner: Runner) -> None:
    """Fails when `remove_leftovers` finds no dead run, or takes a living one for dead."""
    killed = runner.start_gate(CHECK_COMMAND="sleep 600")
    killed.wait_for("✓ health")
    beside = runner.gate()
    assert beside.decision == ("open", "fresh", 0), beside.log
    assert killed.process.poll() is None
    killed.process.send_signal(signal.SIGKILL)
    killed.end()
    assert remains(runner) != []

    ended = runner.gate()

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert remains(runner) == []


def test_an_interrupted_gate_removes_its_project_itself(runner: Runner) -> None:
    """Fails when the project is removed by what an interrupt does not reach."""
    running = runner.start_gate()
    running.wait_for_child("compose", "up")
    running.process.send_signal(signal.SIGTERM)

    ended = running.end()

    assert ended.decision == ("closed", "error", 143), ended.log
    eventually(lambda: not remains(runner), "nothing of the project")


def of_web(**changes: object) -> dict[str, object]:
    return {"web": changes}


REFUSED = {
    "a socket": (of_web(volumes=["/var/run/docker.sock:/var/run/docker.sock:ro"]), "mounts /var/run/docker.sock"),
    "the host's processes": ({"db": {"pid": "host"}}, "`pid: host`"),
    "a database elsewhere": (of_web(environment={"DATABASE_URL": "mysql://db.example/shop"}), "leads to db.example"),
    "another container's volumes": ({"db": {"volumes_from": ["container:other"]}}, "`volumes_from:`"),
    "all of the host": ({"db": {"privileged": True}}, "`privileged:`"),
    "a need that nobody builds": ({"db": {"build": "."}}, "is needed and has a `build:`, but is not named"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_reaches_beyond_the_project_is_refused_by_name(case: str, runner: Runner) -> None:
    """I6. Fails when `find_throwaway_problems` is not asked before anything is built."""
    changes, said = REFUSED[case]
    runner.app.repo.commit({"compose.override.yaml": json.dumps({"services": changes})})

    ended = runner.gate()

    assert ended.decision == ("closed", "error", 2), ended.log
    assert said in ended.reason
    assert runner.built() is None
    assert remains(runner) == []


def test_a_dry_run_names_the_project_and_makes_nothing(runner: Runner) -> None:
    """Fails when `Plan._steps` leaves out what is made or removed."""
    ended = runner.start("gate", "--dry-run", GIT_SHA=runner.app.repo.head()).end()

    assert ended.status == 0, ended.log
    assert "for this run alone, with empty volumes, with what they depend on: db" in ended.log
    assert "with all that belongs to it" in ended.log
    assert remains(runner) == []
