"""Health decides before the check: what answers well in time is checked, everything else is unhealthy at once."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support.applications import behave
from tests.support.git import Content
from tests.support.runner import Runner

SHORT = {"HEALTH_RETRIES": "2", "HEALTH_INTERVAL": "0.5"}
LONG = {"HEALTH_RETRIES": "100", "HEALTH_INTERVAL": "6"}
LONG_SECONDS = 60
"""What fails at once ends long before the deadline of LONG, which is ten minutes."""


def with_dockerfile(runner: Runner, line: str) -> dict[str, Content]:
    return {"Dockerfile": (runner.app.repo.path / "Dockerfile").read_text() + line}


def with_service(runner: Runner, line: str) -> dict[str, Content]:
    compose = (runner.app.repo.path / "compose.yaml").read_text()
    service = "  orchestrator-staging:\n"
    return {"compose.yaml": compose.replace(service, f"{service}    {line}\n", 1)}


HEALTHY = 'HEALTHCHECK --interval=1s CMD ["python3", "-c", ""]\n'
SICK = 'HEALTHCHECK --interval=1s --retries=1 CMD ["python3", "-c", "raise SystemExit(1)"]\n'


def test_a_healthcheck_decides_where_there_is_no_path(runner: Runner) -> None:
    """Breaks when `_told` in engine/waiting.py takes `starting` or no state at all for healthy."""
    runner.app.repo.commit({**with_dockerfile(runner, HEALTHY), **behave(health=503)})

    ended = runner.gate(HEALTH_PATH="none")

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert runner.staging().attrs["State"]["Health"]["Status"] == "healthy"


def test_a_healthcheck_of_the_compose_file_counts(runner: Runner) -> None:
    """Breaks when `require_health_source` looks only at the image."""
    check = 'healthcheck: {test: [CMD, python3, "-c", ""], interval: 1s}'
    runner.app.repo.commit(with_service(runner, check))

    assert runner.gate(HEALTH_PATH="none").decision == ("open", "fresh", 0)


@pytest.mark.parametrize("disabled", ["no HEALTHCHECK", "disabled by Compose"])
def test_no_path_and_no_healthcheck_is_refused_before_staging_changes(disabled: str, runner: Runner) -> None:
    """I12. Breaks when `require_health_source` no longer raises, or comes after the recreation."""
    if disabled == "disabled by Compose":
        runner.app.repo.commit(
            {**with_dockerfile(runner, HEALTHY), **with_service(runner, "healthcheck: {disable: true}")}
        )

    ended = runner.gate(HEALTH_PATH="none")

    assert ended.decision == ("closed", "refused", 1), ended.log
    assert "HEALTHCHECK" in ended.reason
    assert runner.containers(runner.app.staging) == []
    assert runner.sandbox.image_id(runner.app.staging_image) is None


@pytest.mark.parametrize("status", [503, 302, 404])
def test_another_answer_than_2xx_is_unhealthy_at_the_deadline(status: int, runner: Runner) -> None:
    """Breaks when `SUCCESS` holds that status, or `ask` follows redirects."""
    runner.app.repo.commit(behave(health=status, log="why it is sick"))

    ended = runner.gate(**SHORT)

    assert ended.decision == ("closed", "unhealthy", 1), ended.log
    assert f"HTTP {status}" in ended.reason
    assert "│ why it is sick" in ended.log
    assert "staging check" not in {name for name, result in ended.checks().items() if result != "not-run"}
    assert runner.staging().status == "running", "a failed staging container stays, for a look"


def test_an_answer_that_never_ends_is_unhealthy(runner: Runner) -> None:
    """Fails when `ask` takes the cut of a request, its own or the other end's, for the end of the answer."""
    runner.app.repo.commit(behave(health="drip"))

    ended = runner.gate(**SHORT)

    assert ended.decision == ("closed", "unhealthy", 1), ended.log
    assert "its headers had not ended" in ended.reason


def test_no_answer_is_unhealthy_at_the_deadline(runner: Runner) -> None:
    """Breaks when the loop of `wait_until_healthy` no longer ends at its deadline."""
    runner.app.repo.commit(behave(start_seconds=3600))

    ended = runner.gate(**SHORT)

    assert ended.decision == ("closed", "unhealthy", 1), ended.log
    assert "after 1 s" in ended.reason


GREEDY = 'CMD ["python3", "-c", "bytearray(1 << 30)"]\n'
AT_ONCE: dict[str, tuple[str, str, dict[str, object], str]] = {
    "it exits": ("", "", {"start_seconds": 3600, "exit_after": 0.5}, "is exited (exit status 1)"),
    "its memory runs out": (GREEDY, "mem_limit: 20m", {}, "is exited (it ran out of memory)"),
    "it restarts": ("", "restart: always", {"start_seconds": 3600, "exit_after": 0.5}, "the container restarted"),
    "its HEALTHCHECK says so": (SICK, "", {"health": 503}, "HEALTHCHECK says unhealthy"),
    "its command cannot start": ('CMD ["/opt/missing"]\n', "", {}, "cannot start"),
}


