"""`freshness status`: what both targets run, from which commit, since when."""

import json
from typing import Any

from tests.support.promotions import FIRST, SECOND, Production
from tests.support.runner import Runner


def status(runner: Runner) -> list[dict[str, Any]]:
    ended = runner.start("status", "--json").end()
    assert ended.status == 0, ended.log
    found: list[dict[str, Any]] = json.loads(ended.log)
    return found


def test_status_names_what_both_targets_run(production: Production) -> None:
    """Fails when `_one_target` in status.py reads the image of the tag in place of the container's."""
    running, stray = production.build(FIRST), production.build(SECOND)
    production.deploy(running)
    production.sandbox.cli("tag", stray.id, production.tag)
    container = production.container()

    staging, found = status(production.runner)

    assert staging == {
        "target": "staging", "service": production.app.staging, "container": None, "status": "nothing",
        "image_id": None, "revision": None, "since": None, "restarts": None,
    }  # fmt: skip
    assert found == {
        "target": "production", "service": production.app.production, "container": container.name, "status": "running",
        "image_id": running.id, "revision": running.revision, "since": container.attrs["State"]["StartedAt"],
        "restarts": 0,
    }  # fmt: skip


def test_status_in_words_says_the_same(production_here: Production) -> None:
    """Fails when `show_status` in status.py leaves out the commit, or invents one."""
    running = production_here.build(FIRST)
    production_here.deploy(running)

    ended = production_here.runner.start("status").end()

    _, staging, found = ended.log.splitlines()
    assert ended.status == 0
    assert staging.split()[:3] == ["staging", production_here.app.staging, "nothing"]
    assert found.split()[:4] == ["production", production_here.app.production, "running", FIRST]
    assert running.id in found


def test_status_says_that_a_container_has_ended(production_here: Production) -> None:
    """I12. Fails when `service_containers` in engine/containers.py lists running containers only.

    Also fails when `_one_target` in status.py shows the health that the container had when it ended.
    """
    base = f"{production_here.sandbox.name}-base:1"
    production_here.build(FIRST, label="", tag=base)
    production_here.deploy(production_here.build_from(f"FROM {base}\nHEALTHCHECK CMD true\n", revision=FIRST))
    assert status(production_here.runner)[1]["status"] in {"starting", "healthy"}

    production_here.container().stop()

    _, found = status(production_here.runner)
    assert (found["status"], found["revision"]) == ("exited", None)


def test_status_survives_an_image_that_is_gone(production_here: Production) -> None:
    """Fails when `_one_target` in status.py takes the container's image for granted."""
    running = production_here.build(FIRST)
    production_here.deploy(running)
    production_here.container().stop()
    production_here.sandbox.cli("rmi", "--force", running.id)

    _, found = status(production_here.runner)

    assert (found["image_id"], found["revision"]) == (running.id, None)


def test_a_service_that_the_compose_file_lacks_is_called_so(runner: Runner) -> None:
    """Fails when `_one_target` in status.py says `nothing`, as of a service that is down."""
    given = {"PROD_SERVICE": "elsewhere"}
    shown, unlocked = runner.start("status", **given).end(), runner.start("unlock", **given).end()

    assert (shown.status, unlocked.status) == (0, 2), shown.log + unlocked.log
    assert "no such service" in shown.log
    assert "no service 'elsewhere' (it has: orchestrator, orchestrator-staging)" in unlocked.log


def test_status_without_a_compose_file_is_one_sentence(runner: Runner) -> None:
    """Fails when `_both_targets` in status.py does not go through `read_config`."""
    (runner.app.repo.path / "compose.yaml").unlink()

    ended = runner.start("status").end()

    assert ended.status == 2
    assert "There is no Compose file" in ended.log


def test_a_renamed_service_is_not_shown_as_nothing_alone(production_here: Production) -> None:
    """Fails when `_one_target` in status.py looks for the service's own containers alone."""
    production, repo = production_here, production_here.app.repo
    production.deploy(production.build(FIRST))
    name = str(production.container().name)
    compose = (repo.path / "compose.yaml").read_text()
    repo.write({"compose.yaml": compose.replace(f"  {production.app.production}:", "  web:")})

    words = production.runner.start("status", PROD_SERVICE="web").end().log.splitlines()
    found = json.loads(production.runner.start("status", "--json", PROD_SERVICE="web").end().log)[1]

    assert words[2].split()[:3] == ["production", "web", "nothing"]
    assert words[3:] == found["notes"]
    assert f"{name} (running) publishes {production.app.production_port}" in words[3]
    assert f"`--service {production.app.production} --project {production.app.project}`" in words[3]
    meant = production.runner.start("status", "--service", production.app.production).end().log
    assert FIRST in meant
