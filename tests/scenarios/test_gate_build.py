"""What the gate hands to the build, what reaches the image, and how a failed build ends."""

import hashlib
from pathlib import Path

import pytest

from tests.support import plugins
from tests.support.engines import BASE_IMAGE
from tests.support.git import Content, Link
from tests.support.runner import Runner, identity

SERVED = {"services/api/server.py", "services/api/behaviour.json", "services/api/scripts/staging_check.py"}


def in_subfolder(runner: Runner, **files: Content) -> None:
    """Moves the application below services/api and its Dockerfile to docker/, beside the context."""
    path = runner.app.repo.path
    moved: dict[str, Content] = {name: (path / name.removeprefix("services/api/")).read_text() for name in SERVED}
    old: dict[str, Content] = {name.removeprefix("services/api/"): None for name in SERVED}
    dockerfile = (path / "Dockerfile").read_text()
    runner.app.repo.commit({**moved, **old, "Dockerfile": None, "docker/api.Dockerfile": dockerfile, **files})


def test_a_context_in_a_subfolder_and_a_dockerfile_beside_it_are_built(runner: Runner) -> None:
    """I1. Breaks when `locate` joins the Dockerfile to the context in place of the tree's root."""
    in_subfolder(runner, outside="not in the context")

    ended = runner.gate(BUILD_CONTEXT="services/api", DOCKERFILE="docker/api.Dockerfile")

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert set(runner.in_staging("ls", "-A").split()) == {"server.py", "behaviour.json", "scripts"}


def test_dockerignore_is_obeyed(runner: Runner) -> None:
    """Breaks when the context is handed over on standard input in place of a folder."""
    runner.app.repo.commit(
        {".dockerignore": "private\n*.pem\n!kept.pem\n", "private/x": "", "a.pem": "", "kept.pem": ""}
    )

    ended = runner.gate()

    assert ended.decision == ("open", "fresh", 0), ended.log
    listed = runner.in_staging("ls", "-A").split()
    assert "kept.pem" in listed
    assert not {"private", "a.pem"} & set(listed)


def test_arguments_stage_and_label_reach_the_build(any_runner: Runner) -> None:
    """Breaks when `command_of` in engine/build.py drops `--build-arg`, `--target`, or the setting's label."""
    dockerfile = (any_runner.app.repo.path / "Dockerfile").read_text().replace("slim\n", "slim AS app\n")
    steps = "ARG COLOUR\nRUN echo $COLOUR > colour\nFROM app AS later\nRUN exit 1\n"
    any_runner.app.repo.commit({"Dockerfile": dockerfile + steps})

    ended = any_runner.gate(BUILD_ARGS="COLOUR=green = 1", BUILD_TARGET="app", REVISION_LABEL="org.example.commit")

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert any_runner.in_staging("cat", "colour") == "green = 1"
    image = any_runner.sandbox.docker.images.get(ended.outputs["image-id"])
    assert image.labels["org.example.commit"] == any_runner.app.repo.head()


# Of each kind that no other child inherits: they are the runner's and our own.
SECRET_VARIABLES = ("WORD", "INPUT_WORD", "COMPOSE_WORD", "FRESHNESS_WORD", "GITHUB_TOKEN", "BUILDX_BUILDER")


def test_arguments_of_other_names_get_the_commit(runner: Runner) -> None:
    """I2. Breaks when `command_of` gives the commit to `GIT_SHA` alone, or to one of the names only."""
    repo = runner.app.repo
    dockerfile = (repo.path / "Dockerfile").read_text().replace("GIT_SHA", "VCS_REF")
    steps = "ARG GIT_COMMIT\nARG GIT_SHA=none\nRUN echo $VCS_REF $GIT_COMMIT $GIT_SHA > revisions\n"
    repo.commit({"Dockerfile": dockerfile + steps})

    ended = runner.gate(REVISION_ARGS="VCS_REF, GIT_COMMIT")

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert runner.in_staging("cat", "revisions").split() == [repo.head(), repo.head(), "none"]


def test_pull_asks_the_registry_for_a_base_that_the_engine_has(runner: Runner) -> None:
    """Breaks when `command_of` no longer passes `--pull`. Nothing listens where this base says that it comes from."""
    base = f"localhost:1/{runner.app.staging_image}-base:1"
    runner.sandbox.cli("tag", BASE_IMAGE, base)
    try:
        dockerfile = (runner.app.repo.path / "Dockerfile").read_text()
        runner.app.repo.commit({"Dockerfile": dockerfile.replace(f"FROM {BASE_IMAGE}", f"FROM {base}")})

        assert runner.gate(PULL="false").decision == ("open", "fresh", 0)
        runner.app.repo.commit({"more": ""})
        ended = runner.gate(PULL="true")
    finally:
        runner.sandbox.cli("rmi", base)

    assert ended.decision == ("closed", "build-failed", 1), ended.log
    assert "localhost:1" in ended.reason
    assert "needs `pull: false`" in ended.reason


