"""The registry's client against real HTTP servers on loopback: who gets which credentials, and what is believed."""

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from freshness.core.manifest import TYPES, digest_of
from freshness.core.registry_name import Repository
from freshness.core.secret import Secret
from freshness.errors import Refused, RegistryError
from freshness.registry.client import Registry
from freshness.registry.credentials import Credentials
from tests.support.scripted_server import Answer, ScriptedServer, scripted_server

MANIFEST = json.dumps({"schemaVersion": 2, "config": {"digest": f"sha256:{'1' * 64}"}}).encode()
DIGEST = digest_of(MANIFEST)
PATH = f"/v2/team/app/manifests/{DIGEST}"
GOOD = Answer(headers={"Content-Type": TYPES[0]}, body=MANIFEST)
LOGIN = Credentials(user="deployer", password=Secret("a-password"))
BASIC = "Basic " + b64encode(b"deployer:a-password").decode()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as server:
        yield server


@pytest.fixture
def other() -> Iterator[ScriptedServer]:
    with scripted_server() as server:
        yield server


def client(server: ScriptedServer, credentials: Credentials | None = None, *, seconds: float = 10) -> Registry:
    return Registry(Repository(host=server.host, path="team/app"), credentials, seconds)


def demand(challenge: str, accepted: str) -> Answer:
    return Answer(
        status=401, headers={"WWW-Authenticate": challenge, "Content-Type": TYPES[0]}, body=MANIFEST, unless=accepted
    )


def test_a_password_is_sent_when_it_is_asked_for(server: ScriptedServer) -> None:
    server.answers[PATH] = demand('Basic realm="registry"', BASIC)
    assert client(server, LOGIN).require_manifest(DIGEST).digest == DIGEST
    assert [one for one in server.asked if one[0] == PATH] == [(PATH, ""), (PATH, BASIC)]


def test_a_token_goes_to_the_registry_and_the_password_to_its_token_service(
    server: ScriptedServer, other: ScriptedServer
) -> None:
    """Fails when either is sent to the other's host."""
    realm = f'Bearer realm="http://{other.host}/token",service="s",scope="repository:team/app:pull"'
    server.answers[PATH] = demand(realm, "Bearer of-the-service")
    other.answers["/token"] = Answer(body=b'{"token": "of-the-service"}')
    assert client(server, LOGIN).require_manifest(DIGEST).digest == DIGEST
    assert server.authorizations() == {"", "Bearer of-the-service"}
    assert other.authorizations() == {BASIC}


def test_an_identity_token_is_changed_for_a_token(server: ScriptedServer, other: ScriptedServer) -> None:
    server.answers[PATH] = demand(f'Bearer realm="http://{other.host}/token"', "Bearer changed")
    other.answers["/token"] = Answer(body=b'{"access_token": "changed"}')
    assert client(server, Credentials(identity_token=Secret("of-the-login"))).require_manifest(DIGEST).digest == DIGEST
    assert other.authorizations() == {""}


def test_storage_on_another_host_gets_no_credentials(server: ScriptedServer, other: ScriptedServer) -> None:
    """Fails when the redirection is left to requests, or the Authorization goes along."""
    server.answers[PATH] = Answer(
        status=401, headers={"WWW-Authenticate": 'Basic realm="r"', "Location": f"http://{other.host}/stored"}
    )
    other.answers["/stored"] = GOOD
    registry = client(server, LOGIN)
    with pytest.raises(RegistryError):  # 401 twice: the server knows of no password
        registry.require_manifest(DIGEST)
    server.answers[PATH] = Answer(status=307, headers={"Location": f"http://{other.host}/stored"})
    assert registry.require_manifest(DIGEST).digest == DIGEST
    assert BASIC in server.authorizations()
    assert other.authorizations() == {""}


