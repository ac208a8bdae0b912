"""The job's log: whatever is written into it, no runner finds a command that is not ours."""

import io
import os
import subprocess
import sys
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.ci.log import Log
from freshness.ci.sanitizing import one_line

ATTACKS = [
    "::set-output name=gate::open",
    "  ::set-env name=X::1",
    "\u3000::add-path::/x",
    "\ufeff::add-path::/x",
    "\x1b[0m::set-env name=X::1",
    "\x08::stop-commands::x",
    "fine\r::set-output name=gate::open",
    "fine\r\n::set-output name=gate::open",
    "text ##[set-output name=gate]open",
    "\x1b]0;title\x07##[add-path]/x",
    "#\x00#[add-path]/x",
    "::error::\u2028::warning::x",
]


def written(say: str, text: str | bytes, *, actions: bool = True) -> list[str]:
    stream = io.StringIO(newline="")
    getattr(Log(stream, actions=actions), say)(text)
    return stream.getvalue().split("\n")[:-1]


def commands(lines: list[str]) -> list[str]:
    """What a runner takes for a command: GitHub's trims the line first, and finds the old form anywhere in it."""
    return [line for line in lines if line.strip().startswith("::") or "##[" in line or "\r" in line]


@pytest.mark.parametrize("text", ATTACKS)
@pytest.mark.parametrize("say", ["say", "untrusted"])
def test_foreign_text_commands_no_runner(say: str, text: str) -> None:
    lines = written(say, text)
    assert lines
    assert commands(lines) == []


@pytest.mark.parametrize(
    "number",
    [
        0x61C, 0x180E, 0x200B, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0xFEFF,
        *range(0xFFF9, 0xFFFC), 0xE0000, 0xE0041, 0xE007F,
    ],
)  # fmt: skip
def test_no_character_turns_a_line_around_or_hides_in_it(number: int) -> None:
    """Fails when one of the marks is missing from `_MISLEADING`."""
    for say in ("say", "untrusted"):
        assert chr(number) not in "".join(written(say, f"a{chr(number)}b"))
    assert chr(number) not in one_line(f"a{chr(number)}b")


@given(st.text())
def test_no_text_commands_runner_or_terminal(text: str) -> None:
    for say in ("say", "untrusted"):
        lines = written(say, text)
        assert commands(lines) == []
        assert not {character for line in lines for character in line if character < " " and character != "\t"}


@given(st.binary())
def test_no_bytes_command_runner_or_terminal(data: bytes) -> None:
    lines = written("untrusted", data)
    assert all(line.startswith("│ ") for line in lines)
    assert commands(lines) == []


def test_foreign_lines_are_marked_and_otherwise_as_they_were() -> None:
    assert written("untrusted", "a\n\n  b\tß\n") == ["│ a", "│ ", "│   b\tß"]


def test_colours_and_titles_are_taken_out() -> None:
    assert written("untrusted", "\x1b[1;31mred\x1b[0m \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\x9b") == ["│ red link"]


def test_a_very_long_line_is_cut_and_says_so() -> None:
    (line,) = written("untrusted", "x" * 10_000)
    assert len(line) < 4100
    assert line.endswith("(6000 more characters)")


def test_annotations_escape_what_would_end_them() -> None:
    (line,) = written_annotation("a:b,c\n::x", "100 %\nsecond", actions=True)
    assert line == "::error title=a%3Ab%2Cc %3A%3Ax::100 %25%0Asecond"


def test_an_annotation_cannot_hold_another_command() -> None:
    (line,) = written_annotation("##[add-path]x", "##[add-path]y\n::set-env name=X::1", actions=True)
    assert "##[" not in line


def test_outside_a_runner_an_annotation_is_a_line() -> None:
    assert written_annotation("gate", "closed", actions=False) == ["error: closed"]


def written_annotation(title: str, text: str, *, actions: bool) -> list[str]:
    stream = io.StringIO()
    Log(stream, actions=actions).error(title, text)
    return stream.getvalue().splitlines()


def test_a_group_ends_whatever_happens_inside() -> None:
    stream = io.StringIO()
    log = Log(stream, actions=True)
    with suppress(LookupError), log.group("Build\n::x ##[y]"):
        log.say("inside")
        raise LookupError
    assert stream.getvalue().splitlines() == ["::group::Build ::x # #[y]", "inside", "::endgroup::"]


def test_outside_a_runner_a_group_is_its_title() -> None:
    stream = io.StringIO()
    with Log(stream, actions=False).group("Build"):
        pass
    assert stream.getvalue() == "Build\n"


def test_each_line_is_there_at_once() -> None:
    reader, writer = os.pipe()
    with open(reader, "rb", buffering=0) as readable, open(writer, "w", encoding="utf-8") as stream:  # noqa: PTH123 -- descriptors
        Log(stream, actions=False).say("now")
        assert readable.read(100) == b"now\n"


def test_a_stream_that_knows_only_ascii_gets_question_marks() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    Log(stream, actions=False).untrusted("ß")
    assert raw.getvalue() == b"? ?\n"


def test_a_closed_stream_fails_nobody() -> None:
    stream = io.StringIO()
    stream.close()
    Log(stream, actions=True).say("unheard")


def test_a_reader_that_went_away_does_not_change_the_exit_status() -> None:
    program = (
        "import sys; from freshness.ci.log import Log; log = Log(sys.stdout, actions=False); sys.stdin.read(); "
        "[log.say('x' * 1000) for _ in range(1000)]; sys.exit(7)"
    )
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as child:
        assert child.stdout is not None
        child.stdout.close()
        _, said = child.communicate(b"")
    assert (child.returncode, said) == (7, b"")
