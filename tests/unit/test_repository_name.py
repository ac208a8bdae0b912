"""Two ways of writing one repository are one."""

import pytest

from freshness.core.repository_name import name_in_address, name_of


@pytest.mark.parametrize(
    "address",
    [
        "https://git.example/Org/App.git",
        "https://user:word@git.example:8443/sub/org/app/",
        "ssh://git@git.example:22/org/app.git",
        "git@git.example:org/app.git",
        "git.example:org/app",
    ],
)
def test_an_address_on_a_server_names_it(address: str) -> None:
    assert name_in_address(address) == "org/app"


@pytest.mark.parametrize(
    "address", ["", "/srv/git/app.git", "file:///srv/git/app.git", "../app", "https://git.example/app"]
)
def test_any_other_address_names_none(address: str) -> None:
    """A folder's path is another one on each machine."""
    assert name_in_address(address) == ""


@pytest.mark.parametrize(
    ("said", "name"), [("Org/App", "org/app"), ("https://git.example/org/app", "org/app"), ("app", ""), ("", "")]
)
def test_what_a_runner_says_is_read_alike(said: str, name: str) -> None:
    """Plain act says an address in place of a name."""
    assert name_of(said) == name
