"""The forge's address is what the CI says, and only where that is an address."""

import pickle

import pytest

from freshness.core.secret import Secret
from freshness.git.address import ForgeAddress


def read(server_url: str, repository: str) -> ForgeAddress | None:
    env = {"GITHUB_SERVER_URL": server_url, "GITHUB_REPOSITORY": repository}
    return ForgeAddress.from_environment(env, Secret("token"))


@pytest.mark.parametrize(
    ("server_url", "url", "origin"),
    [
        ("https://github.com", "https://github.com/org/app", "https://github.com"),
        ("https://Git.Example:443/", "https://Git.Example:443/org/app", "https://git.example"),
        ("http://gitea:3000", "http://gitea:3000/org/app", "http://gitea:3000"),
        ("https://example.org/gitea", "https://example.org/gitea/org/app", "https://example.org"),
        ("http://[::1]:3000", "http://[::1]:3000/org/app", "http://[::1]:3000"),
    ],
)
def test_an_address_is_the_servers_and_the_repositorys(server_url: str, url: str, origin: str) -> None:
    address = read(server_url, "org/app")
    assert address is not None
    assert (address.url, address.origin) == (url, origin)


@pytest.mark.parametrize(
    ("server_url", "repository"),
    [
        ("", "org/app"),
        ("https://github.com", ""),
        ("https://github.com", "app"),
        ("https://github.com", "https://git.example/org/app"),
        ("https://github.com", "../app"),
        ("https://github.com", "org/.."),
        ("https://github.com", "org/app/../../x"),
        ("https://github.com", "org/app\n"),
        ("https://user:password@github.com", "org/app"),
        ("https://github.com?x=1", "org/app"),
        ("https://github.com:port", "org/app"),
        ("https://github.com\n", "org/app"),
        ("ssh://git@github.com", "org/app"),
        ("file:///srv", "org/app"),
        ("https://", "org/app"),
    ],
)
def test_what_is_no_address_is_none(server_url: str, repository: str) -> None:
    assert read(server_url, repository) is None


def test_outside_ci_there_is_none() -> None:
    assert ForgeAddress.from_environment({}, None) is None


def test_a_secret_shows_itself_only_when_asked() -> None:
    address = ForgeAddress(server_url="https://github.com", repository="org/app", token=Secret("hidden"))
    for text in (
        repr(address),
        str(address.token),
        f"{address.token}",
        f"{address.authorization}",
        f"{[address.token]}",
    ):
        assert "hidden" not in text
    assert "[REDACTED]" in repr(address)
    with pytest.raises(TypeError, match="a secret is not copied or stored"):
        pickle.dumps(address.token)
    assert address.token is not None
    assert address.token.reveal() == "hidden"
