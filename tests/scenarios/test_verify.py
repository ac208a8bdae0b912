"""`freshness verify`: the guard alone, in one line, for a label that is no more than a claim."""

import pytest

from tests.support.engines import Sandbox
from tests.support.promotions import LABEL
from tests.support.runner import Ended, Runner

COMMIT, OTHER = "a" * 40, "b" * 40
PLAIN = f'FROM python:3.13-slim\nARG GIT_SHA=""\nLABEL {LABEL}=$GIT_SHA freshness.test=@NAME@\n'


def build(sandbox: Sandbox, runner: Runner, dockerfile: str, *words: str, tag: str = "image") -> str:
    """An image by plain `docker build`."""
    path = runner.folder / "Dockerfile"
    path.write_text(dockerfile.replace("@NAME@", sandbox.name))
    name = f"{sandbox.name}-{tag}:1"
    sandbox.cli("build", "--quiet", "--file", str(path), *words, "--tag", name, str(runner.folder / "app"))
    return name


def verify(runner: Runner, image: str, revision: str = COMMIT) -> Ended:
    ended = runner.start("verify", image, "--revision", revision).end()
    assert len(ended.log.splitlines()) == 1, ended.log
    return ended


def test_a_plain_build_with_the_argument_is_label_only(any_runner: Runner) -> None:
    """I2. Fails when `verify_image` in cli/verify.py calls a label more than a claim."""
    image = build(any_runner.sandbox, any_runner, PLAIN, "--build-arg", f"GIT_SHA={COMMIT}")

    ended = verify(any_runner, image)

    assert ended.status == 0, ended.log
    assert ended.log.startswith(f"label only: {image}")
    assert str(any_runner.sandbox.image_id(image)) in ended.log


@pytest.mark.parametrize(
    ("dockerfile", "words", "said"),
    [
        (PLAIN, (), "is empty"),
        ("FROM python:3.13-slim\nLABEL freshness.test=@NAME@\n", (), "is missing"),
        (PLAIN, ("--build-arg", "GIT_SHA=<no value>"), "'<no value>'"),
        (PLAIN, ("--build-arg", f"GIT_SHA={OTHER}"), OTHER),
    ],
    ids=["empty", "missing", "no value", "different"],
)
def test_every_doubt_is_refused(dockerfile: str, words: tuple[str, ...], said: str, any_runner: Runner) -> None:
    """I2, I8. Fails when `guard` in core/image.py accepts this label."""
    ended = verify(any_runner, build(any_runner.sandbox, any_runner, dockerfile, *words))

    assert ended.status == 1, ended.log
    assert ended.log.startswith("refused: ")
    assert said in ended.log


@pytest.mark.parametrize(("inherited", "status"), [(COMMIT, 0), (OTHER, 1)])
def test_a_base_images_label_is_believed_no_further_than_it_says(
    inherited: str, status: int, any_runner: Runner
) -> None:
    """I2. Fails when `verify_image` in cli/verify.py calls an inherited label anything but "label only"."""
    sandbox = any_runner.sandbox
    base = build(sandbox, any_runner, PLAIN, "--build-arg", f"GIT_SHA={inherited}", tag="base")
    image = build(sandbox, any_runner, f"FROM {base}\nENV CHANGED=1\n")

    ended = verify(any_runner, image)

    assert ended.status == status, ended.log
    assert ended.log.startswith("label only: " if status == 0 else "refused: ")


def test_an_image_that_does_not_exist_is_refused(any_runner: Runner) -> None:
    """I12. Fails when `verify_image` in cli/verify.py takes "not found" for anything but a refusal."""
    ended = verify(any_runner, f"{any_runner.sandbox.name}:none")

    assert ended.status == 1
    assert any_runner.sandbox.docker.info()["ID"] in ended.log


@pytest.mark.parametrize("revision", [COMMIT[:12], "main", "", COMMIT + "a"])
def test_anything_but_a_full_commit_id_is_a_usage_error(revision: str, runner: Runner) -> None:
    """I8. Fails when `verify_image` in cli/verify.py compares abbreviations."""
    assert verify(runner, "python:3.13-slim", revision).status == 2


def test_an_engine_that_is_not_there_is_no_answer(runner: Runner) -> None:
    """Fails when `reach` in engine/client.py lets an exception of docker-py out."""
    ended = runner.start("verify", "image", "--revision", COMMIT, DOCKER_HOST="unix:///no/such.sock").end()

    assert ended.status == 3
    assert "unix:///no/such.sock cannot be reached" in ended.log
