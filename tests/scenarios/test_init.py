"""`freshness init`: what it writes for the layouts that people have passes the doctor, and a gate opens on it."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.applications import Application
from tests.support.engines import BASE_IMAGE, Sandbox, free_port
from tests.support.git import Content
from tests.support.output_schema import require_documented
from tests.support.runner import Runner

DOCKERFILE = f"""\
FROM {BASE_IMAGE}
WORKDIR /app
COPY . .
STOPSIGNAL SIGKILL
CMD ["python3", "-m", "http.server", "8000"]
"""
BUILT = "    build: .\n"
WORKER = '    command: ["sleep", "600"]\n'
PAIR = """\
name: {name}
services:
  web:
    image: {name}-web
    build: .
    ports: ["127.0.0.1:{production}:8000"]
  web-staging:
    image: {name}-web-staging
    build: .
    ports: ["127.0.0.1:{staging}:8000"]
  db:
    image: {base}
    command: ["sleep", "600"]
"""
GUIDE = PAIR.replace(BUILT, "")
ALONE = """\
name: {name}
services:
  web:
    image: {name}-web:latest
    build: .
    container_name: {name}-the-web
    ports: ["127.0.0.1:{production}:8000"]
    environment: {{DATABASE_URL: "postgres://db/shop"}}
    volumes: ["./data:/data"]
  db:
    image: {base}
    container_name: {name}-the-db
    command: ["sleep", "600"]
"""
WHOLE = """\
name: {name}{suffix}
services:
  api:
    build: {{context: .}}
    ports: ["127.0.0.1:{port}:8000"]
  web:
    build: {{context: web}}
    ports: ["127.0.0.1:{second}:8000"]
  worker:
    image: {name}{suffix}-api
    command: ["sleep", "600"]
"""
PAIRS = PAIR.replace(
    "  db:",
    """\
  jobs:
    image: {name}-web
    command: ["sleep", "600"]
  jobs-staging:
    image: {name}-web-staging
    command: ["sleep", "600"]
  db:""",
)
BASE = """\
name: {name}
services:
  web:
    build: .
"""
OVER = """\
services:
  web:
    image: {name}-web{suffix}
    ports: ["127.0.0.1:{port}:8000"]
"""


def layouts(name: str, staging: int, production: int) -> dict[str, dict[str, str]]:
    """The Compose files of each layout, by their names."""
    words = {"name": name, "base": BASE_IMAGE, "staging": staging, "production": production}
    here, there = {"port": staging, "second": free_port()}, {"port": production, "second": free_port()}
    return {
        "one file with image and build": {"compose.yaml": PAIR.format(**words)},
        "one file, built by the inputs": {"docker-compose.yml": GUIDE.format(**words)},
        "production alone": {"compose.yaml": ALONE.format(**words)},
        "two files, api, web and a worker without a port": {
            "compose.yaml": WHOLE.format(**words, **there, suffix=""),
            "compose.staging.yaml": WHOLE.format(**words, **here, suffix="-stage"),
        },
        "pairs of services in one file": {"compose.yaml": PAIRS.format(**words)},
        "overrides for both": {
            "docker-compose.yml": BASE.format(**words),
            "docker-compose.prod.yml": OVER.format(**words, port=production, suffix=""),
            "docker-compose.staging.yml": OVER.format(**words, port=staging, suffix="-staging"),
        },
    }


SEVERAL = "two files, api, web and a worker without a port"
OF_SEVERAL = (SEVERAL, "pairs of services in one file")
LAYOUTS = tuple(layouts("x", 1, 2))


def new_runner(sandbox: Sandbox, folder: Path, layout: str) -> Runner:
    """The application with that layout, and nothing of ours."""
    app = Application.new(
        folder, sandbox, staging="web", production="web", HOLD_TIME="1", XDG_CONFIG_HOME=str(folder / "config")
    )
    files: dict[str, Content] = {
        **layouts(sandbox.name, app.staging_port, app.production_port)[layout],
        "Dockerfile": DOCKERFILE,
        "web/Dockerfile": DOCKERFILE,
        ".gitignore": "data\n",
    }
    app.repo.commit(files)
    return Runner(sandbox=sandbox, app=app, folder=folder)


def printed(runner: Runner, *words: str) -> dict[str, str]:
    """What `freshness init --print` prints, by the names of the files."""
    ended = runner.start("init", "--print", *words).end()
    assert ended.status == 0, ended.log
    parts = ended.log.split("# ---- ")[1:]
    return {name: text.strip() + "\n" for name, _, text in (part.partition("\n") for part in parts)}


def set_up(runner: Runner) -> None:
    """What a person does behind `init`: looks through the files, commits them, and has the host's own file."""
    runner.app.repo.commit({}, "Deploy")
    host = runner.folder / "config/freshness/org/app.toml"
    host.parent.mkdir(parents=True)
    host.write_text(printed(runner).get("/etc/freshness/org/app.toml", ""))


