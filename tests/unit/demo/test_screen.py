"""Who watches the demo sees how far act is; a pipe gets plain lines alone."""

import io

import pytest

from demo.screen import Screen
from freshness.ci.terminal import open_terminal


def test_the_line_that_ticks_says_which_check_ended_last() -> None:
    """Fails when `follow` takes every line of act's log, or what a check printed as it is."""
    terminal = open_terminal(io.StringIO(), {})
    watched = Screen(terminal=terminal)

    watched.follow({"jobID": "gate", "msg": "  ✓ build: sha256:1\x1b[31m (0.4 s)\n"})
    watched.follow({"jobID": "gate", "msg": "│ ✓ said by somebody else"})

    assert terminal.seen == ["gate: ✓ build: sha256:1 (0.4 s)"]


def test_nobody_watches_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    plain = Screen(terminal=None)
    with plain.working("act"):
        plain.follow({"msg": "✓ build"})
        plain.say("a\nb", "bold red")

    assert capsys.readouterr().out == "a\nb\n"
