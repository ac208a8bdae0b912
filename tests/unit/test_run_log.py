"""What a run says while it is at work: each check as it ends, what failed first of all, and nothing twice."""

import io
import os
import pty

from msgspec.structs import replace

from freshness.ci.log import Log
from freshness.ci.terminal import Ticking, open_terminal, wrapped
from freshness.core.check import Check, CheckName, CheckResult
from freshness.core.decision import explain
from freshness.core.hexid import with_short_ids
from freshness.core.verdict import Verdict
from freshness.report.check_lines import left_to_say, not_reached, took
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
        assert stream.getvalue() == "✓ commit: 1f0c2a9b7d6e\n"
        return found("here")

    run.check(CheckName.COMMIT, "a commit", lambda: found(COMMIT))
    run.check(CheckName.SERVICE, "a service", look)

    assert run.checks[0].got == COMMIT


def test_a_check_hands_on_its_value_and_records_what_it_got() -> None:
    """Fails when `check` drops the remedy of what failed, or raises for it: the container is looked at all the same."""
    run = RunLog(log=Log(io.StringIO(), actions=False))

    value = run.check(
        CheckName.HEALTH,
        "HTTP 2xx",
        lambda said: Found(value=said, got="HTTP 503", verdict=Verdict.UNHEALTHY, remedy="Look."),
        503,
    )

    (check,) = run.checks
    assert (value, check.result, check.verdict, check.got, check.remedy) == (
        503, CheckResult.FAILED, Verdict.UNHEALTHY, "HTTP 503", "Look.",
    )  # fmt: skip


def test_a_note_and_a_warning_are_told_once() -> None:
    """Fails when `_new` yields what is in the notes, or what is empty."""
    stream = io.StringIO()
    run = RunLog(log=Log(stream, actions=True))

    run.note("one", "", "two", "one")
    run.warn("Mounts", "three")
    run.warn("Mounts", "three")

    assert run.notes == ["one", "two", "three"]
    assert stream.getvalue() == "note: one\nnote: two\n::warning title=Mounts::three\n"


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

    assert (
        stream.getvalue()
        == "✗ health: HTTP 503; expected HTTP 2xx\n::error title=freshness gate%3A unhealthy::Mend it.\n"
    )


def test_what_was_not_reached_is_one_line() -> None:
    missing = [
        Check(name=name, result=CheckResult.NOT_RUN, got="", expected="") for name in (CheckName.HOLD, CheckName.HEAD)
    ]

    assert not_reached(missing) == "- not reached: hold, head"
    assert not_reached(()) == ""


def test_the_end_does_not_repeat_what_the_failed_checks_said() -> None:
    """Fails when `left_to_say` leaves a failed check's own sentence in, or takes away what to do."""
    failed = Check(
        name=CheckName.GUARD, result=CheckResult.FAILED, got="no label", expected="a label", remedy="Run the gate."
    )
    reason = f"{explain([failed])} Nothing was changed."

    assert reason == "Guard: no label; expected a label. Run the gate. Nothing was changed."
    assert left_to_say(reason, [failed]) == "Run the gate. Nothing was changed."
    assert left_to_say("The gate was interrupted.", [failed]) == "The gate was interrupted."


def test_time_is_told_where_it_took_some() -> None:
    check = Check(name=CheckName.BUILD, result=CheckResult.PASSED, got="", expected="")

    assert took(check) == ""
    assert took(replace(check, seconds=0.06)) == " (0.1 s)"


def test_ids_are_short_but_in_what_is_typed() -> None:
    """Fails when `with_short_ids` shortens what a person copies, or leaves an id whole elsewhere."""
    image = f"sha256:{COMMIT}{COMMIT[:24]}"

    assert with_short_ids(f"{COMMIT} and {image}") == f"{COMMIT[:12]} and {image[:19]}"
    assert with_short_ids(f"shop@{image}") == f"shop@{image}"
    assert with_short_ids(f"`gate {COMMIT}` {COMMIT}") == f"`gate {COMMIT}` {COMMIT[:12]}"
    assert with_short_ids(f"{COMMIT}; type: docker tag {image} a") == f"{COMMIT[:12]}; type: docker tag {image} a"


def on_a_terminal(env: dict[str, str], verdict: Verdict = Verdict.FRESH) -> str:
    """What a real one is told of a build that another's output is in and ends so, and of a failed health."""
    master, slave = pty.openpty()
    with os.fdopen(slave, "w", encoding="utf-8") as stream:
        log = Log(stream, actions=False, terminal=open_terminal(stream, {"TERM": "xterm", "COLUMNS": "80", **env}))
        run = RunLog(log=log)

        def build(verdict: Verdict) -> Found[None]:
            log.untrusted("[red]step 1\x1b[31m")
            return found("sha256:1", verdict)

        run.check(CheckName.BUILD, "an image", build, verdict)
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
    shown = on_a_terminal({}, Verdict.BUILD_FAILED)

    assert "build: an image · 0 s" in shown
    assert "│ [red]step 1\x1b[0m" in shown
    assert "\x1b[1;31m✗ health: HTTP 503" in shown


def test_a_build_that_passes_leaves_one_line_on_a_terminal() -> None:
    """Fails when `untrusted` prints what is folded, or `_telling` shows it although the check passed."""
    shown = on_a_terminal({})

    assert "│" not in shown
    assert "✓ build: sha256:1" in shown


def test_what_was_seen_last_stands_behind_the_time() -> None:
    """Fails when `render` drops what `Log.seen` was told."""
    terminal = open_terminal(io.StringIO(), {})
    Log(io.StringIO(), actions=False, terminal=terminal).seen("HTTP\n503")

    shown = Ticking(what="health: HTTP 2xx", seen=terminal.seen).render()

    assert str(shown) == "⠋ health: HTTP 2xx · 0 s · HTTP 503"
    assert shown.no_wrap


def test_sentences_break_between_words_and_commands_never() -> None:
    """Fails when `wrapped` cuts a word, or a command that a person copies."""
    line = "Look at the log above, then push a correction: `docker logs shop-web-1 --follow`. Or type: a b && c d e f"

    assert wrapped(line, 40) == [
        "Look at the log above, then push a",
        "  correction:",
        "  `docker logs shop-web-1 --follow`. Or",
        "  type: a b && c d e f",
    ]
    assert wrapped("", 40) == [""]
    assert wrapped(f"Run `docker logs {'a' * 50}`.", 40) == ["Run", f"  `docker logs {'a' * 50}`."]


def test_no_colour_where_none_is_wanted() -> None:
    assert "\x1b[1;31m" not in on_a_terminal({"NO_COLOR": "1"})
