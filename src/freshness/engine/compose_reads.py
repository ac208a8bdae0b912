"""Finds every Compose file that Compose reads for a project: those it is given, and what they include and extend."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from freshness.engine.compose_file import ComposeFile
from freshness.engine.docker_host import env_without_engine
from freshness.engine.plugin import find_plugin
from freshness.errors import Refused
from freshness.process.children import read

READ_SECONDS = 60
DEEPEST = 20
"""Files that name files that name files."""
_NAMING = ("include", "extends", "\\")
"""What a text has that names another file; a backslash may stand for a letter of the two words."""
_DOCUMENT = ("---", "...", "%")
_QUESTION = "name: freshness-question\nservices: {q: {image: q}}\n"


class _Read(Struct, frozen=True):
    """A file, and the folder at which the paths in it start."""

    path: Path
    folder: Path


def find_compose_files(file: ComposeFile, env: Mapping[str, str]) -> tuple[Path, ...]:
    """In the order in which they are read, each once. Raises Refused where that cannot be told."""
    found: dict[Path, None] = {}
    level = [_Read(path, file.folder) for path in file.paths]
    for _ in range(DEEPEST):
        level = [one for one in dict.fromkeys(level) if one.path not in found]
        found.update((one.path, None) for one in level)
        level = [named for one in level if _may_name(one) for named in _named(one, file, env)]
        if not level:
            return tuple(found)
    raise Refused(
        f"{file.names} include or extend other Compose files more than {DEEPEST} deep.",
        "Let fewer files stand between them.",
    )


def _may_name(one: _Read) -> bool:
    text = _text(one.path)
    return any(word in text for word in _NAMING)


def _named(one: _Read, file: ComposeFile, env: Mapping[str, str]) -> Iterator[_Read]:
    parsed = _parse(one, file, env)
    for entry in parsed.get("include") or ():
        long = entry if isinstance(entry, dict) else {"path": entry}
        paths = long.get("path") or ()
        places = [_place(one, path) for path in ([paths] if isinstance(paths, str) else paths)]
        folder = long.get("project_directory")
        for place in places:
            yield _Read(place, one.folder / folder if folder else places[0].parent)
    for service in (parsed.get("services") or {}).values():
        extends = (service or {}).get("extends")
        if isinstance(extends, dict) and extends.get("file"):
            place = _place(one, extends["file"])
            yield _Read(place, place.parent)


def _place(one: _Read, path: str) -> Path:
    place = one.folder / path
    if not place.is_file():
        raise Refused(
            f"{one.path} includes or extends {path}, and there is no file {place}.",
            "Compose may read it from elsewhere, and then it is not of this commit: copy it into the repository.",
        )
    return place


def _parse(one: _Read, file: ComposeFile, env: Mapping[str, str]) -> dict[str, Any]:
    """The file's own content, with its variables filled in: Compose reads it as an extension, and merges nothing."""
    lines = [line for line in _text(one.path).splitlines() if not line.startswith(_DOCUMENT)]
    question = "\n".join([f"{_QUESTION}x-content:", *(f"  {line}" for line in lines), ""])
    words = [word for path in file.env_files for word in ("--env-file", str(path))]
    argv = [find_plugin("compose", env), "--file", "-", "--project-directory", str(file.folder), *words]
    argv += ["config", "--format", "json"]
    content = None
    for raw in ((), ("--no-interpolate",)):  # what is included may take its variables from an `env_file:` of its own
        status, out, _ = read([*argv, *raw], env_without_engine(file.environment(env)), READ_SECONDS, question)
        if status == 0:
            content = json.loads(out).get("x-content")
            break
    if not isinstance(content, dict):
        raise Refused(
            f"Which Compose files {one.path} includes or extends cannot be told.",
            "Name them all in `compose-file`, one a line, in place of `include:` and `extends: file:`.",
        )
    return content


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig", errors="replace")
