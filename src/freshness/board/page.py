"""Draws the board's page from an identity; it needs nothing but itself, and its policy lets it fetch nothing."""

from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template

from freshness.board.identity import Identity

_FOLDER = files("freshness.board")
_STYLE = _FOLDER.joinpath("page.css").read_text(encoding="utf-8")
_PAGE = Template(_FOLDER.joinpath("page.html").read_text(encoding="utf-8"))

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'",
        "img-src data:",  # the icon in the page
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

_UNKNOWN = "This image was built without a revision, so the board cannot say which commit it holds."
_KNOWN = "The commit that this image was built from. Same bars, same commit."


def render(identity: Identity) -> str:
    """The page as HTML text; whatever the environment said is escaped."""
    revision = identity.revision
    return _PAGE.substitute(
        style=_STYLE,
        kind=identity.target if identity.target in {"staging", "production"} else "other",
        target=escape(identity.target or "no target"),
        state="known" if revision else "unknown",
        short=revision[:7] if revision else "unknown",
        bars=_bars(revision or "0" * 40),
        meaning=_KNOWN if revision else _UNKNOWN,
        revision=revision or "not known",
        started_at=identity.started.isoformat(timespec="seconds"),
        started=f"{identity.started:%d %B %Y, %H:%M:%S} UTC",
    )


def _bars(digits: str) -> str:
    """One SVG bar for each hex digit and a hue from the first ones: two boards can be compared at a glance."""
    hue = int(digits[:4], 16) % 360
    bars = "".join(
        f'<rect x="{10 * place}" y="{60 - height}" width="6" height="{height}" rx="3"/>'
        for place, height in enumerate(6 + int(digit, 16) * 54 // 15 for digit in digits)
    )
    return f'<svg viewBox="0 0 {10 * len(digits) - 4} 60" fill="oklch(0.66 0.13 {hue})" aria-hidden="true">{bars}</svg>'
