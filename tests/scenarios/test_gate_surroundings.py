"""What is missing or wrong around the gate is one clear sentence, the right exit status, and a closed gate."""

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from freshness.engine.plugin import SYSTEM_FOLDERS
from tests.support import plugins
from tests.support.git import GitRepo, run_git
from tests.support.runner import Ended, Runner, pull_request


class Listener:
    """A socket in place of Docker's, which answers nobody and counts who came."""

    def __init__(self, path: Path) -> None:
        self.host = f"unix://{path}"
        self.calls = 0
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        self._thread = threading.Thread(target=self._count)
        self._thread.start()

    def _count(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._server.accept()[0].close()
                self.calls += 1

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._server.close()


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    listener = Listener(tmp_path / "docker.sock")
    yield listener
    listener.close()


def is_one_sentence(ended: Ended) -> bool:
    """One sentence on what is wrong with its remedy, not a tool's whole output."""
    return len(ended.reason) < 600 and ended.reason.count("Error") <= 1


def test_the_listener_sees_a_gate_that_calls_docker(runner: Runner, listener: Listener) -> None:
    """What the tests below rest on: without a reason not to, the gate calls this socket, and says that it failed."""
    ended = runner.gate(DOCKER_HOST=listener.host)

    assert ended.decision == ("closed", "error", 3), ended.log
    assert listener.calls > 0


@pytest.mark.parametrize("repository", ["stranger/app", "org/app2"])
def test_a_fork_is_refused_without_a_call_to_docker(
    repository: str, runner: Runner, listener: Listener, tmp_path: Path
) -> None:
    """Breaks when `find_commit` in gate/commit.py no longer calls `refuse_fork`, or comes after `reach`."""
    head = runner.app.repo.head()
    event = pull_request(tmp_path / "event.json", head, repository=repository)

    ended = runner.gate(DOCKER_HOST=listener.host, **event)

    assert ended.decision == ("closed", "refused", 1), ended.log
    assert repository in ended.reason
    assert listener.calls == 0


SWITCHES = {
    "disabled": ({"ORCH_IMAGE_FRESHNESS_ENABLED": "false"}, "ORCH_IMAGE_FRESHNESS_ENABLED is false"),
    "out-of-scope": ({"ORCH_IMAGE_FRESHNESS_REPOS": "org/other, acme/*"}, "org/app matches no pattern"),
}


@pytest.mark.parametrize("verdict", SWITCHES)
def test_a_switched_off_gate_opens_loudly_and_proves_nothing(verdict: str, runner: Runner, listener: Listener) -> None:
    """I10. Breaks when `_open_unproven` says `fresh`, or no longer warns."""
    settings, words = SWITCHES[verdict]

    ended = runner.gate(DOCKER_HOST=listener.host, GITHUB_ACTIONS="true", **settings)

    assert ended.decision == ("open", verdict, 0), ended.log
    assert listener.calls == 0
    assert ended.outputs.get("image-id", "") == ended.outputs.get("revision", "") == ""
    assert words in ended.reason
    assert words.replace("_", r"\_") in ended.summary
    assert [line for line in ended.log.splitlines() if line.startswith("::warning ") and words in line]


def test_the_switch_takes_nothing_but_true_and_false(runner: Runner) -> None:
    """I10. Breaks when `values.switch` guesses what `no` means."""
    ended = runner.gate(ORCH_IMAGE_FRESHNESS_ENABLED="no")

    assert ended.decision == ("closed", "error", 2), ended.log


def test_a_machine_without_certificates_is_one_sentence(runner: Runner, tmp_path: Path) -> None:
    """Breaks when `wrap_unexpected_errors` calls it a defect that pygit2 cannot be imported."""
    nowhere = str(tmp_path / "nowhere")

    ended = runner.gate(SSL_CERT_FILE=nowhere, SSL_CERT_DIR=nowhere)

    assert ended.decision == ("closed", "error", 3), ended.log
    assert "no CA certificates" in ended.reason
    assert "apt-get install ca-certificates" in ended.reason


def only(folder: Path, *programs: str) -> str:
    """A PATH that holds these programs and nothing else."""
    folder.mkdir()
    for program in programs:
        found = next(Path(place, program) for place in os.environ["PATH"].split(":") if Path(place, program).exists())
        (folder / program).symlink_to(found)
    return str(folder)


def test_a_compose_that_prints_something_besides_is_one_sentence(runner: Runner) -> None:
    """Breaks when `_parse` lets JSON's error out."""
    plugins.replace("compose", 'echo hello\nexec "$PLUGIN" "$@"')

    ended = runner.gate()

    assert ended.decision == ("closed", "error", 3), ended.log
    assert "printed something else, or something besides" in ended.reason


def test_a_compose_of_another_architecture_is_one_sentence(runner: Runner) -> None:
    """Breaks when `wrap_unexpected_errors` tells it as a full disk."""
    plugins.replace("compose", "")
    Path(os.environ["HOME"], ".docker/cli-plugins/docker-compose").write_bytes(b"\x7fELF")

    ended = runner.gate()

    assert ended.decision == ("closed", "error", 3), ended.log
    assert "another architecture's: install it again" in ended.reason


def test_a_missing_docker_command_is_one_sentence(runner: Runner, tmp_path: Path) -> None:
    """Breaks when `find_plugin` no longer looks for `docker` itself."""
    ended = runner.gate(PATH=only(tmp_path / "bin", "git"))

    assert ended.decision == ("closed", "error", 3), ended.log
    assert "(`docker`) is not on the PATH" in ended.reason
    assert is_one_sentence(ended)


def without_plugin(name: str) -> tuple[str, ...]:
    """Hides the plugin from a command, wherever it is installed, by what no one can start."""
    if os.geteuid() != 0:
        pytest.skip("only root can hide a plugin from one process")
    folders = (plugins.program(name).parent, *SYSTEM_FOLDERS)
    places = {place for folder in folders if (place := Path(folder, f"docker-{name}").resolve()).exists()}
    hide = " && ".join(f"mount --bind /dev/null {place}" for place in places)
    return ("unshare", "--mount", "sh", "-c", f'{hide} && exec "$@"', "without")


@pytest.mark.parametrize("name", ["buildx", "compose"])
def test_a_missing_plugin_is_one_sentence(name: str, runner: Runner) -> None:
    """Breaks when `find_plugin` returns the path of a program that is not there."""
    ended = replace(runner, wrapper=without_plugin(name)).gate()

    assert ended.decision == ("closed", "error", 3), ended.log
    assert f"plugin `{name}` is not installed" in ended.reason
    assert is_one_sentence(ended)
    assert runner.containers(runner.app.staging) == []


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("unix:///nonexistent/docker.sock", "No such file or directory"),
        ("tcp://127.0.0.1:9", "Connection refused"),
        ("ssh://deploy@127.0.0.1:1", "Connection refused"),
        ("docker.example", "cannot be reached"),
        ("htp://x", "invalid bind address"),
    ],
)
def test_a_wrong_docker_host_is_one_sentence_that_names_it(host: str, words: str, runner: Runner) -> None:
    """Breaks when `reach` no longer wraps what docker-py raises for that address."""
    ended = runner.gate(DOCKER_HOST=host)

    assert ended.decision == ("closed", "error", 3), ended.log
    assert words in ended.reason
    assert host in ended.reason
    assert is_one_sentence(ended)


