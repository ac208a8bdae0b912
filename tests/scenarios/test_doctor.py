"""`freshness doctor`: what a gate or a promotion would refuse, all at once, and nothing is changed by the look."""

import json
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from freshness.core.lock import service_lock
from freshness.engine.client import connect
from freshness.engine.lock_owner import new_lock
from tests.support.git import Link
from tests.support.jobs import GITEA, Hosted
from tests.support.output_schema import require_documented
from tests.support.promotions import FIRST, Production
from tests.support.registries import PASSWORD, USER, running_registry, why_no_registry
from tests.support.runner import Ended, Runner

Findings = list[dict[str, str]]
WRONG = """\
name: {app.project}
services:
  {app.staging}:
    image: {app.staging_image}
    network_mode: host
    environment: {{NEEDED: "${{NOWHERE}}"}}
    deploy: {{replicas: 2}}
    ports: ["127.0.0.1:{app.staging_port}:8000"]
  {app.production}:
    image: {app.production_image}
    volumes_from: [{app.staging}]
    ports: ["127.0.0.1:{app.production_port}:8000"]
"""


def examine(runner: Runner, *words: str, **variables: str) -> tuple[int, Findings]:
    """The exit status and the findings of `freshness doctor --json`."""
    ended = runner.start("doctor", "--json", *words, **variables).end()
    found: dict[str, Any] = json.loads(ended.log)
    assert found["exit_status"] == ended.status
    return ended.status, found["findings"]


def of(found: Findings, area: str, level: str = "problem") -> list[str]:
    """What was found so, with the remedy."""
    return [f"{one['got']} {one['remedy']}".strip() for one in found if (one["area"], one["level"]) == (area, level)]


def problems(found: Findings) -> Findings:
    return [one for one in found if one["level"] == "problem"]


def volumes_of(runner: Runner) -> set[str]:
    found = runner.sandbox.docker.volumes.list(filters={"name": runner.sandbox.name})
    return {volume.name for volume in found}


def test_what_passes_has_no_problem_before_and_after_its_deployment(production_here: Production) -> None:
    """Fails when a look makes a container, a volume or a lock, or finds fault with what gate and promotion accept."""
    runner = production_here.runner
    status, found = examine(runner)
    assert (status, problems(found)) == (0, [])
    assert runner.gate().status == 0
    production_here.deploy(production_here.build(FIRST))
    runner.app.repo.git("checkout", "--quiet", ".")
    before, volumes = production_here.state(), volumes_of(runner)

    status, found = examine(runner)

    assert (status, problems(found)) == (0, [])
    assert (production_here.state(), volumes_of(runner)) == (before, volumes)
    assert any(runner.app.repo.head() in one for one in of(found, "commit", "ok"))
    assert any("(running)" in one or "healthy" in one for one in of(found, "staging", "ok"))
    for area in ("machine", "plugins", "Engine", "settings", "staging", "production"):
        assert of(found, area, "ok"), area


def test_each_problem_of_both_halves_is_a_line_of_its_own_and_the_gate_says_the_same(runner: Runner) -> None:
    """Fails when the first problem hides the next, of one file, of a half, or of the other half."""
    app = runner.app
    app.repo.commit({"compose.yaml": WRONG.format(app=app)})

    status, found = examine(runner)
    gate = runner.gate()

    assert status == 1
    told = of(found, "staging")
    assert len(told) == 3, told
    for word in ("network_mode", "NOWHERE", "replicas"):
        assert sum(word in one for one in told) == 1
    assert [word in "".join(of(found, "production")) for word in ("volumes_from", "NOWHERE")] == [True, False]
    assert gate.status == 2
    assert [one for one in told if one not in gate.outputs["reason"]] == []