def test_secrets_reach_the_build_and_leave_no_trace(any_runner: Runner, tmp_path: Path) -> None:
    """Breaks when `command_of` passes a secret as `--build-arg`, or when `argument` in settings names `env`."""
    (tmp_path / "secret").write_text("from-a-file-7f3a")
    values = {name: f"from-{name.lower()}-91bc" for name in SECRET_VARIABLES}
    every = hashlib.sha256("".join(["from-a-file-7f3a", *values.values()]).encode()).hexdigest()
    ids = ("file", *(f"a.{name}-1" for name in SECRET_VARIABLES))
    mounts = " ".join(f"--mount=type=secret,id={name},target=/{name},required=true" for name in ids)
    step = f"RUN {mounts} cat {' '.join('/' + name for name in ids)} | sha256sum | grep -q {every}\n"
    any_runner.app.repo.commit({"Dockerfile": (any_runner.app.repo.path / "Dockerfile").read_text() + step})

    lines = [f"id=file,src={tmp_path / 'secret'}", *(f"id=a.{name}-1,env={name}" for name in SECRET_VARIABLES)]
    ended = any_runner.gate(BUILD_SECRETS="\n".join(lines), RECHECK_HEAD="false", **values)

    assert ended.decision == ("open", "fresh", 0), ended.log
    history = str(any_runner.sandbox.docker.images.get(ended.outputs["image-id"]).history())
    assert every in history, "the step that reads the secrets is not in the history: this test looks at nothing"
    for trace in ("from-a-file-7f3a", *values.values()):
        assert trace not in history + ended.log + ended.summary + str(ended.report)
        assert any_runner.in_staging("sh", "-c", f"grep -rsl {trace} /app /run /etc /tmp || true") == ""


FAILING_BUILDS: dict[str, tuple[dict[str, Content], dict[str, str], str, str]] = {
    "a step fails": ({"Dockerfile": "FROM python:3.13-slim\nRUN exit 7\n"}, {}, "build-failed", "exited with status 1"),
    "no such stage": ({}, {"BUILD_TARGET": "nowhere"}, "build-failed", "exited with status 1"),
    "no Dockerfile": ({}, {"DOCKERFILE": "docker/Dockerfile"}, "build-failed", "no Dockerfile at docker/Dockerfile"),
    "no context": ({}, {"BUILD_CONTEXT": "services"}, "build-failed", "no folder at services"),
    "a context that leads out": ({"out": Link("/etc")}, {"BUILD_CONTEXT": "out"}, "refused", "out is a link"),
    "a Dockerfile that leads out": ({"Dockerfile": Link("../../Dockerfile")}, {}, "refused", "Dockerfile is a link"),
}


@pytest.mark.parametrize("case", FAILING_BUILDS)
def test_what_cannot_be_built_starts_nothing(case: str, runner: Runner) -> None:
    """Breaks when `end` of Building goes on after a status that is not 0, or `locate` resolves no links."""
    files, settings, verdict, words = FAILING_BUILDS[case]
    runner.app.repo.commit(files)

    ended = runner.gate(**settings)

    assert ended.decision == ("closed", verdict, 1), ended.log
    assert words in ended.reason
    assert "goes back to development" in ended.reason
    assert ended.outputs["image-id"] == ""
    assert runner.built() is None
    assert runner.containers(runner.app.staging) == []


def test_a_failed_build_says_which_line_failed_and_why(any_runner: Runner) -> None:
    """Breaks when `end` of Building no longer reads what buildx says. The Engines put it in two ways."""
    any_runner.app.repo.commit({"Dockerfile": "FROM python:3.13-slim\nRUN echo the reason && exit 7\n"})

    ended = any_runner.gate()

    assert ended.decision == ("closed", "build-failed", 1), ended.log
    assert "is 'RUN echo the reason && exit 7', the error is " in ended.reason
    assert "exit code: 7" in ended.reason
    assert "the last output is 'the reason'" in ended.reason


LAYER_LOST = (
    f'ERROR: failed to solve: failed to prepare extraction snapshot "extract-51414234-Z35k sha256:{"6" * 64}": '
    f"parent snapshot sha256:{'d' * 64} does not exist: not found"
)
"""Recorded from BuildKit in Docker 26.1: it is a race of BuildKit's own, once in some 180 builds of four at a time."""


@pytest.mark.parametrize(("losses", "decision"), [(2, ("open", "fresh", 0)), (3, ("closed", "build-failed", 1))])
def test_a_layer_that_the_engine_loses_is_built_again(
    losses: int, decision: tuple[str, str, int], runner: Runner, tmp_path: Path
) -> None:
    """Fails when `_run` in engine/build.py builds once only, or without an end.

    buildx is the real one; before it, as many builds as told end as BuildKit's race ends them.
    """
    lost = tmp_path / "lost"
    lost.touch()
    plugins.replace(
        "buildx",
        f'[ $(wc -l <{lost}) = {losses} ] && exec "$PLUGIN" "$@"\n'
        f"echo lost >>{lost}\necho '{LAYER_LOST}' >&2\nexit 1",
    )

    ended = runner.gate()

    assert ended.decision == decision, ended.log
    assert lost.read_text().count("lost") == losses
    assert ended.log.count("building again") == 2


def test_a_failed_build_leaves_staging_as_it_was(runner: Runner) -> None:
    """Breaks when the tag of staging moves, or the container is recreated, before the build succeeded."""
    fresh = runner.gate()
    before = identity(runner.staging())
    runner.app.repo.commit({"Dockerfile": "FROM python:3.13-slim\nRUN exit 7\n"})

    assert runner.gate().decision == ("closed", "build-failed", 1)
    assert identity(runner.staging()) == before
    assert runner.sandbox.image_id(runner.app.staging_image) == fresh.outputs["image-id"]


def test_a_commit_whose_tree_is_incomplete_is_refused_before_the_build(runner: Runner) -> None:
    """Breaks when `export` in gate/context.py no longer refuses what no ignore file can leave out."""
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"
    runner.app.repo.commit({"model.bin": pointer})

    refused, allowed = runner.gate(), runner.gate(INCOMPLETE="allow")

    assert refused.decision == ("closed", "refused", 1), refused.log
    assert "model.bin" in refused.reason
    assert allowed.decision == ("open", "fresh", 0), allowed.log
    assert "model.bin" in allowed.summary