def test_a_wrong_docker_context_is_one_sentence(runner: Runner) -> None:
    """Breaks when `read_docker_host` takes a Docker context that is not there for the default one."""
    ended = runner.gate(DOCKER_HOST="", DOCKER_CONTEXT="nowhere")

    assert ended.decision == ("closed", "error", 3), ended.log
    assert "context named 'nowhere'" in ended.reason
    assert "DOCKER_CONTEXT" in ended.reason


def without_repository(runner: Runner) -> dict[str, str]:
    path = runner.app.repo.path
    (path / ".git").rename(path.parent / "git")
    return {}


def sha256_repository(runner: Runner) -> dict[str, str]:
    repo = GitRepo.init(runner.app.repo.path / "checkout", "--object-format=sha256")
    repo.commit({"Dockerfile": "FROM scratch"})
    return {"CHECKOUT_PATH": "checkout", "GIT_SHA": repo.head()}


def partial_clone(runner: Runner) -> dict[str, str]:
    source, clone = runner.app.repo, runner.app.repo.path / "checkout"
    source.git("config", "uploadpack.allowFilter", "true")
    run_git(source.path, "clone", "--quiet", "--no-checkout", "--filter=blob:none", source.url, str(clone))
    return {"CHECKOUT_PATH": "checkout", "GIT_SHA": source.head()}


REPOSITORIES = {
    "no repository": (without_repository, "Git repository"),
    "a SHA-256 repository": (sha256_repository, "SHA-256"),
    "a partial clone": (partial_clone, "the clone is in"),
}


@pytest.mark.parametrize("case", REPOSITORIES)
def test_a_checkout_that_cannot_be_read_is_one_sentence(case: str, runner: Runner) -> None:
    """Breaks when `open_repository` no longer wraps what pygit2 raises for it."""
    commit = runner.app.repo.head()
    break_it, words = REPOSITORIES[case]

    ended = runner.gate(**{"GIT_SHA": commit, **break_it(runner)})

    assert ended.decision == ("closed", "error", 3), ended.log
    assert words in ended.reason
    assert is_one_sentence(ended)
    assert runner.containers(runner.app.staging) == []


def test_a_commit_that_is_not_there_is_refused(runner: Runner, listener: Listener) -> None:
    """Breaks when `find_revision` takes a tree for a commit, or an unknown id for a known one."""
    unknown = runner.gate(GIT_SHA="f" * 40, DOCKER_HOST=listener.host)
    tree = runner.gate(GIT_SHA=runner.app.repo.head("HEAD^{tree}"), DOCKER_HOST=listener.host)

    assert unknown.decision == ("closed", "refused", 1), unknown.log
    assert tree.decision == ("closed", "refused", 1), tree.log
    assert listener.calls == 0