@pytest.mark.parametrize("case", AT_ONCE)
def test_what_cannot_get_healthy_fails_at_once(case: str, runner: Runner) -> None:
    """Breaks when `why_broken` in engine/waiting.py no longer tells that, and the gate waits for the deadline."""
    dockerfile, service, behaviour, words = AT_ONCE[case]
    runner.app.repo.commit(
        {
            **(with_dockerfile(runner, dockerfile) if dockerfile else {}),
            **(with_service(runner, service) if service else {}),
            **behave(**behaviour),
        }
    )

    ended = runner.start_gate(**LONG).end(LONG_SECONDS)

    assert ended.decision == ("closed", "unhealthy", 1), ended.log
    assert words in ended.reason


def test_health_is_noticed_without_waiting_for_the_interval(runner: Runner) -> None:
    """Breaks when `wait_until_healthy` pauses for the interval in place of `pause_after`."""
    runner.app.repo.commit(behave(start_seconds=0.5))
    started = time.monotonic()

    ended = runner.gate(HEALTH_RETRIES="2", HEALTH_INTERVAL="60")

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert time.monotonic() - started < LONG_SECONDS


NOBODY: dict[str, tuple[object, str]] = {
    "on loopback alone": (["127.0.0.1", 8000], "inside the container, port 8000 is open on 127.0.0.1 only"),
    "on another port": (["", 3000], "nothing listens on port 8000 inside the container, only on 3000"),
}


@pytest.mark.parametrize("place", NOBODY)
def test_a_service_that_listens_elsewhere_is_told_where(place: str, runner: Runner) -> None:
    """Fails when `explain_no_answer` in engine/listeners.py does not look into the container."""
    listen, words = NOBODY[place]
    runner.app.repo.commit(behave(listen=listen))

    ended = runner.gate(HEALTH_RETRIES="2", HEALTH_INTERVAL="1")

    assert ended.decision == ("closed", "unhealthy", 1), ended.log
    assert words in ended.reason


def test_a_slow_answer_is_told_by_what_it_says(runner: Runner) -> None:
    """Fails when the last question, which the deadline cuts, replaces what was seen before."""
    runner.app.repo.commit(behave(health=503, health_seconds=0.8))

    ended = runner.gate(HEALTH_RETRIES="3", HEALTH_INTERVAL="1")

    assert ended.decision == ("closed", "unhealthy", 1), ended.log
    assert "HTTP 503 from" in ended.reason
    assert "which says: health" in ended.reason


COMPLAINS = "HEALTHCHECK --interval=1s --retries=1 CMD curl -f http://localhost:8000/health || exit 1\n"


def test_what_the_healthcheck_said_is_shown(runner: Runner) -> None:
    """Fails when `describe_unhealthy` does not get the last run, or `show_container_log` does not show all of it."""
    runner.app.repo.commit(with_dockerfile(runner, COMPLAINS))

    ended = runner.gate(HEALTH_PATH="none")

    assert ended.decision == ("closed", "unhealthy", 1), ended.log
    assert "the HEALTHCHECK says unhealthy: exit status 1, /bin/sh: 1: curl: not found" in ended.reason
    assert "`start_period`, now 0 s" in ended.reason
    assert "│ /bin/sh: 1: curl: not found" in ended.log


class Anything(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()


@pytest.fixture
def proxy(runner: Runner) -> Iterator[str]:
    """The address of a proxy that answers 200 for whoever is asked."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Anything) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_proxy_cannot_answer_for_staging(proxy: str, runner: Runner) -> None:
    """Breaks when `ask` asks through urllib, which obeys the proxy variables."""
    runner.app.repo.commit(behave(health=503))

    ended = runner.gate(http_proxy=proxy, HTTP_PROXY=proxy, **SHORT)

    assert ended.decision == ("closed", "unhealthy", 1), ended.log


def test_a_container_without_a_log_to_show_is_unhealthy_all_the_same(runner: Runner) -> None:
    """Fails when `show_container_log` in container_log.py raises: the verdict would be `error`, and blame Docker."""
    compose = (runner.app.repo.path / "compose.yaml").read_text()
    no_log = compose.replace("    ports:", "    logging: {driver: none}\n    ports:")
    runner.app.repo.commit({"compose.yaml": no_log, **behave(health=503)})

    ended = runner.gate(HEALTH_RETRIES="2", HEALTH_INTERVAL="0.5")

    assert ended.decision == ("closed", "unhealthy", 1), ended.log
    assert "It cannot be read" in ended.log
