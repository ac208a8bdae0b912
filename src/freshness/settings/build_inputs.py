"""Reads the build's arguments and secrets: one a line, and never a secret where the image's history would show it."""

import re
from pathlib import Path

from freshness.settings.kinds import SecretSource
from freshness.settings.values import WrongValue

_ARGUMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)")
_SECRET_WORD = re.compile(
    r"(^|_)(TOKEN|PASSWORD|PASSWD|PASSPHRASE|SECRET|CREDENTIALS?|API_?KEY|PRIVATE_?KEY|KEY|AUTH)S?(_|$)", re.IGNORECASE
)
_SOURCE_FORM = "Write id=NAME,src=/absolute/path or id=NAME,env=VARIABLE."


def build_args(text: str) -> tuple[str, ...]:
    """`NAME=VALUE` of each line. The error names the line, not the value, which might be a secret."""
    seen: dict[str, str] = {}
    for number, line in _lines(text):
        match = _ARGUMENT.fullmatch(line)
        if match is None:
            raise WrongValue(f"NAME=VALUE in line {number}", "Write one build argument a line, with its value.")
        name = match[1]
        if name == "GIT_SHA":
            raise WrongValue(
                "no argument GIT_SHA", "Remove it: GIT_SHA is set by the gate, to the commit that it builds."
            )
        if name in seen:
            raise WrongValue(f"each argument once, and line {number} has {name} again", "Remove one of the two.")
        seen[name] = line
    return tuple(seen.values())


def argument_warnings(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """A sentence for each build argument whose name looks like a secret's."""
    names = (argument.partition("=")[0] for argument in arguments)
    return tuple(
        f"The build argument {name} looks like a secret: anybody who has the image can read it in the history. "
        "Give it with `secrets` and RUN --mount=type=secret."
        for name in names
        if _SECRET_WORD.search(name)
    )


def secrets(text: str) -> tuple[SecretSource, ...]:
    """One source a line, in buildx's own form: `id=NAME,src=PATH` or `id=NAME,env=VARIABLE`."""
    seen: dict[str, SecretSource] = {}
    for number, line in _lines(text):
        source = _secret(line, number)
        if source.id in seen:
            raise WrongValue(f"each secret once, and line {number} has {source.id} again", "Remove one of the two.")
        seen[source.id] = source
    return tuple(seen.values())


def _secret(line: str, number: int) -> SecretSource:
    pairs = [part.partition("=") for part in line.split(",")]
    keys = [key.strip() for key, _, _ in pairs]
    values = {key.strip(): value.strip() for key, _, value in pairs}
    place = {"src", "env"} & values.keys()
    if '"' in line or len(set(keys)) != len(keys) or not set(keys) <= {"id", "src", "env"} or len(place) != 1:
        raise WrongValue(f"an id and either src or env in line {number}", _SOURCE_FORM)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", values.get("id", "")):
        raise WrongValue(f"an id of letters, digits, `_`, `.` and `-` in line {number}", _SOURCE_FORM)
    if "env" in values:
        return _from_variable(values["id"], values["env"], number)
    return _from_file(values["id"], values["src"], number)


def _from_variable(name: str, variable: str, number: int) -> SecretSource:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
        raise WrongValue(f"a variable's name after env= in line {number}", _SOURCE_FORM)
    return SecretSource(id=name, env=variable)


def _from_file(name: str, src: str, number: int) -> SecretSource:
    path = Path(src)
    if not path.is_absolute() or ".." in path.parts:
        raise WrongValue(f"an absolute path without `..` after src= in line {number}", _SOURCE_FORM)
    return SecretSource(id=name, src=path)


def _lines(text: str) -> list[tuple[int, str]]:
    """The lines that are not blank, numbered from 1. A Windows line end is no part of a value."""
    numbered = enumerate((line.strip() for line in text.split("\n")), start=1)
    return [(number, line) for number, line in numbered if line]
