"""Docker's own credentials are found as `docker login` left them, and what is damaged is said."""

import json
from base64 import b64encode
from pathlib import Path

import pytest

from freshness.errors import RegistryError
from freshness.registry.credentials import find_credentials

HOST = "registry.example:5000"
AUTH = b64encode(b"deployer:pass:word").decode()
HELPER = """\
#!/bin/sh
read -r host
[ "$host" = registry.example:5000 ] || { echo "credentials not found in native keychain"; exit 1; }
echo '{"ServerURL": "x", "Username": "%s", "Secret": "of-the-helper"}'
"""


def write(folder: Path, **config: object) -> dict[str, str]:
    """The environment in which Docker reads this configuration."""
    (folder / "config.json").write_text(json.dumps(config))
    return {"DOCKER_CONFIG": str(folder)}


@pytest.mark.parametrize("key", [HOST, f"https://{HOST}", f"https://{HOST}/v1/"])
def test_what_docker_login_left_is_found(tmp_path: Path, key: str) -> None:
    found = find_credentials(HOST, write(tmp_path, auths={key: {"auth": AUTH}}))
    assert found is not None
    assert found.for_engine(HOST) == {"username": "deployer", "password": "pass:word", "serveraddress": HOST}
    assert "pass:word" not in repr(found)


@pytest.mark.parametrize("key", ["https://index.docker.io/v1/", "docker.io"])
def test_those_of_docker_hub_are_for_the_address_that_docker_gives_them(tmp_path: Path, key: str) -> None:
    """Fails when the Engine is told `docker.io`: its containerd image store then takes them for another host's."""
    found = find_credentials("docker.io", write(tmp_path, auths={key: {"auth": AUTH}}))
    assert found is not None
    assert found.for_engine("docker.io")["serveraddress"] == "https://index.docker.io/v1/"


def test_an_identity_token_takes_the_passwords_place(tmp_path: Path) -> None:
    found = find_credentials(HOST, write(tmp_path, auths={HOST: {"auth": AUTH, "identitytoken": "of-the-login"}}))
    assert found is not None
    assert found.for_engine(HOST) == {"identitytoken": "of-the-login", "serveraddress": HOST}


@pytest.mark.parametrize(
    "config", [{}, {"auths": {}}, {"auths": {"another.example": {"auth": AUTH}}}, {"psFormat": "x"}]
)
def test_where_docker_has_none_there_are_none(tmp_path: Path, config: dict[str, object]) -> None:
    assert find_credentials(HOST, write(tmp_path, **config)) is None


def test_without_a_configuration_there_are_none(tmp_path: Path) -> None:
    assert find_credentials(HOST, {"HOME": str(tmp_path)}) is None


@pytest.mark.parametrize("config", [{"credsStore": "tests"}, {"credHelpers": {HOST: "tests"}}])
@pytest.mark.parametrize("user", ["deployer", "<token>"])
def test_a_credential_helper_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: dict[str, object], user: str
) -> None:
    helper = tmp_path / "docker-credential-tests"
    helper.write_text(HELPER % user)
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    found = find_credentials(HOST, write(tmp_path, **config))
    assert found is not None
    assert "of-the-helper" in found.for_engine(HOST).values()
    assert find_credentials("another.example", write(tmp_path, **config)) is None


@pytest.mark.parametrize(
    "config",
    [
        {"auths": {HOST: {"auth": "!"}}},
        {"auths": {HOST: {"auth": ""}}},
        {"auths": {HOST: "x"}},
        {"credsStore": "missing"},
    ],
)
def test_what_cannot_be_used_is_an_error_with_its_remedy(tmp_path: Path, config: dict[str, object]) -> None:
    """Fails when a damaged entry counts as none: then the push would be refused, and nobody told why."""
    with pytest.raises(RegistryError, match=r"docker login registry\.example:5000"):
        find_credentials(HOST, write(tmp_path, **config))


def test_a_damaged_configuration_is_not_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"auths": ')
    with pytest.raises(RegistryError, match=r"config\.json cannot be read"):
        find_credentials(HOST, {"DOCKER_CONFIG": str(tmp_path)})
