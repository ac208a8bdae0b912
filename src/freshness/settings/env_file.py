"""Reads the file that `--env-file` names: `KEY=VALUE` lines, comments, quotes, and nothing else (no interpolation)."""

import re
from pathlib import Path

from freshness.errors import SettingsError

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_HYPHENATED = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_-]*)\s*=")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(?:#.*)?')
_SINGLE = re.compile(r"'([^']*)'\s*(?:#.*)?")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_LARGEST = 1_000_000  # characters


def read_env_file(path: Path) -> dict[str, str]:
    """The variables of the file. Raises SettingsError where it cannot be read, or with every line that is wrong."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            text = file.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise SettingsError(
            f"The env file {str(path)!r} cannot be read: {why}.", "Name a text file that exists."
        ) from error
    if len(text) > _LARGEST:
        raise SettingsError(f"The env file {str(path)!r} is longer than a settings file can be.", "Name another file.")
    return parse_env_file(text, str(path))


def parse_env_file(text: str, name: str) -> dict[str, str]:
    r"""The variables of the text; the last of two equal names wins.

    In double quotes a value knows the escapes `\n`, `\t`, `\r`, `\"` and `\\`; in single quotes it stands as it is;
    without quotes it ends before ` #`. Raises SettingsError with the numbers of all lines that are none of these.
    """
    variables: dict[str, str] = {}
    wrong: list[str] = []
    hyphenated: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        value = _value(match[2]) if match else None
        if match is None or value is None:
            wrong.append(str(number))
            hyphenated += [found[1] for found in (_HYPHENATED.match(stripped),) if found and "-" in found[1]]
            continue
        variables[match[1]] = value
    if wrong:
        raise SettingsError(
            f"The env file {name!r} has lines that are not KEY=VALUE: {', '.join(wrong[:20])}.",
            f"Write one KEY=VALUE a line, close every quote, and begin comments with #.{_respelt(hyphenated)}",
        )
    return variables


def _respelt(names: list[str]) -> str:
    """How a variable is spelt that somebody wrote as an input's name."""
    said = ", ".join(f"{name.upper().replace('-', '_')} in place of {name}" for name in names[:5])
    return f" A name has letters, digits and underscores: write {said}." if said else ""


def _value(text: str) -> str | None:
    if text.startswith('"'):
        double = _DOUBLE.fullmatch(text)
        return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), double[1]) if double else None
    if text.startswith("'"):
        single = _SINGLE.fullmatch(text)
        return single[1] if single else None
    return re.split(r"(?:^|\s)#", text, maxsplit=1)[0].strip()
