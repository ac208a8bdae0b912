"""What runs and is not this target's own is not replaced: I6 holds for what runs, not only for the Compose file."""

import shutil
from dataclasses import replace
from pathlib import Path

from docker.models.containers import Container

from tests.support.engines import BASE_IMAGE, free_port
from tests.support.git import GitRepo
from tests.support.promotions import FIRST, SECOND, Production
from tests.support.runner import Runner, identity

IDLE = f"image: {BASE_IMAGE}, command: sleep infinity, init: true"


def live_beside_staging(runner: Runner) -> Container:
    """A production that a person runs from another file: the same service, in a project that is called the same."""
    name, port = f"{runner.sandbox.name}-live", free_port()
    service = f"{{{IDLE}, container_name: {name}, ports: ['127.0.0.1:{port}:80']}}"
    file = f"name: {runner.app.project}\nservices:\n  {runner.app.staging}: {service}\n"
    runner.app.repo.commit({"compose.live.yaml": file})
    runner.sandbox.cli("compose", "--file", str(runner.app.repo.path / "compose.live.yaml"), "up", "--detach")
    return runner.sandbox.docker.containers.get(name)


def test_the_gate_leaves_a_production_alone_that_has_the_same_project_and_service(runner: Runner) -> None:
    """I6. Fails when `_refuse_conflicts` in gate/host.py does not ask `Ownership.require`.

    Both ways out lead out: a project of its own, and the word of a person.
    """
    live = live_beside_staging(runner)
    before = identity(live)

    ahead = runner.start("gate", "--dry-run", GIT_SHA=runner.app.repo.head()).end()
    ended = runner.gate()

    assert ended.decision == ("closed", "stale", 1), ended.log
    for words in (str(live.name), "`ports`", "`container_name`", "`compose-file`", f"`adopt: {live.name}`"):
        assert words in ended.reason
        assert words in ahead.log
    assert ahead.status == 1
    assert runner.built() is None
    assert identity(live) == before

    apart = runner.gate(COMPOSE_PROJECT_NAME=f"{runner.sandbox.name}-staging")
    assert apart.decision == ("open", "fresh", 0), apart.log
    assert identity(live) == before
    runner.sandbox.cli("compose", "--project-name", f"{runner.sandbox.name}-staging", "down")

    adopted = runner.gate(ADOPT=str(live.name))
    again = runner.gate(ADOPT=str(live.name))
    assert adopted.decision == again.decision == ("open", "fresh", 0), adopted.log
    assert "is not needed" in again.log
    assert "is not needed" not in adopted.log
    assert [one.id for one in runner.containers(runner.app.staging)] == [runner.staging().id]


def test_what_staging_is_on_record_is_never_promoted_over(runner: Runner) -> None:
    """I6. Fails when `recreate` in gate/switch.py records nothing, or `object_to` ignores the role.

    The record tells even where the container is gone, and going by the sentence leads out.
    """
    assert runner.gate().decision == ("open", "fresh", 0)
    built = {"SOURCE_IMAGE": str(runner.built()), "EXPECTED_REVISION": runner.app.repo.head()}
    same = {"PROD_SERVICE": runner.app.staging, "PROD_PORT": str(runner.app.staging_port), **built}

    ended = runner.start("promote", "--adopt", str(runner.staging().name), **same).end()
    runner.staging().remove(force=True)
    gone = runner.start("promote", **same).end()

    for each in (ended, gone):
        assert (each.status, each.outputs["outcome"]) == (1, "refused"), each.log
        assert "is staging of org/app, as recorded on this Docker host" in each.reason
    runner.sandbox.cli("volume", "rm", gone.reason.partition("docker volume rm ")[2].partition("`")[0])
    after = runner.start("promote", **same).end()
    assert (after.status, after.outputs["outcome"]) == (0, "promoted"), after.log

    back = runner.gate()
    assert back.decision == ("closed", "stale", 1)
    assert "is production of org/app" in back.reason


def test_a_runner_whose_workspace_lies_elsewhere_each_time_goes_on(runner: Runner, tmp_path: Path) -> None:
    """Fails when `name` in git/work_tree.py gives the path on this machine: each run would be refused."""
    assert runner.gate().decision == ("open", "fresh", 0)
    before = identity(runner.staging())
    shutil.move(runner.app.repo.path, tmp_path / "next")
    moved = replace(runner, app=replace(runner.app, repo=GitRepo(tmp_path / "next")))

    ended = moved.gate()

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert identity(runner.staging()) == before
    compose = (moved.app.repo.path / "compose.yaml").read_text()
    own = "      TARGET: staging\n"
    moved.app.repo.commit({"compose.yaml": compose.replace(own, f"{own}      MORE: x\n")})
    changed = moved.gate()  # where the configuration is the same, nobody asks for the files
    assert changed.decision == ("open", "fresh", 0), changed.log


