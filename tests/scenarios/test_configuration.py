"""What ran is image and configuration: whatever leads back, leads back to both."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scenarios.test_failed_promotion import taking
from tests.scenarios.test_kills import left_behind
from tests.scenarios.test_rollback import edit
from tests.support.docker_proxy import Call, docker_proxy
from tests.support.promotions import FIRST, LABEL, SECOND, SHORT, THIRD, Built, Production, type_commands

OLD, NEW = "OLD_DSN: a$$b", "NEW_DSN: c"


def promoted_with_the_old_one(production: Production) -> Built:
    """A production that needs the old name of a variable, and was promoted with it."""
    edit(production, ("TARGET: production\n", f"TARGET: production\n      {OLD}\n"))
    first = production.build(FIRST, {"needs": ["OLD_DSN"]})
    assert production.promote(first).end == (0, "promoted")
    return first


def renamed(production: Production, **behaviour: object) -> Built:
    """The next commit: both code and Compose file have the new name."""
    edit(production, (OLD, NEW))
    return production.build(SECOND, {"needs": ["NEW_DSN"], **behaviour})


def variables(production: Production) -> dict[str, str]:
    return dict(one.split("=", 1) for one in production.container().attrs["Config"]["Env"])


def assert_as_it_was(production: Production, image: Built) -> None:
    production.assert_serves(image)
    found = variables(production)
    assert (found.get("OLD_DSN"), found.get("NEW_DSN")) == ("a$b", None)


def test_a_failed_promotion_goes_back_to_the_configuration_too_and_the_correction_is_promoted(
    production_here: Production,
) -> None:
    """I9. Fails when `make` in configuration.py makes what ran before by today's Compose file."""
    production, first = production_here, promoted_with_the_old_one(production_here)

    ended = production.promote(renamed(production, unhealthy_on="production"), **SHORT)

    assert ended.end == (4, "rolled-back"), ended.log
    assert "serves again, with the configuration that it ran with" in ended.reason
    assert_as_it_was(production, first)
    assert "c$" not in ended.log
    assert "a$b" not in ended.log

    correction = production.build(THIRD, {"needs": ["NEW_DSN"]})
    assert production.promote(correction).end == (0, "promoted")
    assert variables(production)["NEW_DSN"] == "c"

    back = production.run("rollback")

    assert back.end == (0, "promoted"), back.log
    assert_as_it_was(production, first)


def test_a_cut_promotion_is_undone_with_the_configuration_that_ran(production_here: Production) -> None:
    """I9. Fails when `record` in change.py does not write down what the previous image ran with."""
    production, first = production_here, promoted_with_the_old_one(production_here)
    image = renamed(production, health=503)
    run = production.start("promote", SOURCE_IMAGE=image.id, EXPECTED_REVISION=SECOND)
    run.wait_for("to be healthy")
    run.process.kill()
    run.process.wait()
    edit(production, (NEW, "THIRD_DSN: d"))

    ended = production.promote(image, EXPECTED_REVISION=THIRD, **SHORT)

    assert ended.end == (1, "refused"), ended.log
    assert "was undone" in ended.log
    assert_as_it_was(production, first)


def test_a_cut_promotion_is_finished_with_the_configuration_that_it_began_with(production_here: Production) -> None:
    """Fails when `change_of` in observe.py finishes the candidate by the Compose file of the next commit."""
    production = production_here
    promoted_with_the_old_one(production)
    image = renamed(production, start_seconds=2)
    run = production.start("promote", SOURCE_IMAGE=image.id, EXPECTED_REVISION=SECOND)
    run.wait_for("to be healthy")
    run.process.kill()
    run.process.wait()
    edit(production, (NEW, "THIRD_DSN: d"))

    ended = production.promote(image, EXPECTED_REVISION=THIRD)

    assert ended.end == (1, "refused"), ended.log
    assert "was finished" in ended.log
    production.assert_serves(image)
    assert variables(production)["NEW_DSN"] == "c"


def rename_everything(production: Production) -> None:
    """Another container name, image name and port on the host."""
    image = f"    image: {production.tag}\n"
    edit(
        production,
        (image, f"    image: {production.sandbox.name}-other:live\n    container_name: {production.tag}-x\n"),
    )


def bake_an_env_file(production: Production) -> None:
    """Compose bakes an env file into what it renders: its hash is another then, and the values are the old ones."""
    (production.app.repo.path / "shop.env").write_text("BAKED=new\n")


