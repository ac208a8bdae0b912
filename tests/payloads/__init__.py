"""Reads the recorded and the written payloads."""

import json
from collections.abc import Mapping
from pathlib import Path

_FOLDER = Path(__file__).parent


def load(name: str) -> tuple[str, Mapping[str, object], dict[str, str]]:
    """The event's name, its payload and its environment; `name` is such as `github/push-branch`."""
    lines = (_FOLDER / f"{name}.env").read_text(encoding="utf-8").splitlines()
    env = dict(line.split("=", 1) for line in lines)
    payload: Mapping[str, object] = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return env["GITHUB_EVENT_NAME"], payload, env


def names(forge: str) -> list[str]:
    """All payloads of a folder, as `load` takes them."""
    return sorted(f"{forge}/{path.stem}" for path in (_FOLDER / forge).glob("*.json"))
