"""The file that --env-file names."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshness.errors import SettingsError
from freshness.settings.env_file import parse_env_file, read_env_file
from freshness.settings.near_miss import near_misses
from freshness.settings.read import read_gate, read_promote
from freshness.settings.table import GATE, PROMOTE


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


def test_an_input_s_name_is_told_as_the_variable_that_it_is() -> None:
    """Fails when `_respelt` says nothing: a person who knows the inputs writes their names here, too."""
    with pytest.raises(SettingsError) as raised:
        parse_env_file("health-path=/x\nexport TARGET-SERVICE=st\nA=1\n", "x")
    for said in ("HEALTH_PATH in place of health-path", "TARGET_SERVICE in place of TARGET-SERVICE"):
        assert said in raised.value.remedy


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


KNOWN = frozenset(setting.variable for setting in GATE + PROMOTE)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("REQUIRE_KNWN", "REQUIRE_KNOWN"),
        ("REQUIRE_KNOWNS", "REQUIRE_KNOWN"),
        ("REQIURE_KNOWN", "REQUIRE_KNOWN"),
        ("REQUIRES_KNWON", "REQUIRE_KNOWN"),
        ("REQUIREKNOWN", "REQUIRE_KNOWN"),
        ("require_known", "REQUIRE_KNOWN"),
        ("TARGET_SERVCE", "TARGET_SERVICE"),
        ("PROD_PORTS", "PROD_PORT"),
        ("HEALT_PATH", "HEALTH_PATH"),
        ("HEALTH_RETRYS", "HEALTH_RETRIES"),
        ("BUILD_ARG", "BUILD_ARGS"),
        ("COMPOSE_FILES", "COMPOSE_FILE"),
        ("ORCH_IMAGE_FRESHNESS_ENABLE", "ORCH_IMAGE_FRESHNESS_ENABLED"),
    ],
)
def test_a_slip_of_a_setting_is_known_for_what_was_meant(name: str, meant: str) -> None:
    """Fails when `near_misses` no longer knows a letter that is missing, too many, wrong or swapped."""
    assert near_misses([name], KNOWN) == {name: meant}


@pytest.mark.parametrize(
    "name",
    [
        "PORT", "PORTS", "HOST", "PROD_HOST", "TARGET_HOST", "PATH", "IMAGE", "DATABASE_URL", "SECRET_KEY", "DB_PORT",
        "PROD_URL", "HEALTH_URL", "APP_SERVICE", "BUILD_DATE", "BUILD_ENV", "GIT_REF", "GITEA_TOKEN", "GITLAB_TOKEN",
        "WATCH", "BATCH", "ENABLED", "PROJECT", "PYTHON", "TIMEOUT", "RETRIES", "LOCK_TIME", "STAGING_HOST",
        "PROD_IMG_TAG", "PRS", "PRO",
    ],
)  # fmt: skip
def test_the_application_s_own_variables_are_no_slips(name: str) -> None:
    """Fails when `near_misses` allows more wrong letters than a slip has."""
    assert near_misses([name], KNOWN) == {}


def test_no_setting_is_a_slip_of_another() -> None:
    assert near_misses(KNOWN, KNOWN) == {}


@pytest.mark.parametrize("read", [read_gate, read_promote])
def test_a_slip_in_the_env_file_is_refused_and_other_names_are_told_once(read: Any) -> None:
    """Fails when `_read_names` in settings/read.py goes: REQUIRE_KNWN=true switches a protection off, unseen."""
    env = {"EXPECTED_REVISION": "a" * 40}

    with pytest.raises(SettingsError, match="sets REQUIRE_KNWN, which is no setting; expected REQUIRE_KNOWN"):
        read({}, env, {"REQUIRE_KNWN": "true", "DATABASE_URL": "x"})
    settings = read({}, env, {"REQUIRE_KNOWN": "true", "DATABASE_URL": "x", "PORT": "1"})

    (warning,) = settings.warnings
    assert "DATABASE_URL, PORT" in warning
    assert read({}, env, {"REQUIRE_KNOWN": "true"}).warnings == ()
