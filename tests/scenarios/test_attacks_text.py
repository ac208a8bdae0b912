"""Text of others that a promotion has to show, from labels, logs and locks, commands neither runner nor terminal."""

import json

import pytest

from tests.support.engines import BASE_IMAGE
from tests.support.hostile_text import HOSTILE, assert_commands_nothing
from tests.support.promotions import FIRST, SECOND, Production
from tests.support.runner import Runner


def test_no_label_commands_the_runner(production_here: Production) -> None:
    """I5. Fails when a reason reaches GITHUB_OUTPUT without `one_line`, or the log without `_annotate`'s escapes."""
    production, image = production_here, production_here.build(SECOND, label=HOSTILE)
    port = f"127.0.0.1:{production.app.production_port}:8000"
    run = {"GITHUB_ACTIONS": "true", "GITHUB_REF": f"refs/heads/{HOSTILE}", "GITHUB_ACTOR": HOSTILE}

    candidate = production.promote(image, **run)
    labels = ("--label", f"com.docker.compose.project={HOSTILE}", "--label", f"com.docker.compose.service={HOSTILE}")
    named = ("--init", "--name", f"{production.sandbox.name}-foreign", "--publish", port)
    production.sandbox.cli("run", "--detach", *named, *labels, BASE_IMAGE, "sleep", "99")
    neighbour = production.promote(production.build(SECOND), **run)

    for ended in (candidate, neighbour):
        assert ended.end == (1, "refused"), ended.log
        assert "set-output" in ended.reason, "the text did not get there: this test looks at nothing"
        assert_commands_nothing(ended)


def test_no_line_of_productions_log_commands_the_runner(production_here: Production) -> None:
    """I5. Fails when `show_container_log` prints what a container says as a sentence of ours."""
    production = production_here
    production.deploy(production.build(FIRST))
    image = production.build(SECOND, {"log": HOSTILE, "exit_after": 0})

    ended = production.promote(image, GITHUB_ACTIONS="true")

    assert ended.end == (4, "rolled-back"), ended.log
    assert "│ outcome=promoted" in ended.log, "the text did not get there: this test looks at nothing"
    assert_commands_nothing(ended)


HELD = {
    "freshness.token": "0" * 32,
    "freshness.seconds": "3600",
    "freshness.pid": "1",
    "freshness.started": "1",
    **{f"freshness.{name}": HOSTILE for name in ("command", "revision", "who", "run", "host", "machine", "boot")},
}
"""The labels of a lock that somebody else holds, in text of their own."""


def prepare_lock(production: Production, labels: dict[str, str] | None) -> str:
    """Makes the volume that is production's lock, and returns its name."""
    name = f"freshness.{production.app.project}.{production.app.production}"
    named = labels and {"freshness.lock": name, **labels}
    tmpfs = {"type": "tmpfs", "device": "tmpfs"}
    production.sandbox.docker.volumes.create(name, driver="local", driver_opts=tmpfs, labels=named)
    return name


ODD: dict[str, dict[str, str] | None] = {
    "no labels": None,
    "another tool's labels": {"com.example": HOSTILE},
    "words for a number": HELD | {"freshness.seconds": "for ever"},
    "a time beyond all times": HELD | {"freshness.seconds": "9" * 18},
    "a container that is a path": HELD | {"freshness.container": "../../info"},
    "a record of no image": HELD | {"freshness.to": HOSTILE, "freshness.tag": HOSTILE},
}


@pytest.mark.parametrize("odd", ODD)
def test_a_volume_that_has_the_name_of_a_lock_alone_is_told_and_left(odd: str, production_here: Production) -> None:
    """Fails when `from_labels` in core/lock.py takes that for a lock."""
    production, image = production_here, production_here.build(SECOND)
    name, before = prepare_lock(production, ODD[odd]), production.state()

    ended = production.start("promote", SOURCE_IMAGE=image.id, EXPECTED_REVISION=SECOND, GITHUB_ACTIONS="true").end()

    assert (ended.status, ended.outputs["outcome"]) == (3, "error"), ended.log
    assert f"remove it: docker volume rm {name}" in ended.reason
    assert production.state() == before
    assert production.sandbox.docker.volumes.get(name).attrs["Labels"] == (
        {"freshness.lock": name, **(ODD[odd] or {})} if ODD[odd] else None
    )
    assert_commands_nothing(ended)


@pytest.mark.parametrize("seconds", ["3600", "1"])
def test_no_text_of_a_locks_holder_commands_the_runner(seconds: str, production_here: Production) -> None:
    """I5. Fails when `LockOwner.__str__` in core/lock.py does not quote what the labels say."""
    production, image = production_here, production_here.build(SECOND)
    prepare_lock(production, HELD | {"freshness.seconds": seconds})

    ended = production.start(
        "promote", SOURCE_IMAGE=image.id, EXPECTED_REVISION=SECOND, GITHUB_ACTIONS="true", LOCK_TIMEOUT="2"
    ).end()

    outcome = {"3600": (1, "refused"), "1": (0, "promoted")}[seconds]
    assert (ended.status, ended.outputs["outcome"]) == outcome, ended.log
    times = ended.log.count("promoted\\n::set-env")
    assert times > 0, "the text did not get there: this test looks at nothing"
    assert times % 5 == 0, "one of five values that each sentence tells is not quoted"
    assert_commands_nothing(ended)


@pytest.mark.parametrize("host", ["tcp://deploy:{}@127.0.0.1:1", "ssh://deploy:{}@127.0.0.1:1", "tcp://deploy:{}@"])
@pytest.mark.parametrize("command", ["gate", "promote"])
def test_no_password_of_the_engines_address_is_shown(command: str, host: str, runner: Runner) -> None:
    """Fails when `host_problems` in settings/docker_host.py lets it through: Compose would print it."""
    given = {"GIT_SHA": runner.app.repo.head(), "EXPECTED_REVISION": FIRST, "SOURCE_IMAGE": f"sha256:{'0' * 64}"}

    ended = runner.start(command, DOCKER_HOST=host.format("hunter2/4@home"), DOCKER_CERT_PATH="/nowhere", **given).end()

    assert ended.status == 2, ended.log
    assert "with a password" in ended.outputs["reason"]
    told = ended.log + ended.written + ended.summary + json.dumps(ended.report)
    assert not [part for part in ("hunter2", "@home") if part in told]