CHANGES: dict[str, Callable[[Production], None]] = {"names": rename_everything, "env file": bake_an_env_file}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_the_next_file_says_what_ran_comes_back_as_it_was(change: str, production_here: Production) -> None:
    """I9. Fails when `_bring_back` in rollout.py takes names, tag or port of what ran before from today's file."""
    production, folder = production_here, production_here.app.repo.path
    (folder / "shop.env").write_text("BAKED=old\n")
    edit(production, ("TARGET: production\n", "TARGET: production\n    env_file: [shop.env]\n"))
    first = production.build(FIRST)
    assert production.promote(first).end == (0, "promoted")
    before = production.state()
    image = production.build(SECOND, {"health": 503})

    CHANGES[change](production)
    ended = production.promote(image, ADOPT=production.container().name, **SHORT)

    assert ended.end == (4, "rolled-back"), ended.log
    production.assert_serves(first)
    assert variables(production)["BAKED"] == "old"
    assert production.container().name == f"{production.app.project}-{production.app.production}-1"
    assert {**production.state().tags, **before.tags} == production.state().tags
    assert f"{production.sandbox.name}-other:live" not in production.state().tags


def test_what_was_brought_back_is_unchanged_for_the_next_promotion(production_here: Production) -> None:
    """I11. Fails when `_is_current` in observe.py asks Compose about what was recorded: its hash differs."""
    production, folder = production_here, production_here.app.repo.path
    (folder / "shop.env").write_text("BAKED=old\n")
    edit(production, ("TARGET: production\n", "TARGET: production\n    env_file: [shop.env]\n"))
    first = production.build(FIRST)
    assert production.promote(first).end == (0, "promoted")
    (folder / "shop.env").write_text("BAKED=new\n")
    assert production.promote(production.build(SECOND, {"exit_after": 0}), **SHORT).end == (4, "rolled-back")
    (folder / "shop.env").write_text("BAKED=old\n")
    before = production.state()

    ended = production.promote(first)

    assert ended.end == (0, "unchanged"), ended.log
    assert production.state() == before
    assert ended.answers.failures == 0


def test_the_commands_for_a_person_bring_the_configuration_back_too(production_here: Production) -> None:
    """I9. Fails when `manual_commands` in core/promotion.py names today's Compose file where the old one is known."""
    production, first = production_here, promoted_with_the_old_one(production_here)
    image = renamed(production)

    with taking(production.app.production_port):
        ended = production.runner.start("promote", SOURCE_IMAGE=image.id, EXPECTED_REVISION=SECOND).end()
    assert (ended.status, ended.outputs["outcome"]) == (5, "stranded"), ended.log
    assert "a$b" not in ended.log
    type_commands(ended.reason)

    assert production.sandbox.wait_for(production.app.production_port, "/version") == first.revision
    assert_as_it_was(production, first)


def stranded(production: Production) -> tuple[Built, Path]:
    """A production that is down, and what on the host keeps it down; it was promoted with the old name."""
    host = production.runner.folder / "host"
    host.mkdir()
    check = "    healthcheck: {test: [CMD, test, '!', -e, /host/broken], interval: 200ms, retries: 2}\n"
    edit(production, ("TARGET: production\n", f"TARGET: production\n    volumes: ['{host}:/host']\n{check}"))
    edit(production, ("TARGET: production\n", f"TARGET: production\n      {OLD}\n"))
    first = production.build(FIRST, {"needs": ["OLD_DSN"]})
    assert production.promote(first, HEALTH_PATH="none").end == (0, "promoted")
    image = renamed(production)
    (host / "broken").touch()
    assert production.promote(image, HEALTH_PATH="none").end == (5, "stranded")
    return first, host / "broken"


def test_a_way_back_that_failed_does_not_stand_in_the_way_of_the_correction(production_here: Production) -> None:
    """I9. Fails when `_recover` in recovery.py raises what it could not undo: the correction had to come twice."""
    production = production_here
    first, _ = stranded(production)
    edit(production, ("[CMD, test, '!', -e, /host/broken]", "[CMD, 'true']"))
    correction = production.build(THIRD, {"needs": ["NEW_DSN"]})

    ended = production.promote(correction, HEALTH_PATH="none")

    assert ended.end == (0, "promoted"), ended.log
    assert ended.outputs["previous-image-id"] == first.id
    assert "could not be undone" in ended.log
    production.assert_serves(correction)
    assert variables(production)["NEW_DSN"] == "c"
    assert left_behind(production) == []


