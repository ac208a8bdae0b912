"""The file that --env-file names."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.errors import SettingsError
from freshness.settings.env_file import parse_env_file, read_env_file


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=1", "1"),
        (" export A = 1 2  ", "1 2"),
        ("A=", ""),
        ("A=1 # one", "1"),
        ("A=1#one", "1#one"),
        ("A=# none", ""),
        ("A='x \" # $HOME'", 'x " # $HOME'),
        (r'A="x=1\ny=\"2\"" # two', 'x=1\ny="2"'),
        ("A=1\r", "1"),
        ("A=0\nA=1", "1"),
    ],
)
def test_a_line_is_read(line: str, value: str) -> None:
    assert parse_env_file(f"# head\n\n{line}\n", "x") == {"A": value}


def test_wrong_lines_are_told_by_number_all_at_once() -> None:
    with pytest.raises(SettingsError, match="1, 3, 4, 5"):
        parse_env_file('A\nB=1\n1C=2\nD=\'open\nE="x" y\n', "x")


@pytest.mark.parametrize("content", [None, b"A=\xff", b"A=1\n" * 300_000])
def test_a_file_that_cannot_be_read_is_a_settings_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "env"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"env.*"):
        read_env_file(path)


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("A=1", encoding="utf-8-sig")
    assert read_env_file(tmp_path / "env") == {"A": "1"}


@given(st.text())
def test_any_text_is_read_or_a_settings_error(text: str) -> None:
    try:
        variables = parse_env_file(text, "x")
    except SettingsError:
        variables = {}
    assert all(name.isidentifier() for name in variables)
