"""Jobs in containers of their own, as in Gitea's Docker mode: what they see of the host, and what they leave behind."""

import socket
from pathlib import Path

from tests.action.gating import ALWAYS, CHECKOUT, Step, dispatch, gate_job, in_a_row, seen, shell
from tests.action.running import running
from tests.action.test_promote_action import OURS, deploy, outcome, promote_job
from tests.support.act import Act
from tests.support.applications import behave, python_application, static_application
from tests.support.engines import Sandbox
from tests.support.runner import Runner


def networks(sandbox: Sandbox) -> dict[str, set[str]]:
    """The members of each network, by the networks' names; another test's may go meanwhile."""
    members = "{{range .Containers}}{{.Name}} {{end}}"
    names = sandbox.cli("network", "ls", "--format", "{{.Name}}").split()
    found = {name: sandbox.run(["docker", "network", "inspect", "--format", members, name]) for name in names}
    return {name: set(one.stdout.split()) for name, one in found.items() if one.returncode == 0}


TELL: Step = {
    "if": ALWAYS,
    "shell": "sh",
    "env": {"NAMES": "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}"},
    "run": 'echo "the job is in [$(docker inspect --format "$NAMES" "$(hostname)")]"',
}


def test_a_gate_beside_staging_leaves_no_network_behind(
    act_in_containers: Act, machine_only: Sandbox, tmp_path: Path
) -> None:
    """Breaks when `_joined` in probe_address.py connects staging to the job's network, or does not leave again."""
    app = static_application(tmp_path / "app", machine_only)
    unhealthy = {"health-path": "/nowhere", "health-retries": "2", "health-interval": "0.5"}
    jobs = {"gate": gate_job(app, after=(TELL,)), "unhealthy": gate_job(app, unhealthy, after=(TELL,))}

    run = dispatch(act_in_containers, app, tmp_path, in_a_row(jobs))

    assert seen(run) == {"gate": ("open", "fresh"), "unhealthy": ("closed", "unhealthy")}, run.log
    own = {name: members for name, members in networks(machine_only).items() if machine_only.name in name}
    assert act_in_containers.containers
    assert run.log.count(f"| the job is in [{act_in_containers.containers.network} ]") == len(jobs), run.log
    assert own == {
        act_in_containers.containers.network: set(),
        f"{app.project}_default": {f"{app.project}-{app.staging}-1"},
    }
    labels = ["--filter", f"ancestor={act_in_containers.containers.image}"]
    assert machine_only.cli("ps", "--all", "--quiet", *labels) == ""


def test_a_checkout_of_another_user_is_gated(act_in_containers: Act, machine_only: Sandbox, tmp_path: Path) -> None:
    """Breaks when `open_repository` leaves libgit2's owner validation on."""
    app = python_application(tmp_path / "app", machine_only)
    theirs = gate_job(
        app, before=(CHECKOUT, shell("chown -R 1234:1234 ."), shell("test $(stat -c %u .git/HEAD) = 1234"))
    )

    run = dispatch(act_in_containers, app, tmp_path, {"gate": theirs})

    assert seen(run) == {"gate": ("open", "fresh")}, run.log


def test_a_process_on_the_hosts_port_is_stale_before_anything_is_built(
    act_in_containers: Act, machine_only: Sandbox, tmp_path: Path
) -> None:
    """I6. Breaks when `_is_free` in engine/conflicts.py looks in the job's own network."""
    app = python_application(tmp_path / "app", machine_only)

    with socket.create_server(("127.0.0.1", app.staging_port)):
        run = dispatch(act_in_containers, app, tmp_path, {"gate": gate_job(app)})

    assert seen(run) == {"gate": ("closed", "stale")}, run.log
    assert "a process outside Docker" in run.outputs("gate")["reason"]
    assert machine_only.image_id(f"{app.staging_image}:{app.repo.head()}") is None


def test_a_gate_whose_job_container_was_removed_gives_way_to_the_next(
    act_in_containers: Act, machine_only: Sandbox, tmp_path: Path
) -> None:
    """As Gitea cancels in Docker mode. Fails when `find_place` in lock_liveness.py does not see its own container.

    The next gate runs on the host, in another PID namespace: it cannot look whether the process is there.
    """
    app = python_application(tmp_path / "app", machine_only, start_seconds=3600)
    with running(act_in_containers, app, tmp_path, {"gate": gate_job(app)}) as act:
        act.wait_for("Waiting for HTTP 2xx")
        assert act_in_containers.containers
        jobs = machine_only.cli("ps", "--quiet", "--filter", f"ancestor={act_in_containers.containers.image}")
        machine_only.cli("rm", "--force", *jobs.split())
        act.end()
    app.repo.commit(behave())

    ended = Runner(sandbox=machine_only, app=app, folder=tmp_path).gate()

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert "its job's container" in ended.log


def test_a_new_container_is_proven_beside_the_old_one(
    act_in_containers: Act, machine_only: Sandbox, tmp_path: Path
) -> None:
    """Fails when `address` in engine/probe_address.py asks for a port of the Docker host: production publishes none."""
    app = python_application(tmp_path / "app", machine_only)
    published = f'    ports: ["127.0.0.1:{app.production_port}:8000"]\n'
    compose = (app.repo.path / "compose.yaml").read_text()
    app.repo.commit({"compose.yaml": compose.replace(published, "")})
    beside = {"port": "8000", "update-order": "start-first", "update-overlap": "0.1"}
    jobs = {"promote": promote_job(app, OURS | beside)}
    first = deploy(act_in_containers, app, tmp_path, jobs=jobs)
    app.repo.commit({"later.txt": ""})

    second = deploy(act_in_containers, app, tmp_path, jobs=jobs)

    old, new = (run.outputs("gate")["image-id"] for run in (first, second))
    assert published in compose
    assert [outcome(run) for run in (first, second)] == [("success", "promoted", ""), ("success", "promoted", old)]
    (container,) = Runner(sandbox=machine_only, app=app, folder=tmp_path).containers(app.production)
    assert (container.name, container.attrs["Image"]) == (f"{app.project}-orchestrator-1", new)
    assert act_in_containers.containers
    assert networks(machine_only)[act_in_containers.containers.network] == set()


def without(*paths: str) -> Step:
    return shell(f"rm {' '.join(paths)}")


PLUGINS = "/usr/libexec/docker/cli-plugins"
LACKING = {
    "docker": (without("/usr/bin/docker"), "The Docker command line (`docker`) is not on the PATH"),
    "buildx": (without(f"{PLUGINS}/docker-buildx"), "plugin `buildx` is not installed"),
    "compose": (without(f"{PLUGINS}/docker-compose"), "plugin `compose` is not installed"),
    "python": (without("/usr/bin/python3*"), "No Python was found"),
}
"""By what the job's image lacks."""


def test_what_a_jobs_image_lacks_is_one_sentence(act_in_containers: Act, machine_only: Sandbox, tmp_path: Path) -> None:
    """Breaks when `find_plugin` no longer looks for `docker` itself, or install.sh no longer for Python."""
    app = python_application(tmp_path / "app", machine_only)
    jobs = {name: gate_job(app, before=(CHECKOUT, step)) for name, (step, _) in LACKING.items()}

    run = dispatch(act_in_containers, app, tmp_path, jobs)

    assert seen(run) == dict.fromkeys(LACKING, ("closed", "error")), run.log
    for name, (_, sentence) in LACKING.items():
        reason = run.outputs(name)["reason"]
        assert sentence in reason
        assert "nstall" in reason
        assert run.log.count(f"::{reason}") == 1
    assert "Traceback" not in run.log
