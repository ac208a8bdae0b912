"""Where staging and production are: the settings that name their Docker hosts, and what Docker's programs are told."""

from pathlib import Path

import pytest

from freshness.errors import SettingsError
from freshness.settings.child_environment import child_environment
from freshness.settings.read import read_gate, read_promote

SHA = "1f0c2a9b7d6e4f3a8b5c9d0e1f2a3b4c5d6e7f80"
FILE = """
[environments.staging]
docker-host = "ssh://deploy@staging.example"

[environments.production]
docker-host = ["ssh://deploy@one.example", "ssh://deploy@two.example"]
"""


def test_each_environment_of_the_hosts_file_names_its_own(tmp_path: Path) -> None:
    """Fails when a promotion has to be told once more where the gate ran."""
    path = tmp_path / "config/freshness/acme/shop.toml"
    path.parent.mkdir(parents=True)
    path.write_text(FILE)
    env = {
        "XDG_CONFIG_HOME": str(tmp_path / "config"), "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_WORKSPACE": str(tmp_path / "work"), "EXPECTED_REVISION": SHA,
    }  # fmt: skip

    assert read_gate({}, env).docker_host == "ssh://deploy@staging.example"
    settings = read_promote({}, env)
    assert settings.docker_hosts == ("ssh://deploy@one.example", "ssh://deploy@two.example")
    assert settings.source_host == "ssh://deploy@staging.example"
    assert read_promote({}, env | {"SOURCE_HOST": "ssh://elsewhere"}).source_host == "ssh://elsewhere"


def test_variables_name_them_too() -> None:
    env = {"STAGING_DOCKER_HOST": "ssh://staging", "PROD_DOCKER_HOST": "ssh://one, prod-two", "EXPECTED_REVISION": SHA}
    assert read_gate({}, env).docker_host == "ssh://staging"
    assert read_promote({}, env).docker_hosts == ("ssh://one", "prod-two")
    assert read_promote({}, env).source_host == "ssh://staging"


@pytest.mark.parametrize(
    ("hosts", "why"),
    [
        ("ssh://one ssh://one", "expected each Docker host once"),
        ("http://one", "expected a Docker host"),
        ("tcp://:2376", "which names no host"),
        ("ssh://deploy:geheim@one", "with a password"),
        ("-H", "expected a Docker host"),
    ],
)
def test_what_is_no_docker_host_is_refused_and_no_password_is_shown(hosts: str, why: str) -> None:
    """Fails when `_endpoints` in read.py leaves a setting out."""
    with pytest.raises(SettingsError) as refused:
        read_promote({}, {"PROD_DOCKER_HOST": hosts, "EXPECTED_REVISION": SHA})
    assert why in str(refused.value)
    assert "geheim" not in str(refused.value)


def test_a_host_that_is_named_is_the_one_that_dockers_programs_reach() -> None:
    env = {"DOCKER_HOST": "tcp://a:2376", "DOCKER_CONTEXT": "b", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/c"}
    assert child_environment(env, "ssh://one") == {"DOCKER_HOST": "ssh://one"}
    assert child_environment(env, "one") == {"DOCKER_CONTEXT": "one"}
    certified = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/c"}
    assert child_environment(env, "tcp://one:2376") == {"DOCKER_HOST": "tcp://one:2376", **certified}
    assert child_environment(env) == env
