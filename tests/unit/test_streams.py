"""A command whose answer nobody got says so, and never ends with the status of another answer."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-I", str(ROOT / "src")]
RESOLVE = ("resolve", "--offline", "--revision", "a" * 40)
UNWRITTEN = "freshness: The answer could not be written to standard output: "


def run(folder: Path, redirected: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command line in `folder`, its streams `redirected` as the shell does it."""
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirected}', "sh", *COMMAND, *arguments],
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "GITHUB_WORKSPACE": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    "arguments", [RESOLVE, (*RESOLVE, "--json"), ("resolve", "--offline", "--revision", "abc", "--json")]
)
@pytest.mark.parametrize("redirected", [">/dev/full", ">&-"])
def test_an_answer_that_cannot_be_written_is_no_answer(
    tmp_path: Path, redirected: str, arguments: tuple[str, ...]
) -> None:
    """Fails where Python's own flush at the end has the last word (120), or a closed stream counts as written (0)."""
    ended = run(tmp_path, redirected, *arguments)
    assert (ended.returncode, ended.stderr.count("\n")) == (3, 1)
    assert ended.stderr.startswith(UNWRITTEN)
    assert run(tmp_path, f"{redirected} 2>/dev/full", *arguments).returncode == 3, "where not even that can be said"


def test_a_pipe_that_nobody_reads_is_not_called_refused(tmp_path: Path) -> None:
    """Fails where Click ends with 1, which means refused; `--help` and `--version` are printed by Click itself."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        for arguments in (RESOLVE, ("--version",)):
            ended = subprocess.run(
                [*COMMAND, *arguments],
                env={"HOME": str(tmp_path), "GITHUB_WORKSPACE": str(tmp_path)},
                stdout=write_end,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
                timeout=60,
            )
            assert (ended.returncode, ended.stderr.startswith(UNWRITTEN)) == (3, True)
    finally:
        os.close(write_end)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_a_shell_asks_at_a_tab_is_answered_and_nothing_else_is_said(tmp_path: Path, shell: str) -> None:
    """Fails when `_run` takes the end of Click's completion for a pipe that nobody reads: each Tab printed that."""
    for instruction in (f"{shell}_source", f"{shell}_complete"):
        ended = subprocess.run(
            COMMAND,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "COMP_WORDS": "freshness prom",
                "COMP_CWORD": "prom" if shell == "fish" else "1",
                "_FRESHNESS_COMPLETE": instruction,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ("promote" if instruction == f"{shell}_complete" else "_FRESHNESS_COMPLETE") in ended.stdout


def test_a_reader_that_leaves_after_the_answer_changes_nothing(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, *RESOLVE, "--json"],
        env={"HOME": str(tmp_path), "GITHUB_WORKSPACE": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"{\n"
        running.stdout.close()
        assert running.wait(60) == 0


HOSTILE = "\x1b]0;title\x07\x1b[2J\x9b31m\u202eodd\x08\n::set-env name=X::1\n##[add-path]/x"


@pytest.mark.parametrize("how", ["answer", "complain", "usage"])
def test_what_others_wrote_commands_neither_terminal_nor_runner(how: str, tmp_path: Path) -> None:
    """Fails when streams.py prints a text as it is; the usage errors are Click's own, with the words of the call."""
    say = "from freshness.cli.streams import {0}; import os; {0}(os.environ['TEXT'])"
    command = [*COMMAND, HOSTILE] if how == "usage" else [sys.executable, "-c", say.format(how)]
    ended = subprocess.run(
        command,
        env={"HOME": str(tmp_path), "TEXT": HOSTILE, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    shown = ended.stdout + ended.stderr
    assert "odd" in shown, "it is printed, made harmless"
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown)
    assert not [line for line in shown.split("\n") if line.lstrip().startswith("::") or "##[" in line]


def test_an_answer_is_never_cut(tmp_path: Path) -> None:
    """Fails when `answer` cuts what is longer than a line of the log may be: JSON would end in the middle."""
    program = "from freshness.cli.streams import answer; answer('x' * 100_000)"
    ended = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True, check=True
    )
    assert ended.stdout == b"x" * 100_000 + b"\n"


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("--offline", "--revision", "abc"), 2),
        (("--offline", "--event", "none.json"), 2),
        (("--offline", "--event", "none.json", "--event-name", "push"), 2),
    ],
)
def test_with_json_an_error_is_an_object_too(tmp_path: Path, arguments: tuple[str, ...], status: int) -> None:
    """Fails where a program that reads the answer gets nothing to read."""
    ended = run(tmp_path, "", "resolve", *arguments, "--json")
    answer = json.loads(ended.stdout)
    assert (ended.returncode, answer["revision"], answer["tree"]) == (status, None, None)
    assert ended.stderr == f"freshness: {answer['reason']}\n"
    assert run(tmp_path, "", "resolve", *arguments).stdout == ""


def test_with_json_the_settings_file_and_the_repository_are_no_exception(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /nowhere\n")
    for arguments, status in ((("--env-file", "none", *RESOLVE), 2), (RESOLVE, 3)):
        ended = run(tmp_path, "", *arguments, "--json")
        assert (ended.returncode, json.loads(ended.stdout)["revision"]) == (status, None)


@pytest.mark.parametrize("command", ["gate", "promote", "rollback"])
def test_the_report_goes_to_standard_output_and_the_log_to_standard_error(tmp_path: Path, command: str) -> None:
    """Fails when `open_run` leaves the log on standard output, or `tell` gives no report of a run that never began."""
    ended = run(tmp_path, "", command, "--json", "--port", "none")

    told = json.loads(ended.stdout)
    assert ended.returncode == 2
    assert (told["format"], told["decision"], told["command"].split()[-1]) == (1, "error", command)
    assert "none" in told["reason"]
    assert ended.stderr.count("✗ freshness") == 1


def test_a_report_that_nobody_gets_is_no_answer(tmp_path: Path) -> None:
    """Fails when `tell` goes on after an answer that cannot be written."""
    ended = run(tmp_path, ">/dev/full", "gate", "--json", "--port", "none")
    assert ended.returncode == 3
    assert ended.stderr.splitlines()[-1].startswith(UNWRITTEN)
