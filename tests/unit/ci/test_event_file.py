"""The file that describes the event: a JSON object, or one clear sentence."""

import os
from pathlib import Path

import pytest

from freshness.ci.event_file import read_event, read_payload
from freshness.errors import SettingsError


def test_a_workflows_event_is_its_name_and_its_payload(tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_text('{"number": 7}', encoding="utf-8-sig")
    assert read_event({"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": str(path)}) == ("push", {"number": 7})


@pytest.mark.parametrize("env", [{}, {"GITHUB_EVENT_PATH": "/nonexistent"}])
def test_outside_a_workflow_there_is_no_event(env: dict[str, str]) -> None:
    assert read_event(env) == ("", {})


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"null", b'"x"', b"{", b"\xff{}", b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}", b" " * 30_000_001],
    ids=["empty", "list", "null", "text", "torn", "not-utf-8", "deep", "huge-number", "too-large"],
)
def test_what_is_no_payload_is_one_clear_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "event.json"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"event\.json") as error:
        read_payload(path)
    assert error.value.remedy


@pytest.mark.parametrize("name", ["missing", "folder", "pipe"])
def test_what_is_no_file_is_one_clear_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SettingsError, match=name):
        read_payload(tmp_path / name)
