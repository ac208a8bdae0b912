"""The step summary: readable, complete, below the runners' limit, and never markup that others wrote."""

import html
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from freshness.ci.sanitizing import printable
from freshness.core.check import Check, CheckName, CheckResult
from freshness.core.decision import explain
from freshness.core.revision import Revision
from freshness.errors import OutputError
from freshness.report.json_report import Report
from freshness.report.markdown import escaped, fenced, in_cell, link, with_code
from freshness.report.summary import append_summary, render_summary

SHA = "1f0c2a9b7d6e4f3a8b5c9d0e1f2a3b4c5d6e7f80"
PASSED = Check(name=CheckName.HEALTH, result=CheckResult.PASSED, got="200", expected="2xx", seconds=1.25)
REPORT = Report(
    command="gate",
    decision="fresh",
    reason="Every check passed.",
    started_at=datetime(2026, 1, 1, tzinfo=UTC),
    seconds=9.0,
    checks=(PASSED,),
    notes=("a note",),
    revision=Revision(commit=SHA, tree="0" * 40, committed_at=0, source="GITHUB_SHA", subject="Fix <b>"),
    image_id="sha256:1",
)


def test_it_says_what_was_decided_why_and_from_what() -> None:
    text = render_summary(REPORT, {})
    assert text.startswith(f"## ✅ gate: fresh\n\nCommit {SHA[:12]} Fix &lt;b&gt;\n\nEvery check passed.\n")
    assert f"* commit: {SHA}, from GITHUB\\_SHA\n" in text
    assert "* image ID: sha256:1\n" in text
    assert "| ✅&nbsp;health | 200 (1.2 s) |\n" in text
    assert text.endswith("\n* a note\n")
    assert "None" not in text


@pytest.mark.parametrize(
    "text",
    [
        "<script>",
        "a | b",
        "[x](y)",
        "**b**",
        "`c`",
        "line\n## head",
        "![i](u)",
        "~~s~~",
        "https://evil.example",
        "<!--",
        "@all",
    ],
)
def test_foreign_text_is_no_markup(text: str) -> None:
    shown = escaped(text)
    assert shown != text
    assert not {"<", ">", "\n", "@"} & set(shown)
    assert "://" not in shown


@pytest.mark.parametrize(
    "text",
    ["https://evil.example", "HTTP://evil.example", "ftp://evil.example", "www.evil.example", "see WwW.evil.example",
     "ann@evil.example", "mailto:ann@evil.example", "xmpp:ann@evil.example", "@team", "[a]: http://evil.example",
     "<http://evil.example>", "fixes #7", "o/n!7", "$\\href{//evil.example}{a}$"],
)  # fmt: skip
def test_no_renderer_makes_a_link_of_it_by_itself(text: str) -> None:
    """Fails when entities alone stand for them: GitHub and Gitea look for links in what they decoded."""
    shown = html.unescape(escaped(text))
    for found in ("://", "www.", "WwW.", "@team", "@evil", "#7", "!7"):
        assert found not in shown
    assert not re.search(r"(?<!\\)[\[\]$]", shown)


@given(st.text())
def test_no_text_leaves_its_cell(text: str) -> None:
    check = replace(PASSED, got=text, expected=text)
    rows = [
        line for line in render_summary(replace(REPORT, checks=(check,)), {}).split("\n") if line.startswith("| ✅")
    ]
    assert len(rows) == 1
    assert rows[0].replace("\\\\", "").replace("\\|", "").count("|") == 3


def test_what_failed_stands_first_with_the_last_lines_of_its_output() -> None:
    """Fails when the table comes before the output, or a check that was not reached has a row of its own."""
    failed = replace(
        PASSED, result=CheckResult.FAILED, got="HTTP 503", output=("Traceback", "```", "## not a heading", "KeyError")
    )
    missing = [replace(PASSED, name=name, result=CheckResult.NOT_RUN) for name in (CheckName.HOLD, CheckName.HEAD)]

    text = render_summary(replace(REPORT, decision="unhealthy", checks=(failed, *missing)), {})

    assert text.startswith("## ❌ gate: unhealthy\n")
    assert "\n````text\nTraceback\n```\n## not a heading\nKeyError\n````\n" in text
    assert text.index("Traceback") < text.index("| check | result |")
    assert "| ❌&nbsp;health | HTTP 503; expected 2xx (1.2 s) |\n| ⏭️&nbsp;not reached | hold, head |\n" in text