def test_another_repository_with_the_same_names_is_refused_until_it_is_said_to_be_renamed(runner: Runner) -> None:
    """I6. Fails when `_repository_doubt` in core/ownership.py is not asked, or `record` keeps the former repository."""
    assert runner.gate().decision == ("open", "fresh", 0)
    before = identity(runner.staging())

    other = runner.gate(GITHUB_REPOSITORY="org/other")

    assert other.decision == ("closed", "stale", 1), other.log
    assert "belongs to the repository org/app; this run is for org/other" in other.reason
    assert identity(runner.staging()) == before
    assert runner.gate(GITHUB_REPOSITORY="").decision == ("open", "fresh", 0)  # the very same file
    assert runner.gate(GITHUB_REPOSITORY="org/other", ADOPT=str(runner.staging().name)).decision[0] == "open"
    assert runner.gate(GITHUB_REPOSITORY="Org/Other").decision == ("open", "fresh", 0)
    assert runner.gate().decision == ("closed", "stale", 1)


def test_a_container_of_a_committed_image_is_not_composes_own(runner: Runner) -> None:
    """I6. Fails when `why_not_from_compose` in core/ownership.py believes labels that the image brings.

    Compose itself would stop and remove one of the two. What is built on such an image is refused as well.
    """
    assert runner.gate().decision == ("open", "fresh", 0)
    committed, name = f"{runner.sandbox.name}-committed", f"{runner.sandbox.name}-by-hand"
    runner.sandbox.cli("commit", str(runner.staging().id), committed)
    runner.sandbox.cli("run", "--detach", "--init", "--name", name, committed)
    by_hand = runner.sandbox.docker.containers.get(name)
    before = (
        identity(by_hand),
        identity(runner.sandbox.docker.containers.get(f"{runner.app.project}-{runner.app.staging}-1")),
    )

    ended = runner.gate()

    assert ended.decision == ("closed", "stale", 1), ended.log
    assert f"The container {name} would be replaced" in ended.reason
    assert "labels come from its image" in ended.reason
    runner.sandbox.cli("rm", "--force", name)
    runner.sandbox.cli("run", "--detach", "--init", "--name", name, "--label", "com.docker.compose.project=", committed)
    assert runner.gate().decision == ("open", "fresh", 0)
    assert identity(runner.staging()) == before[1]

    dockerfile = (runner.app.repo.path / "Dockerfile").read_text().replace(f"FROM {BASE_IMAGE}", f"FROM {committed}")
    runner.app.repo.commit({"Dockerfile": dockerfile})
    brought = runner.gate()
    assert brought.decision == ("closed", "refused", 1), brought.log
    assert "com.docker.compose.config-hash=" in brought.reason
    runner.app.repo.commit({"Dockerfile": dockerfile + 'LABEL com.docker.compose.project=""\n'})
    assert runner.gate().decision == ("open", "fresh", 0)


def test_a_production_whose_port_changes_is_replaced_when_a_person_says_so(production_here: Production) -> None:
    """I6. Fails when `_require_ours` in preflight.py does not ask `Ownership.require`."""
    production, app = production_here, production_here.app
    first, second = production.build(FIRST), production.build(SECOND)
    production.deploy(first)  # by hand: there is no record
    port, compose = free_port(), (app.repo.path / "compose.yaml").read_text()
    app.repo.write({"compose.yaml": compose.replace(f":{app.production_port}:", f":{port}:")})
    before, name = production.state(), str(production.container().name)

    ended = production.promote(second, PROD_PORT=str(port))
    ahead = production.promote(second, "--dry-run", PROD_PORT=str(port))

    assert ended.end == (1, "refused"), ended.log
    said = f"it publishes 127.0.0.1:{app.production_port}, expected 127.0.0.1:{port} (`ports`)"
    assert said in ended.reason
    assert said in ahead.log
    assert production.state() == before
    adopted = production.promote(second, "--adopt", name, PROD_PORT=str(port))
    assert adopted.end == (0, "promoted"), adopted.log
    back = production.run("rollback", PROD_PORT=str(port))
    assert back.end == (0, "promoted"), back.log
