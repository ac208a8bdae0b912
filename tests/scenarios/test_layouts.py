"""Compose files as people have them, each gated with nothing but settings: docs/layouts.md names these."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.support.applications import FILE_SERVER, Application
from tests.support.engines import BASE_IMAGE, Sandbox, free_port, pause
from tests.support.proxy import build_proxy, documented_configuration, why_no_proxy
from tests.support.runner import Runner

DATABASE = f"""\
    image: {BASE_IMAGE}
    command: [python3, -m, http.server, "5432"]
    healthcheck:
      test: [CMD, python3, -c, "import socket; socket.create_connection(('localhost', 5432))"]
      interval: 1s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The files of a commit, what the host has beside it, and the settings. `running` need no more than to run."""

    files: dict[str, str]
    services: str
    outside: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    running: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()


LAYOUTS = {
    "anchors": Layout(
        services="web worker beat",
        running=("worker", "beat"),
        files={
            "compose.yaml": """
x-app: &app
  build: .
  restart: always
  environment: &env {REDIS_URL: "redis://redis:5432/0", MODE: prod}
  depends_on: [redis]
services:
  web: {<<: *app, ports: ["@PORT@:8000"]}
  worker: {<<: *app, command: sleep 600}
  beat: {<<: *app, command: sleep 600, environment: {<<: *env, ROLE: beat}}
  redis:
"""
            + DATABASE
        },
    ),
    "include, extends and profiles": Layout(
        services="web api",
        files={
            "compose.yaml": """
include: [infra/db.yaml]
services:
  web: {extends: {file: common.yml, service: base}, ports: ["@PORT@:8000"]}
  api: {extends: {file: common.yml, service: base}, expose: ["8000"], healthcheck: {test: "true", interval: 1s}}
  tools: {build: ., profiles: [tools], command: python3 -V}
""",
            "common.yml": """
services:
  base:
    build: {context: ., args: {MODE: prod}}
    env_file: [defaults.env]
    depends_on: {db: {condition: service_healthy}}
""",
            "defaults.env": "A=1\n",
            "infra/db.yaml": f"services:\n  db:\n{DATABASE}    volumes: ['db:/data']\nvolumes: {{db: {{}}}}\n",
        },
    ),
    "several files": Layout(
        services="web",
        settings={"COMPOSE_FILE": "docker-compose.yml:docker-compose.prod.yml"},
        files={
            "docker-compose.yml": 'services:\n  web: {build: ., ports: ["@PORT@:8000"], volumes: [".:/app"]}\n',
            "docker-compose.prod.yml": "services:\n  web: {volumes: !override [], restart: always, scale: 2}\n",
        },
    ),
    "env files and secrets outside": Layout(
        services="web",
        settings={"PROJECT_DIRECTORY": "@OUT@", "COMPOSE_ENV": "TOKEN=abcdefgh"},
        outside={".env": "DOMAIN=shop.example\nSECRET_KEY=abcdefgh\n", "db.txt": "password\n"},
        files={
            "compose.yaml": """
services:
  web:
    build: .
    image: ghcr.io/org/@NAME@:${TAG:-latest}
    env_file: [.env, {path: local.env, required: false}]
    environment: {DOMAIN: "${DOMAIN:?}"}
    secrets: [db, token]
    command: sh -c "test -s /run/secrets/db && test -s /run/secrets/token && exec python3 -m http.server 8000"
    ports: ["${BIND:-127.0.0.1}:@PORT@:8000"]
secrets: {db: {file: ./db.txt}, token: {environment: TOKEN}}
"""
        },
    ),
    "a migration that Compose waits for": Layout(
        services="web",
        jobs=("migrate",),
        files={
            "freshness.toml": "[jobs.migrate]\n",
            "compose.yaml": """
services:
  web:
    build: .
    image: @NAME@-app
    ports: ["@PORT@:8000"]
    environment: {DATABASE_URL: "postgres://u:p@db:5432/shop"}
    depends_on:
      migrate: {condition: service_completed_successfully}
      buckets: {condition: service_completed_successfully}
  migrate: {image: @NAME@-app, command: echo migrated, depends_on: {db: {condition: service_healthy}}}
  buckets: {image: "@BASE@", command: echo made, depends_on: {db: {condition: service_healthy}}}
  db:
"""
            + DATABASE
            + "    volumes: ['./data/db:/var/lib/postgresql/data', './initdb:/docker-entrypoint-initdb.d']\n",
            "initdb/1.sql": "",
        },
    ),
    "hardened": Layout(
        services="web",
        files={
            "compose.yaml": """
services:
  web:
    build: {context: ., cache_from: ["type=gha"], x-bake: {tags: [a]}}
    user: "1000:1000"
    read_only: true
    tmpfs: [/tmp, /run]
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    logging: {driver: syslog, options: {syslog-address: "udp://127.0.0.1:1"}}
    mac_address: 02:42:ac:11:65:43
    networks: {default: {ipv4_address: 172.31.78.5}}
    deploy: {replicas: 2, resources: {limits: {memory: 256M}}, restart_policy: {condition: any}}
    volumes: ["./uploads:/app/uploads", "media:/media"]
    expose: ["8000"]
    labels: [traefik.enable=true]
