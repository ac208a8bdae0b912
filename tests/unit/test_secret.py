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


def test_the_path_of_a_secrets_file_is_told_and_anything_else_there_is_not() -> None:
    """Fails when a sentence about a mount loses its path, or a value that is no path is shown."""
    conceal_variables({"DB_PASSWORD_FILE": "/run/secrets/db", "API_KEY_FILE": "hunter2"})

    assert redacted("the secret at /run/secrets/db, hunter2") == "the secret at /run/secrets/db, [REDACTED]"


def test_a_password_in_an_address_is_one_whatever_the_variable_is_called() -> None:
    """Fails when `conceal_variables` no longer looks into addresses."""
    conceal_variables({"DSN": "postgres://app:hunter2@db:5432/shop", "HOST": "db.example"})

    assert redacted("cannot reach postgres://app:hunter2@db") == "cannot reach postgres://app:[REDACTED]@db"
    assert redacted("db.example") == "db.example"


@pytest.mark.parametrize(
    "value",
    [
        "postgres://app:hunter2@db/shop", "redis://:hunter2@cache:6379/0", "amqp://app:hun@ter/2@mq:5672",
        "https://hunter2hunter2hunter2@pypi.example/simple", "https://hunter2hunter2hunter2:x-oauth@git.example",
        "mongodb://a:hunter2@one:1,b:hunter2@two:2/db", "http://ann:hunter2@one http://ann:hunter2b@two",
    ],
)  # fmt: skip
def test_each_form_of_a_secret_in_an_address_is_known(value: str) -> None:
    """Fails when one of `_IN_ADDRESS` is gone."""
    conceal_variables({"PLACE": value})

    assert "hunter2" not in redacted(f"no answer from {value}")
    assert "ter/2" not in redacted(f"no answer from {value}")


@pytest.mark.parametrize(
    "value", ["ssh://deploy@host.example", "http://host.example:8080/@scope/name", "https://deploy@git.example/app"]
)
def test_neither_a_users_name_nor_a_port_is_a_secret(value: str) -> None:
    """Fails when `_IN_ADDRESS` takes them for one: sentences would lose addresses."""
    conceal_variables({"PLACE": value})

    assert redacted(value) == value


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ('hun"ter\\2', r'invalid value: "hun\"ter\\2"'),
        ("hun/ter 2", "GET /?key=hun%2Fter%202"),
        ("hun%2Fter2", "login with hun/ter2"),
        ("hun$$ter2", "login with hun$ter2"),
    ],
)
def test_a_secret_is_known_however_it_is_written(value: str, written: str) -> None:
    """Fails when `_forms` lacks one: JSON, an address, and Compose's doubled dollar."""
    conceal([value])

    assert "[REDACTED]" in redacted(written)
    assert redacted(f"{value}.") == "[REDACTED]."


@pytest.mark.parametrize("name", ["AUTHOR", "MONKEY", "KEYBOARD", "SSH_AUTH_SOCK", "PWD", "PATH", "COMPASS"])
def test_other_variables_are_shown(name: str) -> None:
    """Fails when `_SECRET_NAME` takes a word for a part of another one: sentences would lose their words."""
    conceal_variables({name: "/run/agent"})

    assert redacted("/run/agent") == "/run/agent"
