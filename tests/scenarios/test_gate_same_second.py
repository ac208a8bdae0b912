"""BuildKit keeps build contexts by the name of their folder, and asks again only for files of another size or time."""

from tests.support.git import Content
from tests.support.runner import Runner


def test_two_commits_of_one_second_with_files_of_one_size_are_told_apart(any_runner: Runner) -> None:
    """I1. All commits of tests have one time. Breaks when `_own_name` in engine/build.py names the link `context`."""
    dockerfile = (any_runner.app.repo.path / "Dockerfile").read_text()
    served = []
    for word in ("one", "two", "six"):
        any_runner.app.repo.commit({"word.txt": word, "Dockerfile": f"{dockerfile}ENV WORD={word}\n"})
        ended = any_runner.gate()
        assert ended.decision == ("open", "fresh", 0), ended.log
        served.append(any_runner.in_staging("sh", "-c", "cat word.txt && echo $WORD"))

    assert served == ["oneone", "twotwo", "sixsix"]


def test_two_contexts_of_one_commit_with_files_of_one_size_are_told_apart(any_runner: Runner) -> None:
    """I1. As two services of one repository. Breaks when `_own_name` leaves the context's path out."""
    repo = any_runner.app.repo
    names = ("server.py", "behaviour.json", "scripts/staging_check.py")
    files: dict[str, Content] = {
        f"{folder}/{name}": (repo.path / name).read_text() for folder in ("one", "two") for name in names
    }
    repo.commit({**files, "one/word.txt": "one", "two/word.txt": "two"})
    served = []
    for context in ("one", "two"):
        ended = any_runner.gate(BUILD_CONTEXT=context, DOCKERFILE="Dockerfile")
        assert ended.decision == ("open", "fresh", 0), ended.log
        served.append(any_runner.in_staging("cat", "word.txt"))

    assert served == ["one", "two"]


def test_two_dockerfiles_of_one_commit_and_of_one_size_are_told_apart(any_runner: Runner) -> None:
    """I1. As two services with one context. Breaks when `_own_name` leaves the Dockerfile's path out."""
    repo = any_runner.app.repo
    dockerfile = (repo.path / "Dockerfile").read_text()
    repo.commit({f"{word}/Dockerfile": f"{dockerfile}ENV WORD={word}\n" for word in ("one", "two")})
    served = []
    for word in ("one", "two"):
        ended = any_runner.gate(DOCKERFILE=f"{word}/Dockerfile")
        assert ended.decision == ("open", "fresh", 0), ended.log
        served.append(any_runner.in_staging("sh", "-c", "echo $WORD").strip())

    assert served == ["one", "two"]
