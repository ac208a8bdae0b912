"""Markdown for both forges, of which nothing that others wrote is markup."""

import re
from collections.abc import Mapping, Sequence

from freshness.ci.sanitizing import one_line, printable
from freshness.core.endpoint import without_userinfo
from freshness.core.run import Run

_CELL = 600  # characters
_LINE = 300  # characters of a line in a fence
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~$])")
# Where a renderer makes a link by itself, also of text that it decoded before: `://`, `www.`, `@`, `#7`, `!7`.
_BY_ITSELF = re.compile(r"(?P<scheme>:)//|(?P<sign>www(?=\.)|[#!](?=\d))|@", re.IGNORECASE)
_CODE = re.compile(r"(`[^`]+`)")
_LONG = re.compile(r"[\w./:-]{24,}")
_DIVIDED = re.compile(r"([./:-])(?=\w)")
_BREAK = "&#8203;"  # a space without width
_PLAIN = re.compile(r"[\w.:/@%-]+")  # what needs no escape in a link


def escaped(text: str, limit: int = _CELL) -> str:
    """The text on one line, with neither Markdown, HTML, nor links that open by themselves."""
    return _escaped(one_line(text, limit))


def with_code(text: str, limit: int = _CELL) -> str:
    """As `escaped`, but what stands between two backticks is code, in which nothing is markup either."""
    parts = _CODE.split(one_line(text, limit))
    return "".join(part if position % 2 else _escaped(part) for position, part in enumerate(parts))


def in_cell(text: str) -> str:
    """As `with_code`, for a narrow table: a long name may break where it is divided."""
    parts = _CODE.split(with_code(text))
    return "".join(part if number % 2 else _LONG.sub(_breakable, part) for number, part in enumerate(parts))


def _breakable(name: re.Match[str]) -> str:
    return _DIVIDED.sub(r"\1<wbr>", name[0])


def _escaped(line: str) -> str:
    plain = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _BY_ITSELF.sub(_broken, _MARKDOWN.sub(r"\\\1", plain))


def _broken(found: re.Match[str]) -> str:
    if found["scheme"]:
        return f":{_BREAK}&#47;&#47;"
    return f"{found['sign']}{_BREAK}" if found["sign"] else f"&#64;{_BREAK}"


def fenced(lines: Sequence[str]) -> list[str]:
    """The lines as they are, in a fence that none of them closes; blank ones at both ends are left out."""
    shown = [printable(line, _LINE) for line in lines]
    told = [number for number, line in enumerate(shown) if line.strip()]
    shown = shown[told[0] : told[-1] + 1] if told else []
    longest = max((len(run) for line in shown for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return ["", f"{fence}text", *shown, fence] if shown else []


def link(text: str, env: Mapping[str, str], *path: str) -> str:
    """The text, with a link to this path of the run's repository where the run's environment names a forge."""
    run = Run.of(env)
    server = without_userinfo(run.server_url)
    address = "/".join((server, run.repository, *path))
    is_known = server.startswith(("https://", "http://")) and all((run.repository, *path))
    return f"[{escaped(text)}]({address})" if is_known and _PLAIN.fullmatch(address) else escaped(text)
