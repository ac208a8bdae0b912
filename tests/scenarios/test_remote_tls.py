"""An Engine behind tcp:// with mutual TLS: whoever cannot prove who they are is told so, and health is asked there."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support.applications import python_application
from tests.support.certificates import Authority
from tests.support.engines import CONTAINERD, Engine, Sandbox, new_sandbox, private_engine, why_no_private_engine
from tests.support.promotions import FIRST, SECOND, Production, make_history
from tests.support.runner import Runner

HOST = "10.214.0.1"
"""The Engine's own address on its bridge: no loopback, so that it counts as another machine."""
PORT = 2376
CLIENT = "extendedKeyUsage=clientAuth\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """An Engine that listens with TLS, and the authority that it trusts."""

    engine: Engine
    authority: Authority
    client: Path

    def over(self, certificates: Path | None = None, host: str = HOST) -> dict[str, str]:
        """The variables with which a run reaches it."""
        where = str(certificates or self.client)
        return {"DOCKER_HOST": f"tcp://{host}:{PORT}", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": where}


@pytest.fixture(scope="module")
def remote(machine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    if reason := why_no_private_engine():
        pytest.skip(reason)
    authority = Authority.new(tmp_path_factory.mktemp("tls") / "authority")
    server = authority.issue("server", f"subjectAltName=IP:{HOST}\nextendedKeyUsage=serverAuth\n")
    files = [f"--tls{name}={server / file}.pem" for name, file in (("cacert", "ca"), ("cert", "cert"), ("key", "key"))]
    options = (f"--host=tcp://0.0.0.0:{PORT}", "--tlsverify", *files)
    with private_engine(machine, replace(CONTAINERD, options=options), label="tls") as engine:
        yield Remote(engine=engine, authority=authority, client=authority.issue("client", CLIENT))


@pytest.fixture
def sandbox(remote: Remote, monkeypatch: pytest.MonkeyPatch, isolated: Path) -> Iterator[Sandbox]:
    monkeypatch.setenv("DOCKER_HOST", remote.engine.host)
    sandbox = new_sandbox(remote.engine)
    with remote.engine.entered():
        try:
            yield sandbox
        finally:
            sandbox.clean()


@pytest.fixture
def runner(sandbox: Sandbox, tmp_path: Path) -> Runner:
    """Its application is published on all addresses of the Engine's host."""
    runner = Runner(sandbox=sandbox, app=python_application(tmp_path / "app", sandbox), folder=tmp_path)
    runner.app.repo.commit({"compose.yaml": published(runner, "")})
    return runner


def published(runner: Runner, where: str) -> str:
    return (runner.app.repo.path / "compose.yaml").read_text().replace("127.0.0.1:", where)


def test_a_whole_gate(runner: Runner, remote: Remote) -> None:
    """Fails when the Engine's `env` loses what says how to speak TLS, or `_host_elsewhere` asks this machine."""
    ended = runner.gate(**remote.over())

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert runner.staging().attrs["Image"] == runner.built()
    (health,) = (check for check in ended.report["checks"] if check["name"] == "health")
    assert f"from {HOST}:{runner.app.staging_port}/" in health["got"]


def test_a_whole_promotion(runner: Runner, remote: Remote) -> None:
    """The Engine is a context's. Fails when `kwargs_from_context` is not followed with its certificates."""
    make_history(runner.app.repo)
    production = Production(runner=runner, record=lambda _name, _value: None)
    production.deploy(production.build(FIRST))
    image = production.build(SECOND)
    files = ",".join(f"{name}={remote.client / name}.pem" for name in ("ca", "cert", "key"))
    runner.sandbox.cli("context", "create", "deploy", "--docker", f"host=tcp://{HOST}:{PORT},{files}")
    runner.sandbox.cli("context", "use", "deploy")

    ended = production.promote(image, DOCKER_HOST="")

    production.assert_serves(image)
    assert ended.end == (0, "promoted"), ended.log


def test_a_port_that_is_published_on_loopback_alone_is_refused_before_the_first_write(
    runner: Runner, remote: Remote
) -> None:
    """Fails when nothing asks `require_probeable` before: health would be asked, in vain, of what was recreated."""
    runner.app.repo.commit({"compose.yaml": published(runner, "").replace('["', '["127.0.0.1:')})

    ended = runner.gate(**remote.over())

    assert ended.decision == ("closed", "error", 2), ended.log
    assert "only on 127.0.0.1 of its host" in ended.reason
    assert runner.containers(runner.app.staging) == []
    assert runner.built() is None


def test_a_port_on_loopback_is_fine_where_a_healthcheck_tells(runner: Runner, remote: Remote) -> None:
    """Fails when `require_probeable` does not look whether there is a health path at all."""
    compose = published(runner, "").replace('["', '["127.0.0.1:')
    check = '    healthcheck: {test: ["CMD", "true"], interval: 200ms}\n'
    service = "  orchestrator-staging:\n"
    runner.app.repo.commit({"compose.yaml": compose.replace(service, f"{service}{check}")})

    ended = runner.gate(HEALTH_PATH="none", **remote.over())

    assert ended.decision == ("open", "fresh", 0), ended.log


def test_an_engine_that_another_authority_vouches_for_is_not_asked(runner: Runner, remote: Remote) -> None:
    """Fails when `send` in engine/session.py lets a bundle of the environment's stand in for the Engine's own CA."""
    mine = Path(shutil.copytree(remote.client, runner.folder / "mine"))
    shutil.copy(Authority.new(runner.folder / "other").folder / "ca.pem", mine / "ca.pem")

    ended = runner.gate(REQUESTS_CA_BUNDLE=str(remote.client / "ca.pem"), **remote.over(mine))

    assert ended.decision == ("closed", "error", 3), ended.log
    assert "TLS: " in ended.reason
    assert "certificate" in ended.reason


def test_an_engine_whose_certificate_names_another_host_is_not_asked(runner: Runner, remote: Remote) -> None:
    ended = runner.gate(**remote.over(host="127.0.0.1"))

    assert ended.decision == ("closed", "error", 3), ended.log
    assert "IP address mismatch" in ended.reason


def test_who_has_no_certificate_that_the_engine_trusts_is_told_so(runner: Runner, remote: Remote) -> None:
    """Fails when `_cause` takes OpenSSL's number for one of the system's."""
    stranger = Authority.new(runner.folder / "stranger").issue("client", CLIENT)
    shutil.copy(remote.client / "ca.pem", stranger / "ca.pem")

    ended = runner.gate(**remote.over(stranger))

    assert ended.decision == ("closed", "error", 3), ended.log
    assert "TLS: " in ended.reason
    assert "DOCKER_CERT_PATH must hold" in ended.reason


def test_who_has_no_certificate_at_all_is_told_so(runner: Runner, remote: Remote) -> None:
    bare = runner.folder / "bare"
    bare.mkdir()
    shutil.copy(remote.client / "ca.pem", bare / "ca.pem")

    ended = runner.gate(**remote.over(bare))

    assert ended.decision == ("closed", "error", 3), ended.log
    assert "certificate and key files must be provided" in ended.reason
