"""The staging check runs inside the fresh container, after health, and any end but 0 closes the gate."""

from pathlib import Path

import pytest

from freshness.core.decision import REQUIRED
from tests.support.applications import behave, static_application
from tests.support.engines import Sandbox
from tests.support.runner import Runner, eventually

ENDS: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    "it exits with 1": ({"check": "fail"}, {}, "exit status 1"),
    "it is killed": ({"check": "kill"}, {}, "exit status 137"),
    "it is missing": ({}, {"STAGING_CHECK_PATH": "scripts/missing.py"}, "The image lacks the check script"),
    "its program is missing": ({}, {"CHECK_COMMAND": "/opt/missing --fast"}, "No such file or directory"),
    "it does not end": ({"check": "hang"}, {"CHECK_TIMEOUT": "1"}, "timed out and was killed"),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_check_that_does_not_pass_closes_the_gate(end: str, runner: Runner) -> None:
    """I4. Breaks when `check_staging` in gate/proof.py no longer fails for that end."""
    behaviour, settings, words = ENDS[end]
    runner.app.repo.commit(behave(**behaviour))

    ended = runner.gate(**settings)

    assert ended.decision == ("closed", "check-failed", 1), ended.log
    assert words in ended.reason
    assert ended.checks()["health"] == "passed"
    assert ended.outputs["image-id"] == ""
    assert runner.staging().status == "running", "a failed staging container stays, for a look"
    eventually(lambda: runner.processes() == 1, "the end of the check in the container", seconds=5)


def test_a_check_that_does_not_end_is_killed_also_where_there_is_no_python(engine: Sandbox, tmp_path: Path) -> None:
    """I4. Breaks when `run_staging_check` no longer runs what has no Python within `no_orphan`."""
    runner = Runner(sandbox=engine, app=static_application(tmp_path / "app", engine), folder=tmp_path)

    ended = runner.gate(CHECK_COMMAND="/httpd -f -p 9999", CHECK_TIMEOUT="1")

    assert ended.decision == ("closed", "check-failed", 1), ended.log
    eventually(lambda: runner.processes() == 1, "the end of the check in the container", seconds=5)


def test_an_image_without_python_needs_a_check_command_of_its_own(machine_only: Sandbox, tmp_path: Path) -> None:
    """I4. Breaks when a missing `python3` is taken for a check that need not run."""
    runner = Runner(sandbox=machine_only, app=static_application(tmp_path / "app", machine_only), folder=tmp_path)

    ended = runner.gate(CHECK_COMMAND="")

    assert ended.decision == ("closed", "check-failed", 1), ended.log
    assert "set `check-command` to one that it has" in ended.reason


def test_the_check_runs_after_health_in_the_fresh_container_and_knows_its_commit(runner: Runner) -> None:
    """I4. Breaks when the check runs before health (the service is not listening yet), or anywhere but inside."""
    probe = (
        "import os, socket, sys, urllib.request as u\n"
        "said = u.urlopen(os.environ['BASE_URL'] + '/version').read().decode()\n"
        "print(socket.gethostname(), os.environ['BASE_URL'], sys.argv[1:])\n"
        "sys.exit(not said == os.environ['GIT_SHA'] == os.environ['REVISION'])\n"
    )
    head = runner.app.repo.commit({**behave(start_seconds=1), "scripts/probe.py": probe})

    ended = runner.gate(CHECK_COMMAND="python3 scripts/probe.py 'two words'", GIT_SHA=head)

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert f"│ {str(runner.staging().id)[:12]} http://localhost:8000 ['two words']" in ended.log


def test_the_checks_script_gets_its_mode_and_the_port_inside(runner: Runner) -> None:
    """Breaks when `_check_command` gives the published port, or not the mode."""
    ended = runner.gate(STAGING_CHECK_MODE="full")

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert "checking http://localhost:8000 in mode full" in ended.log


def test_foreign_text_opens_nothing(runner: Runner) -> None:
    """I5. Breaks when `Log.foreign` no longer marks each line, or a check's text reaches the outputs unescaped."""
    attack = "::set-output name=gate::open\n::set-env name=A::b\n##[set-output name=gate;]open\r\ngate=open"
    runner.app.repo.commit(behave(check="fail", check_log=attack, log=attack, health=503))
    unhealthy = runner.gate(GITHUB_ACTIONS="true", HEALTH_RETRIES="1", HEALTH_INTERVAL="0.5")
    runner.app.repo.commit(behave(check="fail", check_log=attack))
    failed = runner.gate(GITHUB_ACTIONS="true")

    assert unhealthy.decision == ("closed", "unhealthy", 1), unhealthy.log
    assert failed.decision == ("closed", "check-failed", 1), failed.log
    ours = ("::group::", "::endgroup::", "::error ", "::warning ")
    for ended in (unhealthy, failed):
        assert "│ ::set-output" in ended.log, "the attack did not reach the log: this test looks at nothing"
        lines = ended.log.splitlines()
        assert not [line for line in lines if line.lstrip().startswith("::") and not line.startswith(ours)]
        assert not [line for line in lines if "##[" in line]
        assert [line for line in ended.written.splitlines() if line.startswith("gate=")] == ["gate=closed"] * 2


def test_of_endless_output_the_first_and_the_last_are_shown(runner: Runner) -> None:
    """Breaks when `run_staging_check` hands its output on without `excerpt`: these are 50 MB."""
    flood = "[print('test ' * 2000) for _ in range(5000)]; print('the end'); raise SystemExit(1)"

    ended = runner.gate(CHECK_COMMAND=f'python3 -c "{flood}"')

    assert ended.decision == ("closed", "check-failed", 1), ended.log
    assert "exit status 1; its last line: the end" in ended.reason
    assert "│ the end\n" in ended.log
    assert "are omitted here" in ended.log
    assert len(ended.log) < 1_500_000


def test_a_report_holds_every_check_with_its_time(runner: Runner) -> None:
    """Breaks when a failed check ends the run before `same container`, or a step is not timed."""
    runner.app.repo.commit(behave(check="fail"))

    ended = runner.gate()

    assert sorted(ended.checks()) == sorted(REQUIRED)
    reached = [check for check in ended.report["checks"] if check["result"] != "not-run"]
    assert [check["name"] for check in reached] == [
        name for name in REQUIRED if name != "hold"
    ]  # nothing to hold out for
    assert all(check["seconds"] > 0 for check in reached)
    assert ended.report["revision"]["commit"] == runner.app.repo.head()
