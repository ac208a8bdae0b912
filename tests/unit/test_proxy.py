"""A proxy for the forge's http address is known by the environment, as other programs read that."""

import pytest

from freshness.core.proxy import http_proxy_of

FORGE = "http://git.corp.example:3000/base"
PROXY = {"http_proxy": "http://ann:hunter2@proxy.example:3128"}


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_each_variable_is_known_and_named(name: str) -> None:
    assert http_proxy_of(FORGE, {"http_proxy": "", name: "http://proxy.example"}) == name


@pytest.mark.parametrize("env", [{}, {"http_proxy": ""}, {"https_proxy": "http://proxy.example"}])
def test_without_one_there_is_none(env: dict[str, str]) -> None:
    assert http_proxy_of(FORGE, env) == ""


def test_an_https_address_goes_through_its_proxy() -> None:
    """Fails when the scheme is not looked at."""
    assert http_proxy_of("https://git.corp.example", PROXY) == ""


@pytest.mark.parametrize(
    ("no_proxy", "url"),
    [
        ("git.corp.example", FORGE),
        ("a.example, GIT.corp.example", FORGE),
        ("a.example git.corp.example:3000", FORGE),
        ("corp.example", FORGE),
        (".corp.example", FORGE),
        ("*.corp.example", FORGE),
        ("*", FORGE),
        ("10.0.0.0/8", "http://10.1.2.3"),
        ("10.1.2.3:80", "http://10.1.2.3"),
        ("::1", "http://[::1]:3000"),
        ("[::1]:3000", "http://[::1]:3000"),
        ("fd00::/8", "http://[fd00::5]"),
    ],
)
def test_what_no_proxy_names_has_none(no_proxy: str, url: str) -> None:
    """Fails when `_names` no longer knows one of its forms."""
    assert http_proxy_of(url, {**PROXY, "no_proxy": no_proxy}) == ""
    assert http_proxy_of(url, {**PROXY, "NO_PROXY": no_proxy}) == ""


@pytest.mark.parametrize(
    "no_proxy", ["", "orp.example", "git.corp.example:80", "git.corp.example.org", "10.0.0.0/8", ",", "::1", "a:b:c"]
)
def test_what_no_proxy_does_not_name_has_one(no_proxy: str) -> None:
    """Fails when any part of a name is taken for the name."""
    assert http_proxy_of(FORGE, {**PROXY, "no_proxy": no_proxy}) == "http_proxy"
