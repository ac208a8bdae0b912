"""Reads the event that started the job: the name from the environment, the payload from the runner's file."""

import json
import stat
from collections.abc import Mapping
from pathlib import Path

from freshness.core.quoting import quoted
from freshness.core.run import Run
from freshness.errors import SettingsError

_LARGEST = 30_000_000  # bytes; GitHub cuts payloads at 25 MB


def read_event(env: Mapping[str, str]) -> tuple[str, Mapping[str, object]]:
    """The event's name and payload; both empty outside a workflow. Raises SettingsError."""
    run = Run.of(env)
    return run.event, read_payload(Path(run.event_path)) if run.event and run.event_path else {}


def read_payload(path: Path) -> Mapping[str, object]:
    """The JSON object in the file. Raises SettingsError where there is none."""
    try:
        text = _read(path)
        payload = json.loads(text)
    except OSError as error:
        raise _unreadable(path, f"cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, "does not hold JSON") from error
    if not isinstance(payload, dict):
        raise _unreadable(path, f"holds {quoted(payload)} instead of a JSON object")
    return payload


def _read(path: Path) -> str:
    if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for its writer
        raise _unreadable(path, "is not a regular file")
    with path.open("rb") as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise _unreadable(path, f"is larger than {_LARGEST} bytes")
    return data.decode("utf-8-sig")


def _unreadable(path: Path, what: str) -> SettingsError:
    return SettingsError(
        f"The event file {quoted(str(path))} {what}.",
        "Name the file of a webhook event's payload; in a workflow the runner sets GITHUB_EVENT_PATH.",
    )