def test_an_engine_that_is_away_hides_no_problem_of_the_files(runner: Runner) -> None:
    """Fails when the looks end at the first thing that is missing."""
    status, found = examine(
        runner, DOCKER_HOST="unix:///nowhere.sock", PROD_SERVICE="elsewhere", HEALTH_RETRIES="0", ADOPT="?"
    )

    assert status == 1
    assert any("cannot be reached" in one for one in of(found, "Engine"))
    wrong = of(found, "settings")
    assert [name for name in ("`health-retries`", "`adopt`") for one in wrong if name in one] == [
        "`health-retries`",
        "`adopt`",
    ]
    assert not any("`health-retries`" in one and "`adopt`" in one for one in wrong)

    _, found = examine(runner, DOCKER_HOST="unix:///nowhere.sock", PROD_SERVICE="elsewhere")
    assert any("no service 'elsewhere'" in one for one in of(found, "production"))
    assert of(found, "staging", "unchecked")


def test_a_machine_without_docker_is_told_for_each_plugin_and_its_engine_is_looked_at(runner: Runner) -> None:
    """Fails when `tried` in trial.py lets an error end the whole look."""
    status, found = examine(runner, PATH="/nowhere")

    assert status == 1
    assert len(of(found, "plugins")) == len(("buildx", "compose")) - 1, "the same sentence is said once"
    assert any("is not on the PATH" in one for one in of(found, "plugins"))
    assert any("there is no git" in one for one in of(found, "machine", "note"))
    assert of(found, "Engine", "ok")


def test_what_has_the_port_and_what_covers_the_program_is_told_before_any_gate(runner: Runner) -> None:
    """Fails when what stands on the Engine is not looked at, or a mount over the working directory is let pass."""
    app, repo = runner.app, runner.app.repo
    name = f"{runner.sandbox.name}-other"
    runner.sandbox.cli("run", "--detach", "--name", name, "--publish", f"127.0.0.1:{app.staging_port}:80",
                       "python:3.13-slim", "sleep", "600")  # fmt: skip
    runner.sandbox.cli("buildx", "build", "--quiet", "--tag", app.production_image, str(repo.path))
    compose = (repo.path / "compose.yaml").read_text()
    repo.commit({"compose.yaml": f"{compose.rstrip()}\n    volumes: [/srv/elsewhere:/app]\n"})

    status, found = examine(runner)

    assert status == 1
    assert [name in one and "docker rm --force" in one for one in of(found, "staging")] == [True]
    (mount,) = of(found, "production")
    assert "covers /app" in mount
    assert "allow-mounts" in mount


def test_what_is_not_committed_is_named_and_a_compose_file_that_no_commit_has_is_a_problem(runner: Runner) -> None:
    """Fails when the work tree is taken for what is built."""
    repo = runner.app.repo
    compose = (repo.path / "compose.yaml").read_text()
    built = compose.replace(
        f"  {runner.app.staging}:\n", f"  {runner.app.staging}:\n    build: {{dockerfile: Other}}\n"
    )
    repo.write({"compose.yaml": built, "Other": (repo.path / "Dockerfile").read_text()})

    status, found = examine(runner)

    assert status == 1
    assert any("compose.yaml" in one and "Other" in one for one in of(found, "commit", "note"))
    told = of(found, "commit")
    assert [word in " ".join(told) for word in ("has no Other", "compose.yaml is not as in the commit")] == [True, True]


def test_who_asks_to_be_restarted_is_told_of_for_both_halves(runner: Runner) -> None:
    """Fails when gate or promotion does not ask `note_restarts`."""
    app = runner.app
    needs = ", ".join(
        f"{name}: {{condition: service_started, restart: true}}" for name in (app.staging, app.production)
    )
    compose = (app.repo.path / "compose.yaml").read_text()
    app.repo.commit({"compose.yaml": f"{compose}  proxy: {{image: proxy, depends_on: {{{needs}}}}}\n"})

    status, found = examine(runner)

    assert (status, problems(found)) == (0, [])
    for area, name in (("staging", app.staging), ("production", app.production)):
        assert any(f"restarted with {name}" in one for one in of(found, area, "note")), found


