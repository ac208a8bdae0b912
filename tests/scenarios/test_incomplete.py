"""Submodules and Git LFS pointers that no build sees close no gate; Docker's own client says which it would send."""

import pytest

from tests.support.git import Content
from tests.support.runner import Runner

POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"
IGNORING = "*.bin\n!docs/**/kept.bin\nvendor\nassets/**\n"


def add_submodule(runner: Runner, path: str) -> None:
    """A submodule at the path, as the commit names it; nothing has to be cloned for that."""
    repo = runner.app.repo
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.head()},{path}")
    repo.git("commit", "--quiet", "--message", f"Add {path}")


def commit(runner: Runner, files: dict[str, Content]) -> None:
    """As `GitRepo.commit`, which would take submodules away again that are not in the work tree."""
    runner.app.repo.write(files)
    runner.app.repo.git("add", "--", *files)
    runner.app.repo.git("commit", "--quiet", "--message", "Change")


def moved(runner: Runner) -> dict[str, Content]:
    """The application in a folder of its own."""
    names = ("Dockerfile", "server.py", "behaviour.json", "scripts/staging_check.py")
    return {f"services/api/{name}": (runner.app.repo.path / name).read_text() for name in names}


def test_what_lies_outside_the_context_closes_no_gate(runner: Runner) -> None:
    """Breaks when `find_incomplete` no longer asks whether the context holds the path."""
    commit(runner, {**moved(runner), "logo.png": POINTER, "services/api-of-others/x": POINTER})
    add_submodule(runner, "docs/theme")

    ended = runner.gate(BUILD_CONTEXT="services/api")

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert "Incomplete" not in ended.summary


@pytest.mark.parametrize(
    ("path", "is_module"),
    [("logo.png", False), ("deep/er/logo.bin", False), ("docs/a/kept.bin", False), ("vendors/x", True), ("docs", True)],
)
def test_what_a_build_would_see_closes_it(path: str, runner: Runner, *, is_module: bool) -> None:
    """Breaks when a path counts as left out that only resembles one that is."""
    commit(runner, {".dockerignore": IGNORING} if is_module else {".dockerignore": IGNORING, path: POINTER})
    if is_module:
        add_submodule(runner, path)

    ended = runner.gate()

    assert ended.decision == ("closed", "refused", 1), ended.log
    assert f"`{path}`" in ended.reason


def test_what_dockerignore_leaves_out_closes_no_gate(runner: Runner) -> None:
    """Breaks when `reaching` is not asked; `allow` names what reaches the build, and nothing else."""
    commit(runner, {".dockerignore": IGNORING, "a.bin": POINTER, "assets/deep/b.png": POINTER})
    add_submodule(runner, "vendor/library")
    add_submodule(runner, "assets/theme")

    ended = runner.gate()
    commit(runner, {"logo.png": POINTER})
    allowed = runner.gate(INCOMPLETE="allow")

    assert ended.decision == allowed.decision == ("open", "fresh", 0), ended.log + allowed.log
    assert "permits: logo.png" in allowed.summary
    assert "a.bin" not in allowed.summary


def test_the_dockerfiles_own_ignore_file_wins(runner: Runner) -> None:
    """Breaks when only the context's `.dockerignore` is handed to Docker."""
    own = {"Other": (runner.app.repo.path / "Dockerfile").read_text(), "Other.dockerignore": "*.bin\n"}
    commit(runner, {**own, ".dockerignore": "*.png\n", "a.bin": POINTER})

    left_out, seen = runner.gate(DOCKERFILE="Other"), runner.gate()

    assert left_out.decision == ("open", "fresh", 0), left_out.log
    assert seen.decision == ("closed", "refused", 1), seen.log


@pytest.mark.parametrize("ignored", ["", "logo.png\nvendor\n"], ids=["all of it", "but what is ignored"])
def test_an_additional_context_is_looked_at_too(ignored: str, any_runner: Runner) -> None:
    """Fails when `find_all_incomplete` asks the build context alone: an empty folder would be built, and open."""
    runner = any_runner
    compose = (runner.app.repo.path / "compose.yaml").read_text()
    build = "build: {context: ., additional_contexts: {lib: lib}}\n    image:"
    files = {"lib/.dockerignore": ignored, "lib/logo.png": POINTER, "compose.yaml": compose.replace("image:", build)}
    commit(runner, {".dockerignore": "lib\n", **files})
    add_submodule(runner, "lib/vendor/shared")

    ended = runner.gate()

    if ignored:  # an Engine that has no additional contexts says so
        assert ended.decision[1] in {"fresh", "build-failed"}, ended.log
        return
    assert ended.decision == ("closed", "refused", 1), ended.log
    assert "`lib/logo.png`, `lib/vendor/shared`" in ended.reason
