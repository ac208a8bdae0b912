"""`freshness status`: what both targets run, from which commit, since when."""

import json
from typing import Any

from freshness.core.lock import LockOwner, Place, service_lock, to_labels
from freshness.engine.lock_store import VOLUME_OPTIONS
from tests.support.output_schema import require_documented
from tests.support.promotions import FIRST, SECOND, Production
from tests.support.runner import Runner

ELSEWHERE = Place(host="elsewhere", machine="m", boot="b", pid_namespace="pid:[1]", pid=7, started=9, container="")
HOLDER = LockOwner(
    token="1" * 32, command="freshness gate", revision=FIRST, who="grace", run="", seconds=3600, place=ELSEWHERE
)


def status(runner: Runner) -> list[dict[str, Any]]:
    ended = runner.start("status", "--json").end()
    assert ended.status == 0, ended.log
    found: list[dict[str, Any]] = json.loads(ended.log)
    require_documented(found, "status")
    return found


def test_status_names_what_both_targets_run(production: Production) -> None:
    """Fails when `_with_container` in status.py reads the image of the tag in place of the container's."""
    running, stray = production.build(FIRST), production.build(SECOND)
    production.deploy(running)
    production.sandbox.cli("tag", stray.id, production.tag)
    container = production.container()

    staging, found = status(production.runner)

    nothing: dict[str, Any] = {
        "container": None, "image_id": None, "revision": None, "since": None, "restarts": None, "project":
        production.app.project, "health": None, "subject": None, "branch": None, "behind": None, "created": None,
        "deployed_by": None, "run": None, "locked": None, "interrupted": False, "previous": [],
    }  # fmt: skip
    assert staging == nothing | {"target": "staging", "service": production.app.staging, "status": "nothing"}
    assert found == nothing | {
        "target": "production", "service": production.app.production, "container": container.name, "status": "running",
        "image_id": running.id, "revision": running.revision, "since": container.attrs["State"]["StartedAt"],
        "restarts": 0, "subject": "first", "branch": "main", "behind": 4, "created": container.attrs["Created"],
    }  # fmt: skip


def test_status_in_words_tells_a_person_what_there_is_to_know(production_here: Production) -> None:
    """At 80 columns. Fails when `write_deployment` signs nothing, or `_paragraph` leaves a line out."""
    production = production_here
    old, new = production.build(FIRST), production.build(SECOND)
    production.deploy(old)
    assert production.promote(new, GITHUB_ACTOR="ada").status == 0
    name = service_lock(production.app.project, production.app.production)
    volume = production.sandbox.docker.volumes.create(name, driver_opts=VOLUME_OPTIONS, labels=to_labels(name, HOLDER))

    ended = production.runner.start("status").end()
    volume.remove()
    _, found = status(production.runner)

    assert ended.status == 0, ended.log
    staging, shown = ended.log.rstrip().split("\n\n")
    rows = dict(line.strip().split(maxsplit=1) for line in shown.splitlines()[1:])
    assert staging.splitlines()[0].endswith(f"{production.app.staging} of {production.app.project}: nothing runs")
    assert shown.splitlines()[0].endswith(": running, no HEALTHCHECK")
    assert rows["commit"] == f"{SECOND[:12]} second (3 commits behind main)"
    assert rows["deployed"].endswith(" UTC) by ada")
    assert rows["image"] == f"{new.id[:19]} in {production.container().name}"
    assert rows["locked"].startswith(f"by grace on {HOLDER.place.host}, ")
    assert rows["for"] == f"`{HOLDER.command}` of {FIRST[:12]}"
    assert rows["back"].startswith(f"to   1: {FIRST[:12]} first, replaced ")
    assert max(map(len, ended.log.splitlines())) <= 80, ended.log
    assert (found["deployed_by"], found["locked"]) == ("ada", None)
    assert [(one["number"], one["subject"]) for one in found["previous"]] == [(1, "first")]


def test_who_gated_is_shown_of_staging_until_somebody_gates_another_image(runner: Runner) -> None:
    """Fails when `_tag` in gate/switch.py records no image, or whoever gates the same one again signs it anew."""
    shown = []
    for who in ("ada", "grace"):
        assert runner.gate(GITHUB_ACTOR=who).decision == ("open", "fresh", 0)
        shown.append(status(runner)[0]["deployed_by"])
    runner.app.repo.commit({"other.txt": "1"})
    assert runner.gate(GITHUB_ACTOR="grace").decision == ("open", "fresh", 0)
    shown.append(status(runner)[0]["deployed_by"])

    assert shown == ["ada", "ada", "grace"]


def test_status_says_that_a_container_has_ended(production_here: Production) -> None:
    """I12. Fails when `service_containers` in engine/containers.py lists running containers only.

    Also fails when `_with_container` in status.py shows the health that the container had when it ended.
    """
    base = f"{production_here.sandbox.name}-base:1"
    production_here.build(FIRST, label="", tag=base)
    production_here.deploy(production_here.build_from(f"FROM {base}\nHEALTHCHECK CMD true\n", revision=FIRST))
    assert status(production_here.runner)[1]["status"] in {"starting", "healthy"}

    production_here.container().stop()

    _, found = status(production_here.runner)
    assert (found["status"], found["revision"]) == ("exited", None)


def test_status_survives_an_image_that_is_gone(production_here: Production) -> None:
    """Fails when `_with_container` in status.py takes the container's image for granted."""
    running = production_here.build(FIRST)
    production_here.deploy(running)
    production_here.container().stop()
    production_here.sandbox.cli("rmi", "--force", running.id)

    _, found = status(production_here.runner)

    assert (found["image_id"], found["revision"]) == (running.id, None)


def test_a_service_that_the_compose_file_lacks_is_called_so(runner: Runner) -> None:
    """Fails when `_look` in status.py says `nothing`, as of a service that is down."""
    given = {"PROD_SERVICE": "elsewhere"}
    shown, unlocked = runner.start("status", **given).end(), runner.start("unlock", **given).end()

    assert (shown.status, unlocked.status) == (0, 2), shown.log + unlocked.log
    assert "no such service" in shown.log
    assert "no service 'elsewhere' (it has: orchestrator, orchestrator-staging)" in unlocked.log


def test_status_without_a_compose_file_is_one_sentence(runner: Runner) -> None:
    """Fails when `show_status` in status.py does not go through `read_config`."""
    (runner.app.repo.path / "compose.yaml").unlink()

    ended = runner.start("status").end()

    assert ended.status == 2
    assert "There is no Compose file" in ended.log


def test_a_renamed_service_is_not_shown_as_nothing_alone(production_here: Production) -> None:
    """Fails when `_look` in status.py looks for the service's own containers alone."""
    production, repo = production_here, production_here.app.repo
    production.deploy(production.build(FIRST))
    name = str(production.container().name)
    compose = (repo.path / "compose.yaml").read_text()
    repo.write({"compose.yaml": compose.replace(f"  {production.app.production}:", "  web:")})

    words = production.runner.start("status", PROD_SERVICE="web").end().log.splitlines()
    found = json.loads(production.runner.start("status", "--json", PROD_SERVICE="web").end().log)[1]

    (shown,) = found["notes"]
    assert words[-1] == shown
    assert f"{name} (running) publishes {production.app.production_port}" in shown
    assert f"`--service {production.app.production} --project {production.app.project}`" in shown
    meant = production.runner.start("status", "--service", production.app.production).end().log
    assert FIRST[:12] in meant
