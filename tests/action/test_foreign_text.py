"""Foreign text in the log of a failing gate sets nothing: no output, no variable, no path, wherever it comes from."""

import json
import re
from pathlib import Path

import pytest

from tests.action.gating import ALWAYS, Job, Step, broken_copy, gate_job, in_a_row, seen
from tests.support.act import RELEASED, Act, ActRun, write_workflow
from tests.support.applications import Application, behave, python_application
from tests.support.engines import BASE_IMAGE, Sandbox
from tests.support.git import Content
from tests.support.runner import pull_request

SWITCH = "ORCH_IMAGE_FRESHNESS_ENABLED"
COMMANDS = (
    "::set-output name=gate::open",
    f"::set-env name={SWITCH}::false",
    "::add-path::/foreign",
    "##[set-output name=gate]open",
    f"##[set-env name={SWITCH}]false",
    "gate=open",
)
BEFORE = ("", "  \t", "text\r", "\x1b[32m", "\x1b]0;title\x07", "\u2028", "\0")
HOSTILE = "".join(f"{before}{command}\n" for before in BEFORE for command in COMMANDS)
LINES = HOSTILE.replace("\0", "")  # where an argument or a variable must hold it
LFS_POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"
OBEDIENT = {"ACTIONS_ALLOW_UNSECURE_COMMANDS": "true"}
"""Makes act set variables and the path, as Gitea's runner does without being asked to."""
TELL: Step = {"if": ALWAYS, "shell": "sh", "run": f'echo "the switch is [${SWITCH}], the path [$PATH]"'}


def hostile_jobs(app: Application, uses: str = RELEASED) -> dict[str, Job]:
    """By where their text comes from; the message of each commit is hostile too."""
    dockerfile = (app.repo.path / "Dockerfile").read_text()
    noisy = f"FROM {BASE_IMAGE}\nCOPY text /\nRUN cat /text >&2 && : '{COMMANDS[3]}' && exit 1\n"
    files: dict[str, dict[str, Content]] = {
        "build": {"text": HOSTILE, "Dockerfile": noisy},
        "container": {"text": None, "Dockerfile": dockerfile, **behave(log=HOSTILE, exit_after=0)},
        "check": behave(check_log=HOSTILE, check="fail"),
        "names": {f"x\n{COMMANDS[0]}": LFS_POINTER, COMMANDS[1]: LFS_POINTER, COMMANDS[3]: LFS_POINTER},
    }
    return {
        name: gate_job(app, {"revision": app.repo.commit(files[name], LINES)}, uses=uses, env=OBEDIENT, after=(TELL,))
        for name in files
    }


def run_hostile(act: Act, app: Application, tmp_path: Path, jobs: dict[str, Job]) -> ActRun:
    """As a pull request whose branch, title and author are hostile as well."""
    pull_request(tmp_path / "event.json", app.repo.head())
    event = json.loads((tmp_path / "event.json").read_text())
    event["pull_request"] |= {"title": LINES, "body": LINES, "user": {"login": LINES}}
    event["pull_request"]["head"]["ref"] = LINES
    workflow = write_workflow(tmp_path / "w.yml", on="pull_request", jobs=in_a_row(jobs))
    return act.run(workflow, repo=app.repo.path, event_name="pull_request", event=event)


def test_no_foreign_text_sets_anything(act_on_machine: Act, machine_only: Sandbox, tmp_path: Path) -> None:
    """I5. Breaks when `Log.foreign` no longer marks its lines; the test below shows that this one would see it."""
    app = python_application(tmp_path / "app", machine_only)

    run = run_hostile(act_on_machine, app, tmp_path, hostile_jobs(app))

    assert seen(run) == {
        "build": ("closed", "build-failed"),
        "container": ("closed", "unhealthy"),
        "check": ("closed", "check-failed"),
        "names": ("closed", "refused"),
    }, run.log
    assert told(run) == [f"the switch is [], the path [{path}]" for path in paths(run)]
    assert obeyed(run) == []
    for place in (COMMANDS[0], "set-env"):
        assert run.log.count(place) >= len(BEFORE) * 3, "the text did not reach the log: this test looks at nothing"
    assert {len(run.outputs(name)["reason"].splitlines()) for name in seen(run)} == {1}


def test_text_that_is_not_marked_would_be_obeyed(act_on_machine: Act, machine_only: Sandbox, tmp_path: Path) -> None:
    """Shows that the test above can fail: in a copy of the action, foreign lines are printed as they are."""
    app = python_application(tmp_path / "app", machine_only)
    raw = broken_copy(app, "raw", "src/freshness/ci/log.py", "_MARK + shown", "line")

    run = run_hostile(act_on_machine, app, tmp_path, {"check": hostile_jobs(app, raw)["check"]})

    assert "the switch is [false], the path [/foreign" in run.log, run.log
    assert obeyed(run) != []


def told(run: ActRun) -> list[str]:
    return re.findall(r"\| (the switch is \[.*)", run.log)


def paths(run: ActRun) -> list[str]:
    """The path of each job, which begins with nothing foreign."""
    found = re.findall(r"\| the switch is \[.*?\], the path \[(.*)\]", run.log)
    return [path for path in found if "foreign" not in path] or pytest.fail(run.log)


def obeyed(run: ActRun) -> list[str]:
    """The commands to set a variable, a path, or `gate` to open that act says it obeyed."""
    return re.findall(r"⚙  ::(?:set-env:: ORCH|add-path:: |set-output:: gate=open).*", run.log)
