"""Known secrets are taken out of what people see."""

import pytest

from freshness.core import secret
from freshness.core.secret import conceal, conceal_variables, redacted


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "_known", set())


def test_what_is_concealed_is_taken_out_whole_and_line_by_line() -> None:
    """Fails when `redacted` begins with a part of a longer one, or `conceal` knows whole values alone."""
    conceal(["s3cret", "s3cret-and-more", "line one\nline two\n", "abc", ""])

    assert redacted("s3cret-and-more, s3cret; abc") == "[REDACTED], [REDACTED]; abc"
    assert redacted("line two of it") == "[REDACTED] of it"


@pytest.mark.parametrize(
    "name", ["DB_PASSWORD", "JWT_SECRET", "api_key", "TOKEN", "PGPASSWORD", "APP_TOKENS", "DB_PASS", "DBSECRET"]
)
def test_a_secret_is_known_by_its_variables_name(name: str) -> None:
    """Fails when `_SECRET_NAME` no longer knows one."""
    conceal_variables({name: "hunter2"})

    assert redacted("invalid port: hunter2") == "invalid port: [REDACTED]"


def test_a_password_in_an_address_is_one_whatever_the_variable_is_called() -> None:
    """Fails when `conceal_variables` no longer looks into addresses."""
    conceal_variables({"DSN": "postgres://app:hunter2@db:5432/shop", "HOST": "db.example"})

    assert redacted("cannot reach postgres://app:hunter2@db") == "cannot reach postgres://app:[REDACTED]@db"
    assert redacted("db.example") == "db.example"


@pytest.mark.parametrize("name", ["AUTHOR", "MONKEY", "KEYBOARD", "SSH_AUTH_SOCK", "PWD", "PATH", "COMPASS"])
def test_other_variables_are_shown(name: str) -> None:
    """Fails when `_SECRET_NAME` takes a word for a part of another one: sentences would lose their words."""
    conceal_variables({name: "/run/agent"})

    assert redacted("/run/agent") == "/run/agent"
