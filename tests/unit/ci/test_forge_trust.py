"""A forge whose certificate an authority of the company signed: its API is trusted as its Git server is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from freshness.ci.forge_api import is_own_pull_request
from freshness.cli.commit_status import set_commit_status
from freshness.errors import RepositoryError
from freshness.git.address import ForgeAddress
from freshness.git.ask import ask_references
from tests.support.certificates import Authority
from tests.support.forge_api import HEAD, Api, served
from tests.unit.ci.test_forge_report import CANDIDATE, forge

REMEDY = "`update-ca-certificates`"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return Authority.new(tmp_path / "company").issue("forge", "subjectAltName=IP:127.0.0.1")


@pytest.fixture
def api(certificate: Path) -> Iterator[Api]:
    with served(Api(), certificate) as found:
        yield found


def set_status(api: Api) -> str:
    env = {
        "GITHUB_API_URL": api.url,
        "GITHUB_SERVER_URL": api.url,
        "GITHUB_REPOSITORY": "o/n",
        "GITHUB_TOKEN": "job-token",
    }
    return set_commit_status({}, {**env, "VERDICT": "fresh", "GATE": "open", "GIT_SHA": HEAD}, {})


def test_an_authority_that_the_machine_trusts_is_trusted(
    certificate: Path, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails where requests' own list of authorities is the only one: Git takes this certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "ca.pem"))
    assert forge(api).begin(CANDIDATE)[1] == ()
    assert "is success on" in set_status(api)


def test_whose_certificate_nobody_trusts_is_told_what_to_do(api: Api) -> None:
    """Fails where the name of an exception, or a right that the token has, is all that is said."""
    (note,) = forge(api).begin(CANDIDATE)[1]
    assert REMEDY in note
    assert "or is for another host, or expired" in note
    with pytest.raises(RepositoryError, match=REMEDY) as unset:
        set_status(api)
    assert "statuses: write" not in str(unset.value)
    with pytest.raises(RepositoryError, match=REMEDY):
        is_own_pull_request(api.url, "o/n", 7, api.url, None)
    with pytest.raises(RepositoryError, match=REMEDY):
        ask_references(None, ForgeAddress(server_url=api.url, repository="o/n"))
