"""A gate changes its repository's build context by what its commit changes, and believes it only as it was left."""

import os
import re
from pathlib import Path

from tests.support.git import COMMIT_TIME, Content, Executable, GitRepo, Link
from tests.support.runner import Ended, Runner

WORDS: dict[str, Content] = {f"words/{number}.txt": f"{number}" * 10_000 for number in range(20)}

SLOW = """\
FROM python:3.13-slim
WORKDIR /app
COPY . .
RUN sleep 3
ARG GIT_SHA=""
ENV REVISION=$GIT_SHA
CMD ["python3", "-u", "server.py"]
"""


def read_from(runner: Runner, commit: str) -> str:
    """The begin of a file in the image of the commit."""
    image = runner.built(commit)
    return runner.sandbox.cli("run", "--rm", str(image), "head", "-c", "3", "words/0.txt")


def transferred(ended: Ended) -> float:
    """The bytes that buildx says it has sent of the context."""
    units = {"B": 1.0, "kB": 1e3, "MB": 1e6}
    found = re.findall(r"transferring context: ([\d.]+)(B|kB|MB)", ended.log)
    return max(float(number) * units[unit] for number, unit in found)


def test_a_gate_sends_what_its_commit_changes(any_runner: Runner) -> None:
    """Breaks when `make` gives each change a name of its own, or `execute` builds with the commit for a name."""
    repo = any_runner.app.repo
    repo.commit(WORDS)
    first = any_runner.gate()
    repo.commit({"words/0.txt": "1" * 10_000})
    second = any_runner.gate()

    assert (first.decision, second.decision) == (("open", "fresh", 0),) * 2, second.log
    assert transferred(first) > 200_000
    assert transferred(second) < 20_000
    assert any_runner.in_staging("head", "-c", "3", "words/0.txt", "words/1.txt").split()[3::4] == ["111", "111"]
    assert "; 1 files written" in second.log


def test_what_was_changed_in_the_context_reaches_no_image(any_runner: Runner) -> None:
    """I1. With size and time as they were. Breaks when `Look.end` believes the state alone."""
    repo = any_runner.app.repo
    repo.commit(WORDS)
    any_runner.gate()
    (file,) = Path(os.environ["HOME"], ".cache/freshness/contexts").glob("*/*/words/1.txt")
    before = file.stat()
    file.write_text("x" * 10_000)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    repo.commit({"words/0.txt": "1" * 10_000})
    ended = any_runner.gate()

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert any_runner.in_staging("head", "-c", "3", "words/1.txt") == "111"
    assert not file.exists()


STEPS: list[tuple[dict[str, Content], int]] = [
    ({"words/a": "1", "words/b": "1", "words/c/d": "1", "Words/a": "2"}, 0),
    ({"words/a": "2", "words/b": Executable("1"), "words/A": "3"}, 0),
    ({"words/b": None, "words/b/now": "a folder", "words/c/d": None, "words/c": Link("a")}, -3600),
    ({"words/a": Link("A"), "words/c": None, "words/c/d": "3", "Words/a": "1"}, -7200),
    ({"words/a": "1", "words/b/now": None, "words/b": "2", "words/A": "2"}, 0),
]
"""What each commit makes of the files, and its time: of one second with the first, or before it."""
LISTING = "find words Words -exec stat -c '%n %F %a' {} + -exec readlink {} ';' -exec cat {} ';' 2>&1"
"""Names, kinds, modes, links and contents."""


def commit_at(repo: GitRepo, files: dict[str, Content], seconds: int) -> None:
    for path in [path for path, content in files.items() if content is None]:
        (repo.path / path).unlink()
        if not any((repo.path / path).parent.iterdir()):
            (repo.path / path).parent.rmdir()
    repo.commit({path: content for path, content in files.items() if content is not None})
    who = f"Ada <ada@example.org> {COMMIT_TIME + seconds} +0000"
    text = f"tree {repo.head('HEAD^{tree}')}\nauthor {who}\ncommitter {who}\n\nChange\n"
    repo.git("reset", "--quiet", "--hard", repo.write_object("commit", text.encode()))


def test_whatever_a_commit_makes_of_a_path_the_image_has_it(runner: Runner) -> None:
    """I1, on BuildKit itself: a file becomes a program, a folder, a link; names differ by case; the clock goes back.

    Breaks when `make` gives a change the number of the one before, or a changed mode is no change.
    """
    names = set()
    for files, seconds in STEPS:
        commit_at(runner.app.repo, files, seconds)
        ended = runner.gate()
        assert ended.decision == ("open", "fresh", 0), ended.log
        there = runner.sandbox.run(["sh", "-c", LISTING], cwd=runner.app.repo.path).stdout
        assert sorted(runner.in_staging("sh", "-c", LISTING).splitlines()) == sorted(there.splitlines())
        names |= set(Path(os.environ["HOME"], ".cache/freshness/contexts").glob("*/*/words"))
    assert len(names) == 1, "each step was a change of the first context"


def test_two_gates_at_once_send_their_own_commits(runner: Runner) -> None:
    """I1. The second one begins while BuildKit reads for the first. Breaks when `lock_place` locks nothing."""
    repo, folder = runner.app.repo, Path(os.environ["HOME"], ".cache/freshness/contexts")
    repo.commit({**WORDS, "Dockerfile": SLOW})
    first = repo.head()
    running = runner.start_gate()
    running.wait_for_child("buildx", "build")
    repo.commit({"words/0.txt": "1" * 10_000})
    second = runner.gate()
    ended = running.end()

    assert second.decision == ("open", "fresh", 0), second.log
    assert "1 files written" not in second.log, "it changed the folder that the first one's buildx reads"
    assert ended.outputs["revision"] == first, ended.log
    assert read_from(runner, first) == "000"
    assert read_from(runner, repo.head()) == "111"
    assert len(list(folder.glob("*/*/words"))) == 1


def test_a_gate_that_is_killed_as_it_builds_leaves_what_the_next_one_takes_or_makes_anew(runner: Runner) -> None:
    """I1, I8. Breaks when the state is written before the last change."""
    repo = runner.app.repo
    repo.commit({**WORDS, "Dockerfile": SLOW})
    running = runner.start_gate()
    running.wait_for_child("buildx", "build")
    running.process.kill()
    running.process.wait()
    repo.commit({"words/0.txt": "1" * 10_000})

    ended = runner.gate()

    assert ended.decision == ("open", "fresh", 0), ended.log
    assert read_from(runner, repo.head()) == "111"