def test_what_to_do_stands_below_the_output_and_its_command_is_code() -> None:
    """Fails when the reason is one paragraph before the output, in which a newcomer does not find the way out."""
    failed = replace(
        PASSED, result=CheckResult.FAILED, got="HTTP 503", remedy="Look: `docker logs x`.", output=("KeyError",)
    )
    reason = f"{explain([failed])} Production stays as it is."

    text = render_summary(replace(REPORT, decision="unhealthy", reason=reason, checks=(failed,)), {})

    assert "\nHealth: HTTP 503; expected 2xx.\n\n```text\nKeyError\n```\n\n" in text
    assert "\n**What to do:** Look: `docker logs x`.\n\nProduction stays as it is.\n" in text


@pytest.mark.parametrize(
    ("decision", "sign"),
    [("fresh", "✅"), ("unchanged", "✅"), ("disabled", "⚠️"), ("error", "⚠️"), ("refused", "❌"), ("stranded", "❌")],
)
def test_the_sign_is_the_decisions(decision: str, sign: str) -> None:
    """Fails when a run that ended before its first check, at its settings, looks fine."""
    assert render_summary(replace(REPORT, decision=decision, checks=()), {}).startswith(f"## {sign} gate: {decision}")


@given(st.text(alphabet="`a<*@\\ "))
def test_what_is_code_is_on_one_line_and_all_else_is_no_markup(text: str) -> None:
    """Fails when a backtick of a foreign text lets what follows out."""
    outside = re.sub(r"(?<!\\)((?:\\\\)*)`[^`]+`", r"\1", with_code(text))

    assert not re.search(r"(?<!\\)(?:\\\\)*[`*]", outside)
    assert not {"<", "@"} & set(outside)


def test_a_long_name_may_break_on_a_narrow_screen_and_code_stays_whole() -> None:
    """Fails when `in_cell` breaks a short name, or writes markup into code."""
    assert in_cell("shop-web-1 on unix-sockets.example.org:8500") == (
        "shop-web-1 on unix-<wbr>sockets.<wbr>example.<wbr>org:<wbr>8500"
    )
    assert in_cell("`docker logs shop-web-1.example.org-staging-1 -f`") == (
        "`docker logs shop-web-1.example.org-staging-1 -f`"
    )


def test_blank_lines_around_an_output_are_left_out() -> None:
    assert fenced(["", "a", "", "b", " "]) == ["", "```text", "a", "", "b", "```"]
    assert fenced(["", ""]) == []


@given(st.lists(st.text(alphabet="`~ab\n\r\x1b")))
def test_no_line_closes_its_fence(lines: list[str]) -> None:
    """Fails when the fence has a fixed length."""
    found = fenced(lines)

    assert [line for line in found[2:-1] if line.strip().startswith(found[-1])] == []
    assert bool(found) == any(printable(line).strip() for line in lines)


def test_commit_and_run_are_links_where_a_forge_is_known() -> None:
    """Fails when a password of the address, or an address that is none, gets into a link."""
    env = {"GITHUB_SERVER_URL": "https://ann:secret@forge.example", "GITHUB_REPOSITORY": "o/n", "GITHUB_RUN_ID": "7"}

    text = render_summary(REPORT, env)

    assert f"Commit [{SHA[:12]}](https://forge.example/o/n/commit/{SHA}) Fix &lt;b&gt; · [run 7](" in text
    assert " · [run 7](https://forge.example/o/n/actions/runs/7)\n" in text
    for odd in ("", "javascript:alert(1)//", "https://forge.example)](x"):
        assert link("7", {**env, "GITHUB_SERVER_URL": odd}, "actions") == "7"


def test_it_stays_below_the_limit_and_says_what_is_missing() -> None:
    checks, notes = (replace(PASSED, got="🧨*" * 5000),) * 1000, ("🧨&" * 5000,) * 1000
    text = render_summary(replace(REPORT, checks=checks, notes=notes, reason="<" * 10**6), {})
    assert len(text.encode()) < 1024 * 1024
    assert "in the report and the log." in text


def test_it_is_appended_on_a_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    path.write_text("of another step")
    append_summary(path, render_summary(REPORT, {}))
    assert path.read_text().startswith("of another step\n## ✅ gate: fresh\n")
    append_summary(None, "nowhere")


def test_a_file_that_cannot_be_written_is_one_clear_error() -> None:
    with pytest.raises(OutputError, match="/dev/full"):
        append_summary(Path("/dev/full"), "x")