def test_files_of_the_commit_are_compared_as_the_gate_compares_them(runner: Runner) -> None:
    """Fails when a link counts as no file, or when Windows' ends of lines differ from themselves."""
    repo = runner.app.repo
    compose = "\ufeff" + (repo.path / "compose.yaml").read_text().replace("    image:", "    build: app\n    image:")
    files = {name: (repo.path / name).read_text() for name in ("Dockerfile", "server.py", "behaviour.json")}
    moved = {f"services/web/{name}": text for name, text in files.items()}
    links = {"app": Link("services/web"), "services/web/Dockerfile": Link("../../Dockerfile")}
    repo.commit({**moved, **links, "compose.yaml": Link("infra.yaml"), "infra.yaml": compose.replace("\n", "\r\n")})

    status, found = examine(runner)

    assert (status, of(found, "commit")) == (0, []), found


def test_a_lock_that_a_dead_run_left_is_shown_with_its_command_and_stays(runner: Runner) -> None:
    """Fails when the doctor breaks a lock, waits for one, or calls a live one dead."""
    app, sandbox = runner.app, runner.sandbox
    engine = connect({**_environment(runner)})
    name = service_lock(app.project, app.staging)
    lock = new_lock(engine, name, command="freshness gate", revision=None, seconds=600, env={}, say=print)
    ended = subprocess.Popen(["true"])
    ended.wait()
    dead = replace(lock, owner=replace(lock.owner, place=replace(lock.owner.place, pid=ended.pid, started=1)))
    assert dead.claim()

    status, found = examine(runner)

    told = [one for one in of(found, "state", "note") if name in one]
    assert status == 0
    assert len(told) == 1
    assert f"freshness unlock --lock {name}" in told[0]
    assert "has ended" in told[0]
    assert sandbox.docker.volumes.get(name).name == name


def _environment(runner: Runner) -> dict[str, str]:
    return {"DOCKER_HOST": runner.sandbox.engine.host, "HOME": "/nonexistent", "PATH": "/usr/bin:/bin"}


@pytest.mark.parametrize(("status", "level"), [(200, "ok"), (401, "problem")])
def test_the_token_is_tried_by_reading_alone(hosted: Hosted, status: int, level: str) -> None:
    """Fails when anything but GET is asked of the forge, or a token that it does not know is let pass."""
    server = hosted.forge.server
    base = "/api/v1/repos/org/app"
    server.answers = {base: (status, {"permissions": {"pull": True}}), f"{base}/pulls": (status, [])}
    job = hosted.job(GITEA, hosted.repo.head())

    ended, found = examine(hosted.runner, **job, GITHUB_API_URL=f"{server.url}/api/v1")

    assert ended == int(level == "problem")
    assert any("branches, tags and pull requests" in one for one in of(found, "forge", "ok"))
    assert any(
        "the token reads org/app" in one or "does not know the token" in one for one in of(found, "forge", level)
    )
    assert server.asked
    assert {one.split()[0] for one in server.asked} == {"GET"}
    assert "this job of Gitea runs on the machine" in of(found, "runner", "ok")[0]


def test_a_registered_runner_is_asked_for_the_workflows_label(runner: Runner, tmp_path: Path) -> None:
    """Fails when a label that no job can run on is let pass, or the runner's own token is shown."""
    token = uuid.uuid4().hex
    home = tmp_path / "home"
    home.mkdir()
    registered = {"name": "r", "address": "https://gitea.example", "token": token, "labels": ["ubuntu:docker://node"]}
    (home / ".runner").write_text(json.dumps(registered))
    runner.app.repo.commit(
        {".gitea/workflows/deploy.yml": "jobs:\n  gate:\n    runs-on: deploy-host\n    steps:\n"
         "      - uses: org/freshness-action@0123456789012345678901234567890123456789\n"}
    )  # fmt: skip

    status, found = examine(runner, HOME=str(home))

    assert status == 1
    (told,) = of(found, "runner")
    assert "deploy-host:host" in told
    assert token not in json.dumps(found)
    registered["labels"] = ["deploy-host:host"]
    (home / ".runner").write_text(json.dumps(registered))
    assert examine(runner, HOME=str(home))[0] == 0


