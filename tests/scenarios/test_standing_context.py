"""A gate changes its repository's build context by what its commit changes, and believes it only as it was left."""

import os
import re
from pathlib import Path

from tests.support.git import Content
from tests.support.runner import Ended, Runner

WORDS: dict[str, Content] = {f"words/{number}.txt": f"{number}" * 10_000 for number in range(20)}


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
    """I1. With size and time as they were. Breaks when `find_unchanged` believes the state alone."""
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