def problems(runner: Runner) -> list[str]:
    found = json.loads(runner.start("doctor", "--json").end().log)["findings"]
    return [f"{one['area']}: {one['got']} {one['remedy']}" for one in found if one["level"] == "problem"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_written_passes_the_doctor_and_a_gate(layout: str, machine_only: Sandbox, tmp_path: Path) -> None:
    """Fails when staging and production are confused, share a name, a port or data, or the check cannot run."""
    runner = new_runner(machine_only, tmp_path, layout)
    ended = runner.start("init").end()
    assert ended.status == 0, ended.log
    set_up(runner)

    assert problems(runner) == []
    gate = runner.gate()
    images = ("SOURCE_IMAGES", "images") if layout in OF_SEVERAL else ("SOURCE_IMAGE", "image-id")
    given = {"EXPECTED_REVISION": gate.outputs["revision"], images[0]: gate.outputs[images[1]]}
    promoted = runner.start("promote", **given).end()

    assert gate.decision == ("open", "fresh", 0), gate.log
    assert promoted.outputs["outcome"] == "promoted", promoted.log
    assert runner.sandbox.get(runner.app.production_port, "/")[0] == 200


def test_nothing_that_is_there_is_overwritten_and_print_writes_nothing(machine_only: Sandbox, tmp_path: Path) -> None:
    """Fails when a file is written through a link, or a second start takes back what a person changed."""
    runner = new_runner(machine_only, tmp_path, "one file with image and build")
    repo, outside = runner.app.repo, tmp_path / "outside"
    texts = printed(runner)
    told = json.loads(runner.start("init", "--print", "--json").end().log)
    require_documented(told, "scaffold")
    assert {one["path"]: one["written"] for one in told["files"]} == dict.fromkeys(list(texts)[:-1], False)
    assert repo.git("status", "--porcelain") == ""
    workflow = repo.path / ".gitea/workflows/deploy.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text("name: mine\n")
    (repo.path / "scripts").mkdir()
    (repo.path / "scripts/staging_check.py").symlink_to(outside)

    ended = runner.start("init").end()

    assert ended.status == 0
    assert workflow.read_text() == "name: mine\n"
    assert not outside.exists()
    assert "kept  .gitea/workflows/deploy.yml" in ended.log
    assert set(texts) == {
        ".gitea/workflows/deploy.yml", "scripts/staging_check.py", "/etc/freshness/org/app.toml"
    }  # fmt: skip


def test_the_workflow_has_no_findings_and_goes_where_the_forge_looks(machine_only: Sandbox, tmp_path: Path) -> None:
    """Fails when an input is no setting, an action is not pinned, or the remote's forge is not heeded."""
    runner = new_runner(machine_only, tmp_path, SEVERAL)
    runner.app.repo.git("remote", "add", "origin", "git@github.com:org/app.git")

    assert runner.start("init").end().status == 0

    workflow = runner.app.repo.path / ".github/workflows/deploy.yml"
    tools = Path(sys.executable).parent
    for tool in (
        ("zizmor", "--offline", "--no-progress", "--persona", "auditor"),
        ("check-jsonschema", "--builtin-schema", "vendor.github-workflows"),
    ):
        seen = subprocess.run([tools / tool[0], *tool[1:], workflow], capture_output=True, text=True, check=False)
        assert seen.returncode == 0, seen.stdout + seen.stderr
    assert "source-images: ${{ needs.gate.outputs.images }}" in workflow.read_text()
    assert ".github" in next(iter(printed(runner)))
    assert ".gitea" in next(iter(printed(runner, "--forge", "gitea")))


@pytest.mark.parametrize(
    ("compose", "words", "told"),
    [
        ("services:\n  a: {image: a}\n  b: {image: b}\nname: x\n", (), "which is the application?"),
        ("services:\n  a: {image: a}\nname: x\n", ("--service", "c"), "`--service` names c; the Compose file has a."),
        ("services:\n  a: {image: \nname: x\n", (), "Compose cannot read"),
    ],
)
def test_what_cannot_be_told_is_one_sentence_and_nothing_is_written(
    compose: str, words: tuple[str, ...], told: str, runner: Runner
) -> None:
    runner.app.repo.commit({"compose.yaml": compose})

    ended = runner.start("init", *words).end()

    assert ended.status == 2
    assert told in ended.log
    assert runner.app.repo.git("status", "--porcelain") == ""


def test_outside_a_repository_nothing_is_written(runner: Runner, tmp_path: Path) -> None:
    """Fails when a workflow is written where no forge will look for it."""
    inner = runner.app.repo.path / "inner"
    inner.mkdir()
    ended = replace(runner, folder=tmp_path).start("init", GITHUB_WORKSPACE=str(inner)).end()

    assert ended.status == 2
    assert "is not the top of a Git repository" in ended.log
    assert list(inner.iterdir()) == []