def test_people_get_a_line_for_each_finding_and_programs_what_the_schema_says(runner: Runner) -> None:
    """Fails when a finding breaks into two lines, colours go to a pipe, or the JSON has another shape."""
    words: Ended = runner.start("doctor", PROD_SERVICE="elsewhere").end()
    quiet = runner.start("doctor", "--quiet", PROD_SERVICE="elsewhere").end()
    require_documented(json.loads(runner.start("doctor", "--json").end().log), "examination")

    assert words.status == quiet.status == 1
    *lines, last = words.log.splitlines()
    assert {line[0] for line in lines} <= set("✓!✗-")
    assert "\x1b" not in words.log
    assert last.startswith("freshness doctor: 1 problem: a gate or a promotion would refuse")
    assert not any(line.startswith("✓") for line in quiet.log.splitlines())


def test_a_throwaway_staging_is_told_by_which_address_it_would_reach_production(runner: Runner) -> None:
    """Fails when production's own containers are taken for conflicts, or an address outside is let pass."""
    app, repo = runner.app, runner.app.repo
    given = {"THROWAWAY_STAGING": "true", "TARGET_SERVICE": app.production, "TARGET_PORT": str(app.production_port)}
    runner.sandbox.cli("buildx", "build", "--quiet", "--tag", app.production_image, str(repo.path))
    runner.compose("up", "--detach", "--no-deps", app.production)
    status, found = examine(runner, **given)
    assert (status, problems(found)) == (0, [])
    compose = (repo.path / "compose.yaml").read_text()
    repo.commit({"compose.yaml": compose.replace("TARGET: production", "DATABASE_URL: postgres://10.1.2.3/shop")})

    status, found = examine(runner, **given)

    assert status == 1
    assert any("DATABASE_URL" in one for one in of(found, "staging"))


def test_a_hosts_file_that_is_not_read_is_told(runner: Runner, tmp_path: Path) -> None:
    """Fails when nobody learns why the settings of the host's own file do not count in a shell."""
    runner.app.repo.git("remote", "add", "origin", "https://gitea.example/acme/shop.git")
    file = tmp_path / "config/freshness/acme/shop.toml"
    file.parent.mkdir(parents=True)
    file.write_text("hold-time = 3\n")
    given = {"XDG_CONFIG_HOME": str(tmp_path / "config")}

    _, found = examine(runner, **given, GITHUB_REPOSITORY="")
    assert any(f"{file} is not read" in one and "acme/shop" in one for one in of(found, "settings", "note"))

    _, found = examine(runner, **given, GITHUB_REPOSITORY="acme/shop")
    assert f"the host's own file is {file}." in of(found, "settings", "ok")


def test_who_may_push_is_told_and_nothing_is_pushed(runner: Runner, tmp_path: Path) -> None:
    """Fails when a gate's first push tells that nobody has logged in, or the look leaves something in the registry."""
    if reason := why_no_registry("debian"):
        pytest.skip(reason)
    with running_registry(tmp_path / "registry", password=True) as registry:
        place = f"{registry.host}/team/shop"
        status, found = examine(runner, REGISTRY=place)
        assert status == 1
        assert f"`docker login {registry.host}`" in of(found, "registry")[0]
        runner.sandbox.cli("login", "--username", USER, "--password", PASSWORD, registry.host)
        status, found = examine(runner, REGISTRY=place, REGISTRY_TAG=f"{registry.host}/team/live:production")
        told = of(found, "registry", "ok")
        assert told == [f"this user may push to {name}." for name in (place, f"{registry.host}/team/live")]
    assert not [path for path in (tmp_path / "registry/data").rglob("*") if path.is_file()]
    gone, found = examine(runner, REGISTRY=place)
    assert gone == 1
    assert "cannot be reached" in of(found, "registry")[0]
