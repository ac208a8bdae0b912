"""Every doubt about the image is a refusal before the first write: afterwards no tag and no container has changed."""

import socket

import pytest

from tests.support import plugins
from tests.support.engines import BASE_IMAGE
from tests.support.promotions import FIRST, LABEL, SECOND, THIRD, Production, Promoted

LETTERS = "abcdef0123" * 4
"""A revision that differs in upper case."""

PLAIN = f"""\
FROM python:3.13-slim
ARG GIT_SHA=""
LABEL {LABEL}=$GIT_SHA
"""


def assert_refused(production: Production, before: object, ended: Promoted) -> None:
    assert ended.end == (1, "refused"), ended.log
    assert production.state() == before
    assert ended.answers.failures == 0


@pytest.mark.parametrize("label", ["", "<no value>", THIRD])
def test_a_label_that_does_not_say_the_commit_is_refused(label: str, production_here: Production) -> None:
    """I8, I2. Fails when `guard` in core/image.py accepts this label."""
    production_here.deploy(production_here.build(FIRST))
    image = production_here.build(SECOND, label=label)
    before = production_here.state()

    assert_refused(production_here, before, production_here.promote(image))


@pytest.mark.parametrize("label", [LETTERS[:12], LETTERS.upper(), f"{LETTERS} ", f"{LETTERS}a"])
def test_a_label_that_almost_says_the_commit_is_refused(label: str, production_here: Production) -> None:
    """I8, I2. Fails when `guard` in core/image.py compares anything but the whole label."""
    image = production_here.build(LETTERS, label=label)
    before = production_here.state()

    ended = production_here.promote(image)

    assert ended.end == (1, "refused"), ended.log
    assert production_here.state() == before


def test_an_image_without_the_label_is_refused(production: Production) -> None:
    """I8, I12. Fails when `guard` in core/image.py returns None for a missing label."""
    production.deploy(production.build(FIRST))
    image = production.build_from("FROM python:3.13-slim\n", revision=SECOND)
    before = production.state()

    assert_refused(production, before, production.promote(image))


def test_a_plain_build_without_the_argument_is_refused(production: Production) -> None:
    """I2, I8. Fails when `guard` in core/image.py returns None for an empty label."""
    production.deploy(production.build(FIRST))
    image = production.build_from(PLAIN, revision=SECOND)
    before = production.state()

    assert_refused(production, before, production.promote(image))


def test_the_label_of_a_base_image_is_refused(production: Production) -> None:
    """I2, I8. Fails when `guard` in core/image.py accepts any full commit id."""
    base = production.build(FIRST, tag=f"{production.sandbox.name}-base:1")
    production.deploy(base)
    image = production.build_from(f"FROM {production.sandbox.name}-base:1\nCMD true\n", revision=SECOND)
    before = production.state()

    assert_refused(production, before, production.promote(image))


def test_a_tag_that_another_build_moved_after_the_gate_is_refused(production: Production) -> None:
    """I7, I8. Fails when `prove` in candidate.py takes the label of another image than the one that gets the tag."""
    production.deploy(production.build(FIRST))
    gate = production.runner.gate()
    production.build(THIRD, tag=production.app.staging_image)
    before = production.state()

    assert_refused(production, before, production.promote(EXPECTED_REVISION=gate.outputs["revision"]))


def test_the_image_id_ships_what_was_proven_whatever_the_tag_names_meanwhile(production: Production) -> None:
    """I7. Fails when `_read_application` in subject.py takes staging's tag although `source-image` is given."""
    production.deploy(production.build(FIRST))
    gate = production.runner.gate()
    moved = production.build(THIRD, tag=production.app.staging_image)
    proven = production.built(gate.outputs["image-id"], gate.outputs["revision"])

    ended = production.promote(proven)

    production.assert_serves(proven)
    assert ended.end == (0, "promoted"), ended.log
    assert production.sandbox.image_id(production.app.staging_image) == moved.id
    assert moved.revision not in ended.answers.revisions


def test_an_image_that_this_engine_does_not_have_is_refused_by_the_engines_name(production_here: Production) -> None:
    """I8, I12. Fails when `_find` in candidate.py does not name the Engine."""
    production_here.deploy(production_here.build(FIRST))
    before = production_here.state()

    ended = production_here.promote(SOURCE_IMAGE=f"sha256:{'0' * 64}", EXPECTED_REVISION=SECOND)

    assert_refused(production_here, before, ended)
    assert production_here.sandbox.docker.info()["ID"] in ended.reason
    assert "another Docker host" in ended.reason


def test_production_whose_image_is_gone_is_refused(production_here: Production) -> None:
    """I9. Fails when `_refuse_loss` in observe.py goes on without `previous`: there would be no way back."""
    production, image = production_here, production_here.build(SECOND)
    running = production.build(FIRST)
    production.deploy(running)
    production.container().stop()
    production.sandbox.cli("rmi", "--force", running.id)
    before = production.state()

    ended = production.promote(image)

    assert ended.end == (1, "refused"), ended.log
    assert production.state() == before
    assert "no longer has" in ended.reason


