"""A Compose file or a setting with which staging is not staging's own, or not the commit's, ends the gate at once.

No Engine is reachable here: whatever asked one would end with status 3.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.applications import Application
from tests.support.git import Content, Link
from tests.support.runner import Ended, Runner

NO_ENGINE = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}


def composed(app: Application, service: str = "", others: str = "", rest: str = "") -> dict[str, Content]:
    """The Compose file with lines more in staging's service, services more, and lines more below them."""
    compose = (app.repo.path / "compose.yaml").read_text().rstrip("\n")
    staging = "  orchestrator-staging:\n"
    if service.startswith("ports:"):
        compose = compose.replace(f'    ports: ["127.0.0.1:{app.staging_port}:8000"]\n', "")
    lines = "".join(f"    {line}\n" for line in service.splitlines())
    return {"compose.yaml": f"{compose.replace(staging, staging + lines, 1)}\n{others}\n{rest}\n"}


def gate_of(runner: Runner, files: Mapping[str, Content], **settings: str) -> Ended:
    runner.app.repo.commit(files)
    return runner.gate(**NO_ENGINE, **settings)


def test_without_a_problem_the_engine_is_asked_for(runner: Runner) -> None:
    """What the tests below rest on: this application ends at the Engine, and not before."""
    ended = gate_of(runner, {})

    assert ended.decision == ("closed", "error", 3), ended.log
    assert "/nonexistent/docker.sock cannot be reached" in ended.reason


def other(line: str, profile: str = "") -> str:
    return f"  other:\n    image: other\n{profile}    {line}"


# What Compose has to print for the rules to see it; tests/unit/test_compose_rules.py has all the rules.
SHARED: dict[str, tuple[str, str, dict[str, str], str]] = {
    "a port in a range": ("", other('ports: ["@BEFORE@-@STAGING@:80-81"]'), {}, "share port @STAGING@"),
    "a port with a service that a profile hides": (
        "",
        other('ports: ["@STAGING@:80"]', "    profiles: [never]\n"),
        {},
        "share port @STAGING@",
    ),
    "an image by its full name": (
        "",
        "  other:\n    image: docker.io/library/@PROJECT@-orchestrator-staging",
        {},
        "share image",
    ),
    "a container's name": (
        "container_name: @PROJECT@-orchestrator-1",
        "",
        {},
        "share container name @PROJECT@-orchestrator-1",
    ),
    "production's port": ('ports: ["@STAGING@:80", "@PROD@:81"]', "", {}, "`prod-port`"),
    "no such service": ("", "", {"TARGET_SERVICE": "web"}, "no service 'web'"),
    "another image": ("", "", {"STAGING_IMAGE": "web"}, "The setting `image` says 'web'"),
    "replicas": ("scale: 2", "", {}, "has 2 replicas"),
    "one port for both": ("", "", {"PROD_PORT": "@STAGING@"}, "publishes @STAGING@, production's port"),
}


@pytest.mark.parametrize("case", SHARED)
def test_what_staging_must_not_share_is_a_settings_error(case: str, runner: Runner) -> None:
    """I6. Breaks when the rule in core/compose.py goes, or `--profile '*'` from `read_config`."""
    service, others, settings, words = SHARED[case]

    def fill(text: str) -> str:
        staging, production = runner.app.staging_port, runner.app.production_port
        filled = {"@STAGING@": staging, "@BEFORE@": staging - 1, "@PROD@": production, "@PROJECT@": runner.app.project}
        for word, value in filled.items():
            text = text.replace(word, str(value))
        return text

    ended = gate_of(
        runner,
        composed(runner.app, fill(service), fill(others)),
        **{name: fill(value) for name, value in settings.items()},
    )

    assert ended.decision == ("closed", "error", 2), ended.log
    assert fill(words) in ended.reason


VOLUME = "volumes:\n  code:\n    driver_opts: {type: none, o: bind, device: '@PLACE@'}"
MOUNTS: dict[str, tuple[str, str, str]] = {
    "a bind mount": ('volumes: ["@PLACE@:/app"]', "", "bind mount"),
    "a config": ("configs: [code]", "configs:\n  code:\n    file: '@PLACE@/server.py'", "config"),
    "a secret": ("secrets: [code]", "secrets:\n  code:\n    file: '@PLACE@/server.py'", "secret"),
    "a volume that binds": ("volumes: ['code:/app']", VOLUME, "named volume"),
}


