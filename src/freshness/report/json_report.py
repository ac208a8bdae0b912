"""What a run found, and its JSON file in a private folder."""

import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from msgspec import Struct, field

from freshness import __version__
from freshness.core.check import Check
from freshness.core.endpoint import without_userinfo
from freshness.core.revision import Candidate, Revision
from freshness.core.run import Run
from freshness.errors import OutputError
from freshness.process.private_folder import make_private_folder


class Report(Struct, frozen=True, kw_only=True):
    """A run and its decision: the gate's verdict, or the promotion's outcome. What was not found out is None or empty.

    `phases` are the seconds that are in no check, by what took them: with those of the checks they are the whole run's.

    `started_at` is the wall clock's, with a time zone; `seconds` are the monotonic clock's, of the whole run.
    `hosts` are the images that each of several Docker hosts runs at the end, by its name. `throwaway` is the project
    that was made for a gate, and removed.
    """

    command: str
    decision: str
    reason: str
    started_at: datetime
    seconds: float
    checks: tuple[Check, ...] = ()
    notes: tuple[str, ...] = ()
    candidate: Candidate | None = None
    revision: Revision | None = None
    image: str | None = None
    image_id: str | None = None
    images: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    hosts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    previous_image_id: str | None = None
    daemon_id: str | None = None
    container: Mapping[str, object] = field(default_factory=dict)
    throwaway: str | None = None
    phases: Mapping[str, float] = field(default_factory=dict)


def content_of(report: Report, env: Mapping[str, str]) -> dict[str, object]:
    """The report as JSON has it."""
    return {
        "format": 1,
        "version": __version__,
        **_fields(report),
        "run": {name: without_userinfo(value) for name, value in Run.of(env).reported.items()},
    }


def write_report(report: Report, env: Mapping[str, str], *, keep: int = 100) -> Path:
    """Writes the report to a private folder, which stays, as do `keep` reports in all. Raises OutputError."""
    try:
        path = make_private_folder(env) / "report.json"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            json.dump(content_of(report, env), file, indent=2, ensure_ascii=False)
            file.write("\n")
    except OSError as error:
        raise OutputError(
            f"The report cannot be written: {error}.", "Check the free space and the permissions of RUNNER_TEMP."
        ) from error
    _remove_older(path.parent, keep)
    return path


def write_text(path: Path, text: str, *, mode: str = "w") -> None:
    """Raises OutputError."""
    try:
        with path.open(mode, encoding="utf-8", errors="replace") as file:
            file.write(text)
    except (OSError, ValueError) as error:
        raise OutputError(
            f"The report cannot be written to {str(path)!r}: {error}.", "Give `--report` a file that can be written."
        ) from error


def _remove_older(newest: Path, keep: int) -> None:
    """Removes the folders beside this one that are ours and hold a report and nothing else, but for the newest."""
    with suppress(OSError):
        found = [folder for folder in newest.parent.glob("freshness-*") if folder != newest and _is_report(folder)]
        found.sort(key=lambda folder: folder.stat().st_mtime_ns, reverse=True)
        for folder in found[keep - 1 :]:
            with suppress(OSError):
                (folder / "report.json").unlink()
                folder.rmdir()


def _is_report(folder: Path) -> bool:
    """Whether we made it for a report: a real folder of this user's that is closed to others, with the one file."""
    with suppress(OSError):
        seen = folder.lstat()
        ours = seen.st_uid == os.geteuid() and stat.S_ISDIR(seen.st_mode) and stat.S_IMODE(seen.st_mode) == stat.S_IRWXU
        return ours and [entry.name for entry in folder.iterdir()] == ["report.json"]
    return False


def _fields(value: Struct) -> dict[str, object]:
    return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}


def _plain(value: object) -> object:
    """The value as JSON knows it; a type that is not listed is written as its text, a Secret as `[REDACTED]`."""
    if isinstance(value, Check) and value.name.formerly:
        return {**_fields(value), "formerly": value.name.formerly}
    if isinstance(value, Candidate | Revision | Check):
        return _fields(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return value.isoformat(timespec="milliseconds") if isinstance(value, datetime) else str(value)