def test_a_foreign_container_on_productions_port_is_refused(production_here: Production) -> None:
    """I8. Fails when `_require_ours` in preflight.py is not asked."""
    production, image = production_here, production_here.build(SECOND)
    port = f"127.0.0.1:{production.app.production_port}:8000"
    foreign = f"{production.sandbox.name}-foreign"
    production.sandbox.cli("run", "--detach", "--name", foreign, "--publish", port, "python:3.13-slim", "sleep", "99")
    before = production.state()

    ended = production.promote(image)

    assert ended.end == (1, "refused"), ended.log
    assert production.state() == before
    assert foreign in ended.reason


def test_a_foreign_container_with_productions_name_is_refused(production_here: Production) -> None:
    """I8. Fails when `find_conflicts` in engine/conflicts.py compares no names."""
    production, image = production_here, production_here.build(SECOND)
    name = f"{production.app.project}-{production.app.production}-1"
    production.sandbox.cli("create", "--name", name, "python:3.13-slim")
    before = production.state()

    ended = production.promote(image)

    assert ended.end == (1, "refused"), ended.log
    assert production.state() == before
    assert name in ended.reason


def test_what_lives_in_productions_network_is_not_left_without_one(production_here: Production) -> None:
    """I8. Fails when `find_conflicts` in engine/conflicts.py does not ask `_left_behind`: a tunnel's way is lost."""
    production, image = production_here, production_here.build(SECOND)
    production.deploy(production.build(FIRST))
    tunnel, shared = f"{production.sandbox.name}-tunnel", f"container:{production.container().id}"
    production.sandbox.cli(
        "run", "--detach", "--init", "--name", tunnel, "--network", shared, BASE_IMAGE, "sleep", "99"
    )
    before = production.state()

    ended = production.promote(image)

    assert_refused(production, before, ended)
    assert f"`docker rm --force {tunnel}`" in ended.reason
    production.sandbox.cli("rm", "--force", tunnel)
    assert production.promote(image).end == (0, "promoted")


def test_a_process_on_productions_port_is_refused(production_here: Production) -> None:
    """I8. Fails when `find_conflicts` in engine/conflicts.py does not look for a listener that is no container."""
    image = production_here.build(SECOND)
    before = production_here.state()

    with socket.create_server(("127.0.0.1", production_here.app.production_port)):
        ended = production_here.runner.start("promote", SOURCE_IMAGE=image.id, EXPECTED_REVISION=SECOND).end()

    assert (ended.status, ended.outputs["outcome"]) == (1, "refused"), ended.log
    assert production_here.state() == before


def test_a_refusal_writes_with_no_docker_program_at_all(production_here: Production) -> None:
    """I8. Fails when anything in `_plan_application` in preflight.py changes the host through Docker's programs.

    `docker` and its plugins are there, but only `compose config` can be done with them.
    """
    production = production_here
    image = production.build(SECOND, label=THIRD)
    plugins.replace("compose", 'case "$*" in *" config "*) exec "$PLUGIN" "$@" ;; esac\nexit 99')
    plugins.replace("buildx", "exit 99")

    ended = production.promote(image)

    assert ended.end == (1, "refused"), ended.log


HEALTHCHECK = '    healthcheck: {{test: ["CMD", "{}"], interval: 200ms}}\n'
"""The last line of production's service."""


def test_an_image_whose_health_nobody_could_tell_is_refused(production_here: Production) -> None:
    """I12. Fails when `change` in preflight.py does not ask `require_health_source`."""
    production, running = production_here, production_here.build(FIRST)
    production.deploy(running)
    image = production.build(SECOND)
    before = production.state()

    for each in (image, running):
        ended = production.promote(each, HEALTH_PATH="none")

        assert_refused(production, before, ended)
        assert "neither the image nor the Compose file has a HEALTHCHECK" in ended.reason


def test_a_way_back_that_nobody_could_prove_is_refused(production_here: Production) -> None:
    """I9, I12. Fails when `require_health_source` in engine/health.py does not look at what production runs."""
    production, running = production_here, production_here.build(FIRST)
    production.deploy(running)
    base = f"{production.sandbox.name}-base:1"
    production.build(SECOND, tag=base)
    image = production.build_from(f"FROM {base}\nHEALTHCHECK --interval=200ms CMD true\n", revision=SECOND)
    before = production.state()

    ended = production.promote(image, HEALTH_PATH="none")

    assert_refused(production, before, ended)
    assert f"{running.id}, has no HEALTHCHECK: rolling back to it could not be verified" in ended.reason
    compose = production.app.repo.path / "compose.yaml"
    compose.write_text(compose.read_text() + HEALTHCHECK.format("true"))
    assert production.promote(image, HEALTH_PATH="none").end == (0, "promoted"), "the remedy that it names"
