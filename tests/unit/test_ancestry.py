"""Production goes forward; back or sideways only for a reason, and never where the history does not tell."""

import pytest

from freshness.core.ancestry import require_ancestry
from freshness.core.history import Comparison, Relation
from freshness.errors import Refused

OLD, NEW = "a" * 40, "b" * 40
REASON = "Version 2 loses orders."


def say(relation: Relation, rollback: str | None = None, diverged: str | None = None, via: str | None = None) -> str:
    found = Comparison(relation=relation, ahead=3, behind=2, via=via)
    return require_ancestry(found, production=OLD, candidate=NEW, allow_rollback=rollback, allow_diverged=diverged)


def test_forward_and_the_same_need_no_reason() -> None:
    assert OLD in say(Relation.SAME)
    assert "3 commits ahead" in say(Relation.AHEAD)
    assert f"through {'c' * 40}, which has the same tree" in say(Relation.AHEAD, via="c" * 40)


def test_back_and_sideways_need_the_reason_of_their_own() -> None:
    """Fails where either permission opens both ways."""
    with pytest.raises(Refused, match=rf"{NEW} is 2 commits behind {OLD}.*`allow-rollback`"):
        say(Relation.BEHIND, diverged=REASON)
    with pytest.raises(Refused, match=rf"{NEW} lacks 2 commits .* {OLD}.*`allow-diverged`"):
        say(Relation.DIVERGED, rollback=REASON)
    assert say(Relation.BEHIND, rollback=REASON).endswith(f"`allow-rollback` allows it: {REASON}")
    assert say(Relation.DIVERGED, diverged=REASON).endswith(f"`allow-diverged` allows it: {REASON}")


def test_unknown_history_is_refused_whatever_is_permitted() -> None:
    with pytest.raises(Refused, match=r"Cannot tell whether .*fetch-depth: 0"):
        say(Relation.UNKNOWN, rollback=REASON, diverged=REASON)