networks: {default: {ipam: {config: [{subnet: 172.31.78.0/24}]}}}
volumes: {media: {external: true, name: media-of-production}}
""",
            "uploads/.gitkeep": "",
        },
    ),
}


def new_runner(sandbox: Sandbox, folder: Path, layout: Layout) -> Runner:
    """A runner of an application of this layout; the host's files are in `folder/out`."""
    app = Application.new(folder, sandbox, staging=layout.services.split()[0])
    out, port = folder / "out", app.production_port
    words = {"@PORT@": str(port), "@OUT@": str(out), "@NAME@": sandbox.name, "@BASE@": BASE_IMAGE}

    def filled(text: str) -> str:
        for word, value in words.items():
            text = text.replace(word, value)
        return text

    settings = {"TARGET_SERVICE": layout.services, "HEALTH_PATH": "/ready", "HOLD_TIME": "1", "CHECK_COMMAND": "true"}
    settings |= {"THROWAWAY_STAGING": "true", "COMPOSE_PROJECT_NAME": sandbox.name, "PROD_PORT": str(port)}
    app.settings.update(settings, **{name: filled(value) for name, value in layout.settings.items()})
    running = "".join(f'[services.{name}]\nhealth = "running"\n' for name in layout.running)
    files = {"Dockerfile": FILE_SERVER, "ready": "yes\n", "health": "", "freshness.toml": running, **layout.files}
    app.repo.commit({name: filled(text) for name, text in files.items()})
    out.mkdir()
    for name, text in layout.outside.items():
        (out / name).write_text(text)
    return Runner(sandbox=sandbox, app=app, folder=folder)


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_as_people_have_it_is_gated_with_settings_alone(
    name: str, machine_only: Sandbox, tmp_path: Path
) -> None:
    """I3. Fails when a construct of it is refused without need, or a service of it is left on another image."""
    layout = LAYOUTS[name]
    runner = new_runner(machine_only, tmp_path, layout)

    ended = runner.gate()

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert set(json.loads(ended.outputs["images"])) == {*layout.services.split(), *layout.jobs}
    checks = [check["name"] for check in ended.report["checks"]]
    assert checks.count("hold") == len(layout.services.split())


def test_one_file_twice_with_other_variables_changes_staging_alone(machine_only: Sandbox, tmp_path: Path) -> None:
    """I6. Fails when production's project, tag or container is taken for staging's: file and service are the same."""
    compose = """
services:
  web:
    build: .
    image: @NAME@-shop:${STAGE:?}
    container_name: @NAME@-${STAGE}
    environment: {STAGE: "${STAGE}"}
    ports: ["127.0.0.1:${PORT:?}:8000"]
"""
    staging_port = free_port()
    runner = new_runner(machine_only, tmp_path, Layout(services="web", files={"compose.yaml": compose}))
    (tmp_path / "out/staging.env").write_text(f"STAGE=staging\nPORT={staging_port}\n")
    (tmp_path / "out/live.env").write_text(f"STAGE=live\nPORT={runner.app.production_port}\n")
    runner.sandbox.cli("build", "--quiet", "--tag", f"{runner.app.project}-shop:live", str(runner.app.repo.path))
    up = ("up", "--detach", "--no-build")
    runner.compose("--env-file", str(tmp_path / "out/live.env"), "--project-name", f"{runner.app.project}-live", *up)
    before = runner.sandbox.docker.containers.get(f"{runner.app.project}-live").attrs
    runner.app.repo.commit({"ready": "again\n"})

    settings = {"COMPOSE_ENV_FILES": str(tmp_path / "out/staging.env"), "THROWAWAY_STAGING": "false"}
    ended = runner.gate(**settings, COMPOSE_PROJECT_NAME=f"{runner.app.project}-staging")

    assert ended.decision == ("open", "fresh", 0), ended.log
    after = runner.sandbox.docker.containers.get(f"{runner.app.project}-live").attrs
    assert (after["Id"], after["State"]["StartedAt"]) == (before["Id"], before["State"]["StartedAt"])
    assert runner.sandbox.image_id(f"{runner.app.project}-shop:live") == before["Image"] != ended.outputs["image-id"]
    assert machine_only.get(staging_port, "/ready") == (200, "again\n")


@pytest.fixture
def behind_a_proxy(machine_only: Sandbox, tmp_path: Path) -> Runner:
    """A production without a port, which HAProxy finds by its name in a network that others made."""
    if reason := why_no_proxy():
        pytest.skip(reason)
    compose = """
services:
  web: {build: ., image: @NAME@-web, expose: [8000], networks: [edge]}
  proxy: {image: @NAME@-proxy, networks: [edge], ports: ["127.0.0.1:@PORT@:8080"]}
networks: {edge: {external: true, name: @NAME@-edge}}
"""
    runner = new_runner(machine_only, tmp_path, Layout(services="web", files={"compose.yaml": compose}))
    build_proxy(machine_only, tmp_path / "proxy", documented_configuration("web", 8000), f"{runner.app.project}-proxy")
    machine_only.cli("network", "create", f"{runner.app.project}-edge")
    machine_only.cli("build", "--quiet", "--tag", f"{runner.app.project}-web", str(runner.app.repo.path))
    runner.compose("--project-name", runner.app.project, "up", "--detach", "--no-build")
    return runner


@contextmanager
def visitors(runner: Runner) -> Iterator[list[tuple[int, str]]]:
    """What who asks the proxy all the time gets, within the block."""
    seen: list[tuple[int, str]] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            with suppress(OSError, HTTPException):
                seen.append(runner.sandbox.get(runner.app.production_port, "/ready"))
            pause()

    thread = threading.Thread(target=ask)
    thread.start()
    yield seen
    over.set()
    thread.join()


def test_behind_a_proxy_a_throwaway_gate_gets_no_visitor(behind_a_proxy: Runner) -> None:
    """I6. Fails when `throw_away` leaves a service in an external network: the proxy would find it there."""
    runner = behind_a_proxy
    assert runner.sandbox.wait_for(runner.app.production_port, "/ready") == "yes\n"
    runner.app.repo.commit({"ready": "not yet released\n"})

    with visitors(runner) as seen:
        ended = runner.gate(HOLD_TIME="5")

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert set(seen) == {(200, "yes\n")}
