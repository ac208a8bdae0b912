"""What goes wrong between us and an Engine is one of our errors, with the cause and what to do."""

import gc
import hashlib
import json
import os
import socket
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import docker
import pytest
import requests

from freshness.engine.client import connect, engine_call
from freshness.engine.docker_host import env_without_engine, read_docker_host
from freshness.errors import EngineError, SettingsError
from tests.support.certificates import Authority

NOBODY = 65534


class NoEngine(BaseHTTPRequestHandler):
    """Answers, but is no Docker Engine."""

    def do_GET(self) -> None:
        body = json.dumps(["no", "Engine"]).encode() if self.path != "/version" else b'{"ApiVersion": "1.41"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Says nothing."""


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"tcp://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def refused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def why(env: dict[str, str], timeout: float = 60) -> str:
    """The sentence and the remedy. docker-py leaves the socket open that it could not connect: it goes here."""
    with pytest.raises(EngineError) as raised:
        connect(env, timeout)
    said = str(raised.value)
    del raised
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    return said


def test_a_missing_socket_is_named_with_what_to_do() -> None:
    said = why({"DOCKER_HOST": "unix:///nonexistent/docker.sock"})

    assert "/nonexistent/docker.sock" in said
    assert "No such file or directory" in said
    assert "mount its socket" in said


def test_a_socket_without_permission_names_the_group(tmp_path: Path) -> None:
    path = tmp_path / "docker.sock"
    user = os.geteuid()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        path.chmod(0)
        if user == 0:
            os.seteuid(NOBODY)  # root may use every socket
        try:
            said = why({"DOCKER_HOST": f"unix://{path}"})
        finally:
            os.seteuid(user)

    assert "Permission denied" in said
    assert "the group `docker`" in said


def test_a_port_that_nobody_listens_on_is_named() -> None:
    host = f"tcp://127.0.0.1:{refused_port()}"

    said = why({"DOCKER_HOST": host})

    assert "Connection refused" in said
    assert "correct DOCKER_HOST" in said


@pytest.mark.parametrize("host", ["docker.example", "htp://x", "tcp://host:port", "ssh://host:port", "\x00"])
def test_what_is_no_address_is_an_error_and_no_crash(host: str) -> None:
    """Breaks when `reach` no longer wraps that exception of docker-py, urllib or the socket module."""
    assert "cannot be reached" in why({"DOCKER_HOST": host})


@pytest.mark.parametrize(
    "host", ["ssh://", "ssh://deploy@", "ssh://:22", "tcp://", "tcp://:2376", "ssh:///run/docker.sock"]
)
def test_a_remote_engine_without_a_host_is_a_wrong_setting(host: str) -> None:
    """Breaks when `reach` asks without having looked whether there is a host: docker-py would ask this machine."""
    with pytest.raises(SettingsError, match="names no host") as raised:
        connect({"DOCKER_HOST": host})

    assert host in str(raised.value)


def test_a_context_without_a_host_is_a_wrong_setting(isolated: Path) -> None:
    make_context(isolated, "deploy", "ssh://")

    with pytest.raises(SettingsError, match="The Docker context 'deploy' is 'ssh://', which names no host"):
        connect({"DOCKER_CONTEXT": "deploy"})


def test_verification_without_an_engine_to_verify_is_a_wrong_setting() -> None:
    """Docker's plugins would ask localhost:2376, docker-py the socket. Breaks when `reach` does not look."""
    with pytest.raises(SettingsError, match="DOCKER_TLS_VERIFY is set, but no Engine is named"):
        connect({"DOCKER_TLS_VERIFY": "1"})


def test_certificates_without_verification_are_a_wrong_setting() -> None:
    """docker-py would speak TLS with anybody, Docker's plugins none at all. Breaks when `reach` does not look."""
    with pytest.raises(SettingsError, match="the server would not be verified"):
        connect({"DOCKER_HOST": "tcp://127.0.0.1:1", "DOCKER_CERT_PATH": "/certificates"})


def test_a_password_is_never_shown() -> None:
    said = why({"DOCKER_HOST": "ssh://deploy:hidden@host.invalid"})

    assert "it contains a password" in said
    assert "hidden" not in said