def test_what_last_served_is_the_way_back_of_the_next_promotion_too(production_here: Production) -> None:
    """I9. Fails when `runs` in observe.py takes what a failed way back left for what production ran.

    What keeps production down goes away while the next promotion, which fails as well, changes it.
    """
    production = production_here
    first, broken = stranded(production)
    broken_image = f'FROM python:3.13-slim\nLABEL {LABEL}={THIRD}\nCMD ["/no/such/program"]\n'
    image = production.build_from(broken_image, revision=THIRD)

    with docker_proxy(production.sandbox.engine.host) as proxy:
        proxy.before("POST /images/*/tag", lambda _call: broken.unlink(), nth=2)
        ended = production.promote(image, HEALTH_PATH="none", DOCKER_HOST=proxy.host)

    assert ended.end == (4, "rolled-back"), ended.log
    assert "could not be undone" in ended.log
    assert_as_it_was(production, first)
    assert left_behind(production) == []


def test_a_refused_promotion_leaves_a_failed_way_back_to_the_next_one(production_here: Production) -> None:
    """I9. Fails when `recover` in recovery.py removes what could not be undone, before the own plan is written."""
    production = production_here
    first, broken = stranded(production)
    refused = production.promote(first, EXPECTED_REVISION=THIRD, HEALTH_PATH="none")
    assert refused.end == (5, "stranded"), refused.log
    assert "does not prove" in refused.reason
    broken.unlink()

    ended = production.promote(first, EXPECTED_REVISION=THIRD, HEALTH_PATH="none")

    assert ended.end == (1, "refused"), ended.log
    assert "was undone" in ended.log
    assert_as_it_was(production, first)
    assert left_behind(production) == []


def test_a_compose_that_fails_after_its_work_strands_nothing(production_here: Production) -> None:
    """I9. Fails when `_despite` in rollout.py believes Compose's exit status, and not what runs.

    The connection of the Compose on the way back ends when the Engine has started the container.
    """
    production = production_here
    first = promoted_with_the_old_one(production)
    image = renamed(production, unhealthy_on="production")

    with docker_proxy(production.sandbox.engine.host) as proxy:
        proxy.after("POST /containers/*/start", Call.drop, nth=2)
        ended = production.promote(image, DOCKER_HOST=proxy.host, **SHORT)

    assert ended.end == (4, "rolled-back"), ended.log
    assert "What runs all the same was looked at" in ended.log
    assert_as_it_was(production, first)


def test_a_rollback_whose_mounts_are_gone_is_refused_and_the_remedy_leads_out(production_here: Production) -> None:
    """I8. Fails when `refuse_missing` in wording.py does not look: Docker would mount an empty folder."""
    production = production_here
    data = production.runner.folder / "data"
    data.mkdir()
    edit(production, ("TARGET: production\n", f"TARGET: production\n    volumes: ['{data}:/data:ro']\n"))
    first, second = production.build(FIRST), production.build(SECOND)
    assert production.promote(first).end == (0, "promoted")
    edit(production, (f"    volumes: ['{data}:/data:ro']\n", ""))
    assert production.promote(second).end == (0, "promoted")
    data.rmdir()

    ended = production.run("rollback")

    assert ended.end == (1, "refused"), ended.log
    assert f"mounted {data}, and that is gone" in ended.reason
    production.assert_serves(second)
    data.mkdir()
    back = production.run("rollback")
    assert back.end == (0, "promoted"), back.log
    assert f"not restored: what lies at {data}" in back.log
    production.assert_serves(first)


def test_a_rollback_to_what_nobody_recorded_says_that_it_uses_todays_file(production_here: Production) -> None:
    """Fails when `_make` in preflight.py says nothing of a configuration that nobody knows."""
    production, first = production_here, production_here.build(FIRST)
    production.deploy(first)
    assert production.promote(production.build(SECOND)).end == (0, "promoted")

    ended = production.run("rollback")

    assert ended.end == (0, "promoted"), ended.log
    assert f"What {first.id[:19]} ran with was not recorded: it runs with today's Compose file" in ended.log


def test_a_change_of_configuration_alone_is_rolled_back_too(production_here: Production) -> None:
    """I9. Fails when `served_then` in core/deployment.py keeps one configuration of an image alone."""
    production, image = production_here, promoted_with_the_old_one(production_here)
    edit(production, (OLD, f"{OLD}\n      COLOUR: blue"))
    assert production.promote(image).end == (0, "promoted")
    assert variables(production)["COLOUR"] == "blue"

    listed = production.run("rollback", "--list")
    ended = production.run("rollback")

    assert [line.split()[:2] for line in listed.log.splitlines()[1:]] == [["-", FIRST[:12]], ["1", FIRST[:12]]]
    assert ended.end == (0, "promoted"), ended.log
    assert_as_it_was(production, image)
    assert "COLOUR" not in variables(production)
    assert "rolled back from" in production.run("rollback", "--list").log
    assert production.run("rollback").end == (1, "refused")
    assert production.run("rollback", "--to", "1").end == (0, "promoted")
    assert variables(production)["COLOUR"] == "blue"
