"""`docs/events.md` names every setting about the commit, tests that there are, and the bound that the code has."""

import re
from pathlib import Path

from freshness.git.history import DEPTHS
from freshness.settings.commit import Ancestry, Forks, Head
from freshness.settings.declaration import settings_of

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")


def test_every_setting_about_the_commit_has_its_rule() -> None:
    rules = TEXT[TEXT.index("## What is checked about the commit") :]
    for setting in {*settings_of(Head), *settings_of(Forks), *settings_of(Ancestry)}:
        assert f"`{setting.name}`" in rules, setting.name


def test_the_tests_that_are_named_are_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)`", TEXT)
    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_each_rule_is_proven_by_a_run_of_the_command_line() -> None:
    table = TEXT[TEXT.index("| what | rule |") :]
    rules = table.strip().splitlines()[2:]
    assert [rule for rule in rules if "`tests/scenarios/" not in rule] == []


def test_the_bound_is_the_codes() -> None:
    assert "to {}, {}, {} and at last {} commits".format(*DEPTHS) in TEXT
