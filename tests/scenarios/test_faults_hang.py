"""A Docker Engine that takes calls and does not answer: nothing waits for ever, and nothing goes on behind our back."""

from pathlib import Path

import pytest

from tests.support.docker_proxy import docker_proxy
from tests.support.faults import (
    BEFORE_THE_FIRST_WRITE,
    WHILE_PRODUCTION_CHANGES,
    WHILE_STAGING_CHANGES,
    Moment,
    daemon_of,
    parametrize,
)
from tests.support.promotions import FIRST, SECOND, SHORT, Production
from tests.support.runner import command_of

SECONDS = "3"
"""For an answer; a busy machine's Engine needs more than one."""
IMPATIENT = {"ENGINE_TIMEOUT": SECONDS, "BUILD_TIMEOUT": "20", "CHECK_TIMEOUT": "4", **SHORT}
NAMED = f"answer within {SECONDS} s"
COMMANDS: dict[str, object] = {
    "rollback": ("rollback",),
    "unlock": ("unlock",),
    "status": ("status",),
    "verify": ("verify", "python:3.13-slim", "--revision", FIRST),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    parametrize(metafunc, "early", BEFORE_THE_FIRST_WRITE, "it has listed the containers")
    parametrize(metafunc, "moment", WHILE_PRODUCTION_CHANGES, "the old container was stopped")
    parametrize(metafunc, "command", COMMANDS, "unlock", "verify")
    parametrize(metafunc, "gating", WHILE_STAGING_CHANGES, "it builds")


def children_left(production: Production) -> list[str]:
    """Command lines that name the application's folder: those of Compose and buildx."""
    commands = (command_of(int(path.name)) for path in Path("/proc").iterdir() if path.name.isdigit())
    return [command for command in commands if str(production.app.repo.path) in command and "docker" in command]


def test_an_engine_that_hangs_before_the_first_write_changes_nothing(
    early: Moment, production_here: Production
) -> None:
    """I8. Fails when `reach` in engine/client.py is not given the setting, or waits for ever."""
    production, running = production_here, production_here.build(FIRST)
    production.deploy(running)
    image = production.build(SECOND)
    before = production.state()

    with docker_proxy(production.sandbox.engine.host) as proxy:
        early.order(proxy, proxy.hang)
        ended = production.promote(image, DOCKER_HOST=proxy.host, **IMPATIENT)

    assert ended.end == (3, "error"), ended.log
    assert NAMED in ended.reason
    assert production.state() == before
    production.assert_serves(running)
    assert production.promote(image).end == (0, "promoted")
    production.assert_serves(image)


def test_an_engine_that_hangs_while_production_changes_is_said_and_the_next_run_mends_it(
    moment: Moment, production_here: Production
) -> None:
    """I8, I9. Fails when `finish` in children.py waits on, or leaves a Compose that changes production later."""
    production = production_here
    production.deploy(production.build(FIRST))
    image = production.build(SECOND)

    with docker_proxy(production.sandbox.engine.host) as proxy:
        moment.order(proxy, proxy.hang)
        ended = production.promote(image, DOCKER_HOST=proxy.host, **IMPATIENT)

    assert ended.end == (5, "stranded"), ended.log
    assert NAMED in ended.reason
    assert "A person is needed" in ended.reason
    assert children_left(production) == []
    again = production.promote(image)
    assert again.end in {(0, "promoted"), (0, "unchanged")}, again.log
    production.assert_serves(image)


@pytest.mark.under_fire
def test_a_dockerd_that_hangs_and_goes_on_finds_nothing_left_to_do(fragile_production: Production) -> None:
    """I9. Fails when what was asked of the Engine before it hung is all that the next run looks at."""
    production = fragile_production
    production.deploy(production.build(FIRST))
    image, daemon = production.build(SECOND), daemon_of(production.sandbox)

    with docker_proxy(production.sandbox.engine.host) as proxy:
        proxy.before("POST /containers/*/stop", daemon.hang)
        ended = production.promote(image, DOCKER_HOST=proxy.host, **IMPATIENT)
        assert ended.end == (5, "stranded"), ended.log
        daemon.go_on()

    again = production.promote(image)
    assert again.end in {(0, "promoted"), (0, "unchanged")}, again.log
    production.assert_serves(image)


def test_an_engine_that_hangs_closes_the_gate(gating: Moment, production_here: Production) -> None:
    """I5, I6. Fails when `stream` in process/children.py waits on, or `end` of Building blames the Dockerfile."""
    production, running = production_here, production_here.build(FIRST)
    production.deploy(running)

    with docker_proxy(production.sandbox.engine.host) as proxy:
        gating.order(proxy, proxy.hang)
        ended = production.runner.gate(DOCKER_HOST=proxy.host, **IMPATIENT)

    assert ended.decision == ("closed", "error", 3), ended.log
    assert NAMED in ended.reason
    assert children_left(production) == []
    production.assert_serves(running)
    again = production.runner.gate()
    assert again.decision == ("open", "fresh", 0), again.log


def test_a_build_that_does_not_end_is_a_failed_build(production_here: Production) -> None:
    """I5. Fails when `end` of Building in engine/build.py gives `stream` no time, or calls it the Engine's error."""
    runner = production_here.runner
    dockerfile = (runner.app.repo.path / "Dockerfile").read_text()
    runner.app.repo.commit({"Dockerfile": f"{dockerfile}RUN sleep 3600\n"})

    ended = runner.gate(BUILD_TIMEOUT="2")

    assert ended.decision == ("closed", "build-failed", 1), ended.log
    assert "longer than 2 s" in ended.reason
    assert runner.containers(runner.app.staging) == []


def test_the_other_commands_do_not_wait_for_ever_either(command: tuple[str, ...], production_here: Production) -> None:
    """Fails when the command does not read `engine-timeout`."""
    production_here.deploy(production_here.build(FIRST))
    with docker_proxy(production_here.sandbox.engine.host) as proxy:
        proxy.after("GET /info", proxy.hang)
        ended = production_here.runner.start(*command, DOCKER_HOST=proxy.host, ENGINE_TIMEOUT="2").end()

    assert ended.status == 3, ended.log
    assert "answer within 2 s" in ended.log