def test_storage_on_another_host_that_asks_for_a_login_is_not_answered(
    server: ScriptedServer, other: ScriptedServer
) -> None:
    """Fails when a challenge counts whoever makes it: the password would go to the service that the storage names."""
    server.answers[PATH] = Answer(status=307, headers={"Location": f"http://{other.host}/stored"})
    other.answers["/stored"] = demand(f'Bearer realm="http://{other.host}/token"', "Bearer of-the-storage")
    other.answers["/token"] = Answer(body=b'{"token": "of-the-storage"}')
    with pytest.raises(RegistryError, match=rf"HTTP 401 from {other.host}") as seen:
        client(server, LOGIN).find_manifest(DIGEST)
    assert "docker login" not in str(seen.value)
    assert other.asked == [("/stored", "")]
    assert server.authorizations() == {""}


def test_no_netrc_stands_in_for_dockers_credentials(
    server: ScriptedServer, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (isolated / ".netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(isolated / ".netrc"))
    server.answers[PATH] = GOOD
    assert client(server).require_manifest(DIGEST).digest == DIGEST
    assert server.authorizations() == {""}


@pytest.mark.parametrize("target", ["http://registry.example/stored", "ftp://registry.example/stored", ""])
def test_nothing_leads_to_where_tls_is_not(server: ScriptedServer, target: str) -> None:
    server.answers[PATH] = Answer(status=302, headers={"Location": target})
    with pytest.raises(RegistryError, match=r"expected https|redirections"):
        client(server).find_manifest(DIGEST)


def test_a_token_service_without_tls_is_not_asked(server: ScriptedServer) -> None:
    """Fails when the password is sent to a plain http address."""
    server.answers[PATH] = demand('Bearer realm="http://tokens.example/token"', "Bearer x")
    with pytest.raises(RegistryError, match=r"http://tokens\.example; expected https"):
        client(server, LOGIN).find_manifest(DIGEST)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(status=401), "neither for Basic nor for Bearer"),
        (Answer(status=401, headers={"WWW-Authenticate": 'Basic realm="r"'}), "Docker has none"),
        (Answer(status=403, body=b'{"errors": [{"code": "DENIED", "message": "no"}]}'), r"HTTP 403 \(DENIED no\)"),
        (Answer(status=429, headers={"Retry-After": "17"}), "Run again after 17 s"),
        (Answer(status=400, body=b"<title>a proxy</title>"), r"HTTP 400 \(a proxy\)"),
        (Answer(status=500, body=b"\x1b[31m::error::"), "HTTP 500"),
    ],
)
def test_each_refusal_says_what_was_got(server: ScriptedServer, answer: Answer, said: str) -> None:
    server.answers[PATH] = answer
    with pytest.raises(RegistryError, match=said) as seen:
        client(server).find_manifest(DIGEST)
    assert "\x1b" not in str(seen.value)


def test_nothing_there_is_no_error_until_it_is_needed(server: ScriptedServer) -> None:
    assert client(server).find_manifest("production") is None
    with pytest.raises(Refused, match="holds no production"):
        client(server).require_manifest("production")


def test_bytes_that_are_not_the_digests_are_refused(server: ScriptedServer) -> None:
    """Fails when the header is believed: the hash of the bytes is the only proof."""
    headers = {"Content-Type": TYPES[0], "Docker-Content-Digest": DIGEST}
    server.answers[PATH] = Answer(headers=headers, body=MANIFEST.replace(b"1", b"2"))
    with pytest.raises(Refused, match="altered"):
        client(server).find_manifest(DIGEST)


def test_an_answer_that_drips_ends_in_time(server: ScriptedServer) -> None:
    """Fails when only each read has its time limit."""
    server.answers[PATH] = Answer(headers=GOOD.headers, body=MANIFEST, drips=True)
    with pytest.raises(RegistryError, match=r"no whole answer within 0\.5 s"):
        client(server, seconds=0.5).find_manifest(DIGEST)


def test_an_endless_answer_is_not_kept(server: ScriptedServer) -> None:
    server.answers[PATH] = Answer(headers=GOOD.headers, body=bytes(5 * 1024 * 1024))
    with pytest.raises(RegistryError, match="larger than any manifest"):
        client(server).find_manifest(DIGEST)
