"""What a run says while it is at work: each check as it ends, what failed first of all, and nothing twice."""

import io
import os
import pty

from freshness.ci.log import Log
from freshness.ci.terminal import Ticking, open_terminal
from freshness.core.check import Check, CheckName, CheckResult
from freshness.core.verdict import Verdict
from freshness.report.check_lines import not_reached
from freshness.report.run_log import RunLog
from freshness.report.steps import Found

COMMIT = "1f0c2a9b7d6e4f3a8b5c9d0e1f2a3b4c5d6e7f80"


def found(got: str, verdict: Verdict = Verdict.FRESH) -> Found[None]:
    return Found(value=None, got=got, verdict=verdict)


def test_a_check_is_told_as_it_ends_with_short_ids() -> None:
    """Fails when `check` leaves the telling to the end, or `with_short_ids` cuts nothing."""
    stream = io.StringIO()
    run = RunLog(log=Log(stream, actions=True))

    def look() -> Found[None]:
        assert stream.getvalue().startswith("✓ commit: 1f0c2a9b7d6e (")
        return found("here")

    run.check(CheckName.COMMIT, "a commit", lambda: found(COMMIT))
    run.check(CheckName.SERVICE, "a service", look)

    assert run.checks[0].got == COMMIT


def test_what_is_quiet_says_what_failed_and_how_it_ended() -> None:
    """Fails when `tell_check` is as silent about what failed as about the rest, or a group shows in a runner's log."""
    stream = io.StringIO()
    log = Log(stream, actions=True, quiet=True)
    run = RunLog(log=log)

    run.check(CheckName.BUILD, "an image", lambda: found("sha256:1"))
    run.note("a note")
    with log.group("Build"):
        log.untrusted("foreign")
    run.check(CheckName.HEALTH, "HTTP 2xx", lambda: found("HTTP 503", Verdict.UNHEALTHY))
    log.error("freshness gate: unhealthy", "Mend it.")

    assert stream.getvalue() == "✗ health: HTTP 503 (0.0 s)\n::error title=freshness gate%3A unhealthy::Mend it.\n"


def test_what_was_not_reached_is_one_line() -> None:
    missing = [
        Check(name=name, result=CheckResult.NOT_RUN, got="", expected="") for name in (CheckName.HOLD, CheckName.HEAD)
    ]

    assert not_reached(missing) == "- not reached: hold, head"
    assert not_reached(()) == ""


def on_a_terminal(env: dict[str, str]) -> str:
    """What a real one is told of a build that another's output is in, and of a failed health."""
    master, slave = pty.openpty()
    with os.fdopen(slave, "w", encoding="utf-8") as stream:
        log = Log(stream, actions=False, terminal=open_terminal(stream, {"TERM": "xterm", "COLUMNS": "80", **env}))
        run = RunLog(log=log)

        def build() -> Found[None]:
            log.untrusted("[red]step 1\x1b[31m")
            return found("sha256:1")

        run.check(CheckName.BUILD, "an image", build)
        run.check(CheckName.HEALTH, "HTTP 2xx", lambda: found("HTTP 503", Verdict.UNHEALTHY))
    shown = b""
    while True:
        try:
            shown += os.read(master, 10_000)
        except OSError:  # EIO: nobody has the other end any more
            break
    os.close(master)
    return shown.decode()


def test_a_terminal_ticks_while_it_waits_and_shows_what_failed_in_red() -> None:
    """Fails when `ticking` opens no live line, or `write` takes what others wrote for markup."""
    shown = on_a_terminal({})

    assert "build: an image · 0 s" in shown
    assert "│ [red]step 1\x1b[0m" in shown
    assert "\x1b[1;31m✗ health: HTTP 503" in shown


def test_what_was_seen_last_stands_behind_the_time() -> None:
    """Fails when `render` drops what `Log.seen` was told."""
    terminal = open_terminal(io.StringIO(), {})
    Log(io.StringIO(), actions=False, terminal=terminal).seen("HTTP\n503")

    shown = Ticking(what="health: HTTP 2xx", seen=terminal.seen).render()

    assert str(shown) == "⠋ health: HTTP 2xx · 0 s · HTTP 503"
    assert shown.no_wrap


def test_no_colour_where_none_is_wanted() -> None:
    assert "\x1b[1;31m" not in on_a_terminal({"NO_COLOR": "1"})
