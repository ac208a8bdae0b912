"""The page shows the identity, escapes it, and its policy fits its style."""

from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256

from freshness.board.identity import Identity
from freshness.board.page import CONTENT_SECURITY_POLICY, render

COMMIT = "6147797436430ffca19e9c3c288de2a446da7b59"
STARTED = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def page(revision: str | None = COMMIT, target: str | None = "staging") -> str:
    return render(Identity(revision=revision, target=target, started=STARTED))


def bars(html: str) -> str:
    return html[html.index("<svg ") : html.index("</svg>")]


def test_the_page_shows_revision_target_and_start() -> None:
    html = page()

    assert f"<code>{COMMIT}</code>" in html
    assert "<code>6147797</code>" in html
    assert '<span class="target">staging</span>' in html
    assert '<time datetime="2026-03-01T12:30:00+00:00">01 March 2026, 12:30:00 UTC</time>' in html


def test_each_digit_has_a_bar_and_other_commits_have_other_bars() -> None:
    assert page().count("<rect ") == len(COMMIT)
    assert bars(page()) != bars(page(COMMIT[::-1]))


def test_a_target_cannot_write_html() -> None:
    html = page(target="<script>alert(1)</script>")

    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert '<body class="other known">' in html


def test_an_unknown_revision_is_said_and_not_drawn_as_one() -> None:
    html = page(revision=None)

    assert '<body class="staging unknown">' in html
    assert "cannot say which commit it holds" in html
    assert "0000000" not in html


def test_the_policy_allows_the_page_s_own_style_and_no_other() -> None:
    style = page().split("<style>")[1].split("</style>")[0]

    assert f"style-src 'sha256-{b64encode(sha256(style.encode()).digest()).decode()}';" in CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert " style=" not in page()
