"""Reduces a Dockerfile to its stages: what is built from that is the base image, with no layer of the Dockerfile."""

import re
from collections.abc import Iterator

_ESCAPE = re.compile(r"#\s*escape\s*=\s*(\S)\s*", re.IGNORECASE)
_FROM = re.compile(r"\s*FROM\s", re.IGNORECASE)
_TAKES_DOCUMENTS = re.compile(r"\s*(?:ONBUILD\s+)?(?:RUN|COPY|ADD)\s", re.IGNORECASE)
_DOCUMENT = re.compile(r"""(?<!<)<<-?\s*(["']?)([A-Za-z_][A-Za-z0-9_.-]*)\1""")


def only_stages(dockerfile: str) -> str:
    """What stands before the first `FROM`, which is directives and arguments, and every `FROM`.

    Docker itself then resolves names of stages, arguments and platforms. Where a line is misread, the build fails, or
    gives an image that is no beginning of the real one.
    Format: https://docs.docker.com/reference/dockerfile/
    """
    kept: list[str] = []
    seen = False
    for instruction in _instructions(dockerfile.splitlines()):
        is_stage = _FROM.match(instruction[0]) is not None
        if is_stage or not seen:
            kept += instruction
        seen = seen or is_stage
    return "\n".join(kept) + "\n"


def _instructions(lines: list[str]) -> Iterator[list[str]]:
    """The lines of each instruction, its documents with it; comments and empty lines each for themselves."""
    escape, position = _escape_of(lines), 0
    while position < len(lines):
        start = position
        position += 1
        while _goes_on(lines[start:position], escape) and position < len(lines):
            position += 1
        for ending in _endings(lines[start:position]):
            while position < len(lines) and lines[position].lstrip("\t") != ending:
                position += 1
            position += 1
        yield lines[start:position]


def _escape_of(lines: list[str]) -> str:
    """The escape character: of a directive, which stands among the first comments."""
    for line in lines:
        if not line.lstrip().startswith("#"):
            break
        if found := _ESCAPE.fullmatch(line.strip()):
            return found[1]
    return "\\"


def _goes_on(lines: list[str], escape: str) -> bool:
    if _is_blank(lines[0]):
        return False
    last = lines[-1]
    return (len(lines) > 1 and _is_blank(last)) or last.rstrip().endswith(escape)


def _is_blank(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _endings(lines: list[str]) -> list[str]:
    if not _TAKES_DOCUMENTS.match(lines[0]):
        return []
    return [found[2] for line in lines for found in _DOCUMENT.finditer(line)]
