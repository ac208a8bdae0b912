"""`registry`: the gate opens only when a registry holds, under a digest, what was proven."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from freshness.core.manifest import digest_of
from tests.support.applications import Application, static_application
from tests.support.certificates import Authority
from tests.support.engines import Sandbox
from tests.support.http_faults import Fault, faulty_proxy
from tests.support.registries import PASSWORD, USER, Registry, running_registry, why_no_registry
from tests.support.runner import Ended, Runner
from tests.support.token_service import serve_tokens


@pytest.fixture
def make_application() -> Callable[[Path, Sandbox], Application]:
    """One of 2 MB."""
    return static_application


@pytest.fixture(params=["debian", "v3"])
def kind(request: pytest.FixtureRequest) -> str:
    return available(request.param)


def available(kind: str) -> str:
    if reason := why_no_registry(kind):
        pytest.skip(reason)
    return kind


def held(registry: Registry, name: str, digest: str) -> bytes:
    status, content = registry.get(f"/v2/{name}/manifests/{digest}")
    assert status == 200, content
    return content


def local_names(runner: Runner, host: str) -> list[str]:
    """The names of the registry's host that the Engine still has."""
    images = runner.sandbox.docker.api.images()
    return [tag for image in images for tag in image["RepoTags"] or () if tag.startswith(host)]


def test_what_was_proven_is_published_under_its_digest(any_runner: Runner, kind: str, tmp_path: Path) -> None:
    """Fails when the gate opens before the push, names another digest, or leaves the name that only the push needed."""
    with running_registry(tmp_path / "registry", kind) as registry:
        name = f"team/{any_runner.app.project}"

        ended = any_runner.gate(REGISTRY=f"{registry.host}/{name}")

        assert ended.decision == ("open", "fresh", 0), ended.log
        digest, commit = ended.outputs["digest"], any_runner.app.repo.head()
        assert digest_of(held(registry, name, digest)) == digest
        assert held(registry, name, commit) == held(registry, name, digest)
        assert json.loads(ended.outputs["digests"]) == {"web-preview": f"{registry.host}/{name}@{digest}"}
        assert [check["name"] for check in ended.report["checks"]][-2:] == ["head", "registry"]
        assert local_names(any_runner, registry.host) == []
        any_runner.sandbox.cli(
            "tag", ended.outputs["image-id"], f"{registry.host}/{name}:{commit}"
        )  # as a kill leaves it
        again = any_runner.gate(REGISTRY=f"{registry.host}/{name}")
        assert again.outputs["digest"] == digest, again.log
        assert local_names(any_runner, registry.host) == []


def closed(ended: Ended, verdict: str, status: int) -> str:
    """The reason of a gate that closed at the registry, and only there."""
    assert ended.decision == ("closed", verdict, status), ended.log
    assert ended.checks()["head"] == "passed"
    assert ended.checks()["registry"] in {"failed", "error"}
    assert ended.outputs["digest"] == ended.outputs["image-id"] == ""
    return ended.reason


@pytest.mark.parametrize("way", ["password", "tokens"])
def test_a_registry_that_lets_in_only_who_has_logged_in(
    way: str, kind: str, runner: Runner, tmp_path: Path, until_done: ExitStack
) -> None:
    """Fails when Docker's credentials are not the ones that are sent, or the gate opens without them."""
    if way == "tokens":
        tokens = until_done.enter_context(serve_tokens(tmp_path / "tokens", USER, PASSWORD))
        registry = until_done.enter_context(running_registry(tmp_path / "registry", kind, tokens=tokens))
    else:
        registry = until_done.enter_context(running_registry(tmp_path / "registry", kind, password=True))
    repository = f"{registry.host}/{runner.app.project}"

    reason = closed(runner.gate(REGISTRY=repository), "error", 3)

    assert f"`docker login {registry.host}`" in reason
    assert local_names(runner, registry.host) == []
    runner.sandbox.cli("login", "--username", USER, "--password", PASSWORD, registry.host)
    ended = runner.gate(REGISTRY=repository)
    assert ended.decision == ("open", "fresh", 0), ended.log
    assert PASSWORD not in ended.log + ended.summary + json.dumps(ended.report)


def test_a_registry_with_tls_is_trusted_by_its_authority_alone(
    runner: Runner, tmp_path: Path, until_done: ExitStack
) -> None:
    """Fails when the certificate is not verified: the Engine itself does not, on loopback."""
    authority = Authority.new(tmp_path / "authority")
    certificates = authority.issue("registry", "subjectAltName=IP:127.0.0.1")
    registry = until_done.enter_context(
        running_registry(tmp_path / "registry", available("debian"), certificates=certificates)
    )
    repository = f"{registry.host}/{runner.app.project}"

    reason = closed(runner.gate(REGISTRY=repository), "error", 3)

    assert f"/etc/docker/certs.d/{registry.host}/ca.crt" in reason
    ended = runner.gate(REGISTRY=repository, SSL_CERT_FILE=str(certificates / "ca.pem"))
    assert ended.decision == ("open", "fresh", 0), ended.log