def test_what_needs_no_engine_is_not_led_to_one_behind_ssh(isolated: Path) -> None:
    """Compose logs in twice only to read its file. Breaks when `env_without_engine` gives it back what it was given."""
    make_context(isolated, "deploy", "ssh://deploy@host.invalid")
    here = {"DOCKER_HOST": "unix:///dev/null", "PATH": "/bin"}

    assert env_without_engine({"DOCKER_HOST": "ssh://deploy@host.invalid", "PATH": "/bin"}) == here
    assert env_without_engine({"DOCKER_CONTEXT": "deploy", "PATH": "/bin"}) == here
    assert env_without_engine({"DOCKER_HOST": "tcp://host:2376"}) == {"DOCKER_HOST": "tcp://host:2376"}


@pytest.mark.parametrize("said", ['{"currentContext": "deploy"}', '{"currentContext": ""}', "[]", "not JSON", None])
def test_the_context_that_was_chosen_with_docker_counts(said: str | None, isolated: Path) -> None:
    """Breaks when `_current_context` no longer reads what `docker context use` wrote, or falls over what is damaged."""
    make_context(isolated, "deploy", "ssh://deploy@host.invalid")
    file = isolated / ".docker/config.json"
    file.write_text(said) if said is not None else file.unlink()

    context = read_docker_host({}).context

    assert context == ("deploy" if said and "deploy" in said else "default")


def make_context(home: Path, name: str, host: str) -> None:
    folder = home / ".docker/contexts/meta" / hashlib.sha256(name.encode()).hexdigest()
    folder.mkdir(parents=True)
    (home / ".docker/config.json").write_text("{}")  # beside which docker-py looks
    endpoints = {"docker": {"Host": host, "SkipTLSVerify": False}}
    (folder / "meta.json").write_text(json.dumps({"Name": name, "Metadata": {}, "Endpoints": endpoints}))


def test_what_answers_but_is_no_engine_is_an_error() -> None:
    """Breaks when the Engine's ID is read outside `reach`'s try."""
    with serving(NoEngine) as host:
        assert "cannot be reached" in why({"DOCKER_HOST": host})


def test_certificates_that_are_not_there_are_an_error() -> None:
    env = {"DOCKER_HOST": "tcp://127.0.0.1:1", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/nonexistent"}

    assert "cannot be reached" in why(env)


def test_a_port_that_takes_calls_and_speaks_no_tls_is_given_up(tmp_path: Path) -> None:
    """Breaks when the Engine's time to answer does not bound the handshake."""
    certificates = Authority.new(tmp_path / "authority").issue("client", "")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        env = {"DOCKER_HOST": host, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(certificates)}

        said = why(env, 0.3)

    assert "cannot be reached: no answer within 0.3 s" in said


def test_a_context_that_is_not_there_is_named() -> None:
    said = why({"DOCKER_CONTEXT": "nowhere"})

    assert "no Docker context named 'nowhere'" in said


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (requests.exceptions.ReadTimeout("Read timed out. (read timeout=60)"), "did not answer within 60 s"),
        (requests.exceptions.ConnectionError("gone"), "gone"),
        (docker.errors.APIError("500", explanation="no space left on device"), "no space left on device"),
        (docker.errors.NotFound("404", explanation="no such container"), "no such container"),
        (docker.errors.InvalidVersion("too old"), "too old"),
        (BrokenPipeError(32, "Broken pipe"), "Broken pipe"),
    ],
)
def test_an_engine_that_fails_is_an_error_that_says_what_was_being_done(raised: Exception, said: str) -> None:
    """Breaks when `asking` lets that exception through: a user would see a traceback."""
    with pytest.raises(EngineError) as caught, engine_call("tagging the image"):
        raise raised

    assert "tagging the image" in str(caught.value)
    assert said in str(caught.value)
    assert caught.value.exit_status == 3


def test_our_own_errors_pass_unchanged() -> None:
    ours = EngineError("this", "that")

    with pytest.raises(EngineError) as caught, engine_call("anything"):
        raise ours

    assert caught.value is ours