@pytest.mark.parametrize("mount", MOUNTS)
def test_nothing_of_the_workspace_lies_over_the_image(mount: str, runner: Runner) -> None:
    """I13. Breaks when `mounts_of` no longer reads the host's path of that."""
    service, rest, kind = (text.replace("@PLACE@", str(runner.app.repo.path)) for text in MOUNTS[mount])

    ended = gate_of(runner, composed(runner.app, service, rest=rest))

    assert ended.decision == ("closed", "error", 2), ended.log
    assert f"has a {kind} from a Git work tree" in ended.reason


def test_nothing_of_the_workspace_lies_over_the_image_through_a_link(runner: Runner, tmp_path: Path) -> None:
    """I13. Breaks when `tracked_at` no longer resolves links."""
    (tmp_path / "link").symlink_to(runner.app.repo.path)

    ended = gate_of(runner, composed(runner.app, f'volumes: ["{tmp_path}/link:/app"]'))

    assert ended.decision == ("closed", "error", 2), ended.log
    assert "has a bind mount from a Git work tree" in ended.reason


def test_what_comes_from_outside_the_workspace_may_lie_there(runner: Runner, tmp_path: Path) -> None:
    """Breaks when `find_tracked` refuses every mount."""
    (tmp_path / "outside").mkdir()

    ended = gate_of(
        runner, composed(runner.app, f'volumes: ["{tmp_path}/outside:/data", "named:/x"]', rest="volumes: {named: }")
    )

    assert ended.status == 3, ended.log


UNREADABLE: dict[str, tuple[dict[str, Content], dict[str, str], str]] = {
    "another service's variable is not set": ({}, {}, "TOKEN_OF_OTHER"),
    "another service's env file is missing": ({}, {}, "missing.env"),
    "the file is missing": ({}, {"COMPOSE_FILE": "deploy/compose.yaml"}, "no Compose file at"),
    "the file is no YAML": ({"compose.yaml": "services: ["}, {}, "cannot read"),
    "the file is not UTF-8": ({"compose.yaml": b"\xff\xfe"}, {}, "cannot be read"),
    "the file is a dangling link": ({"compose.yaml": Link("/nonexistent")}, {}, "no Compose file at"),
}
OTHERS = {
    "another service's variable is not set": other('environment: {T: "${TOKEN_OF_OTHER:?}"}'),
    "another service's env file is missing": other("env_file: missing.env"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_compose_file_that_cannot_be_read_is_one_sentence_with_the_remedy(case: str, runner: Runner) -> None:
    """Breaks when `read_config` no longer wraps what Compose, or reading the file, said."""
    files, settings, words = UNREADABLE[case]
    files = composed(runner.app, others=OTHERS[case]) if case in OTHERS else files

    ended = gate_of(runner, files, **settings)

    assert ended.decision == ("closed", "error", 2), ended.log
    assert words in ended.reason
    assert "compose" in ended.reason.lower()


def test_every_problem_is_reported_at_once(runner: Runner) -> None:
    """Breaks when `read_services` raises at the first problem, or `read_gate` at the first setting."""
    service = 'volumes: [".:/app"]\nscale: 3'
    in_file = gate_of(runner, composed(runner.app, service), STAGING_CONTAINER="web")
    in_settings = gate_of(runner, {}, TARGET_PORT="http", HEALTH_RETRIES="-1", GIT_SHA="main")

    assert [words in in_file.reason for words in ("bind mount", "3 replicas", "`container`")] == [True] * 3
    assert in_settings.decision == ("closed", "error", 2), in_settings.log
    assert [words in in_settings.reason for words in ("`port`", "`health-retries`", "`revision`")] == [True] * 3


def test_a_project_without_a_name_takes_the_repositorys_and_never_the_folders(runner: Runner) -> None:
    """Breaks when `read_config` passes no `--project-name`, which makes Compose take the folder's."""
    compose = (runner.app.repo.path / "compose.yaml").read_text()
    nameless = compose.replace(f"name: {runner.app.project}\n", "")
    image = {"STAGING_CONTAINER": f"{runner.app.project}-orchestrator-staging-1"}

    named = gate_of(runner, {"compose.yaml": nameless}, GITHUB_REPOSITORY=f"Org/{runner.app.project.upper()}", **image)
    unknown = gate_of(runner, {}, GITHUB_REPOSITORY="", **image)

    assert named.status == 3, named.log
    assert unknown.decision == ("closed", "error", 2), unknown.log
    assert "The Compose project has no name" in unknown.reason