@pytest.mark.parametrize("what", ["manifests/sha256:*", "blobs/sha256:*"])
def test_what_the_registry_answers_differently_closes_the_gate(
    what: str, runner: Runner, registry: Registry, until_done: ExitStack
) -> None:
    """Fails when the bytes are not hashed: the registry's own header still says the right digest."""
    path = f"GET /v2/{runner.app.project}/{what}"
    fault = Fault(
        what=path, times=99, alter=lambda body: body.replace(b"linux", b"linus").replace(b"config", b"konfig")
    )
    proxy = until_done.enter_context(faulty_proxy(registry.port, fault))

    reason = closed(runner.gate(REGISTRY=f"{proxy.host}/{runner.app.project}"), "refused", 1)

    assert "where sha256:" in reason
    assert "It was altered" in reason


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(what="PUT /v2/*/manifests/*", times=99, status=500), "Internal Server Error"),
        (Fault(what="POST /v2/*/blobs/uploads/", times=99, status=403), "docker login"),
        (Fault(what="GET /v2/*/manifests/sha256:*", times=99, status=401), "docker login"),
        (Fault(what="GET /v2/*/manifests/sha256:*", times=99, status=404), "run the gate again"),
        (Fault(what="GET /v2/*/manifests/sha256:*", times=99, status=429), "too many requests"),
        (Fault(what="GET /v2/*/blobs/sha256:*", times=99, status=503), "UNKNOWN as the test wants"),
        (Fault(what="GET /v2/*/manifests/sha256:*", times=99, cut=True), "cut the connection"),
    ],
    ids=["PUT 500", "POST 403", "GET 401", "GET 404", "GET 429", "GET 503", "GET cut"],
)
def test_a_registry_that_fails_in_the_middle_closes_the_gate(
    fault: Fault, said: str, runner: Runner, registry: Registry, until_done: ExitStack
) -> None:
    """Fails when a push that fails counts as one: the Engine answers 200 to it."""
    proxy = until_done.enter_context(faulty_proxy(registry.port, fault))

    ended = runner.gate(REGISTRY=f"{proxy.host}/{runner.app.project}")

    assert ended.decision[0] == "closed", ended.log
    assert said in closed(ended, *ended.decision[1:])  # type: ignore[arg-type]
    assert local_names(runner, proxy.host) == []


def test_a_registry_that_fails_once_is_asked_once_more(
    runner: Runner, registry: Registry, until_done: ExitStack
) -> None:
    """Fails when the one 500 that distribution gives now and then closes a gate."""
    faults = [
        Fault(what="PUT /v2/*/manifests/*", status=500),
        Fault(what="GET /v2/*/manifests/sha256:*", status=502),
        Fault(what="GET /v2/*/blobs/sha256:*", cut=True),
    ]
    proxy = until_done.enter_context(faulty_proxy(registry.port, *faults))

    ended = runner.gate(REGISTRY=f"{proxy.host}/{runner.app.project}")

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert all(fault.times == 0 for fault in faults)


def test_a_registry_that_takes_its_time_is_waited_for(
    runner: Runner, registry: Registry, until_done: ExitStack
) -> None:
    """Fails when an Engine that waits for the registry, and says nothing meanwhile, is taken for one that hangs."""
    proxy = until_done.enter_context(faulty_proxy(registry.port, Fault(what="PUT /v2/*/blobs/uploads/*", wait=6)))

    ended = runner.gate(REGISTRY=f"{proxy.host}/{runner.app.project}", ENGINE_TIMEOUT="3")

    assert ended.decision == ("open", "fresh", 0), ended.log


def test_nothing_is_published_that_was_not_proven(runner: Runner, registry: Registry) -> None:
    """Fails when the push comes before the last check."""
    ended = runner.gate(REGISTRY=f"{registry.host}/{runner.app.project}", CHECK_COMMAND="/grep -q nothing /www/version")

    assert ended.decision == ("closed", "check-failed", 1), ended.log
    assert "registry" not in ended.checks()
    assert registry.get(f"/v2/{runner.app.project}/tags/list")[0] == 404


def test_each_of_several_images_has_a_repository_of_its_own(runner: Runner, registry: Registry) -> None:
    """Fails when two images go to one repository, or an output names the one for the other's service."""
    repo, project, port = runner.app.repo, runner.app.project, runner.app.staging_port
    label = f"LABEL freshness.test={project}\n"
    dockerfile = (
        "FROM scratch\nCOPY --chmod=0755 busybox /httpd\nCOPY --chmod=0755 busybox /grep\nCOPY word /www/word\n"
    )
    dockerfile += f'{label}ENTRYPOINT ["/httpd", "-f", "-p", "9090", "-h", "/www"]\n'
    busybox, services = (repo.path / "services/web/busybox").read_bytes(), {}
    for name in ("web", "api", "worker"):
        services[name] = {"build": f"services/{name}", "stop_signal": "SIGKILL"}
        if name != "worker":
            repo.commit({f"services/{name}/Dockerfile": dockerfile, f"services/{name}/word": name,
                         f"services/{name}/busybox": busybox})  # fmt: skip
    services["worker"]["build"] = services["api"]["build"]
    services["web"]["ports"] = [f"127.0.0.1:{port}:9090"]  # type: ignore[assignment]
    told = '[services.api]\nhealth = "running"\n[services.worker]\nhealth = "running"\n'
    repo.commit({"compose.yaml": json.dumps({"name": project, "services": services}), "freshness.toml": told})

    ended = runner.gate(
        REGISTRY=f"{registry.host}/{project}", COMPOSE_FILE="compose.yaml", TARGET_SERVICE="web api worker",
        BUILD_CONTEXT="", HEALTH_PATH="/word", HOLD_TIME="1", CHECK_COMMAND="/grep -q web /www/word",
    )  # fmt: skip

    assert ended.decision == ("open", "fresh", 0), ended.log
    digests = json.loads(ended.outputs["digests"])
    assert digests["api"] == digests["worker"]
    for name in ("web", "api"):
        repository, _, digest = digests[name].partition("@")
        assert repository == f"{registry.host}/{project}/{name}"
        assert digest_of(held(registry, f"{project}/{name}", digest)) == digest
    assert digests["web"].endswith(ended.outputs["digest"])
    assert ended.outputs["digest"] not in digests["api"]
